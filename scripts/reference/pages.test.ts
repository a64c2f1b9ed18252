import { describe, expect, it } from 'vitest';
import { catalogue } from '../../src/errors/catalogue.ts';
import { fieldSchema } from '../../src/stack/kinds/field-schema.ts';
import { kinds } from '../../src/stack/stack.ts';
import { errorsPage } from './errors-page.ts';
import { languagePage } from './language-page.ts';

describe('the reference documentation', () => {
  it('has a section for every kind and a row for every field', () => {
    const page = languagePage();
    for (const kind of kinds) {
      expect(page).toContain(`\n## ${kind}\n`);
      for (const field of Object.keys(fieldSchema(kind).properties ?? {})) expect(page).toContain(`| \`${field}\` |`);
    }
  });

  it('has a row for every error, with parameters in braces and nothing that leaked', () => {
    const page = errorsPage();
    for (const code of Object.keys(catalogue)) expect(page).toContain(`| \`${code}\` |`);
    expect(page).toContain("There is no kind '{kind}'.");
    expect(page).not.toMatch(/undefined|\[object|function/);
  });

  it('is the same each time it is made', () => {
    expect(languagePage()).toBe(languagePage());
    expect(errorsPage()).toBe(errorsPage());
  });
});
