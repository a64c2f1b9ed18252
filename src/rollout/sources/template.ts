import { templatePattern, type templateVariables } from '../../stack/kinds/service/metrics.ts';

/** What `$release` and its like stand for. */
export type TemplateValues = Readonly<Record<(typeof templateVariables)[number], string>>;

/** In a string of PromQL: nothing in a value can end the string it stands in. */
export function inQuery(template: string, values: TemplateValues): string {
  return filled(template, values, (value) => value.replaceAll(/[\\"'`]/g, (found) => `\\${found}`).replaceAll('\n', '\\n'));
}

/** In a URL: nothing in a value can begin another part of it. */
export function inUrl(template: string, values: TemplateValues): string {
  return filled(template, values, encodeURIComponent);
}

/** As one argument of a command, which no shell reads. */
export function inArgument(template: string, values: TemplateValues): string {
  return filled(template, values, (value) => value);
}

function filled(template: string, values: TemplateValues, quoted: (value: string) => string): string {
  return template.replaceAll(templatePattern, (found, name: string) => {
    const value = (values as Readonly<Record<string, string>>)[name];
    return value === undefined ? found : quoted(value);
  });
}
