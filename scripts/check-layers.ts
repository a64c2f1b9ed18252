// Checks the layer rules, and that the checker saw the modules at all: one that parses nothing passes everything.
import { execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';

interface Report {
  readonly modules: readonly { readonly source: string; readonly dependencies: readonly unknown[] }[];
  readonly summary: { readonly violations: readonly { from: string; to: string; rule: { name: string; severity: string } }[] };
}

const output = execFileSync('depcruise', ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src', 'bin'], {
  encoding: 'utf8',
  maxBuffer: 256 * 1024 * 1024,
});
const report = JSON.parse(output) as Report;
const files = globSync('src/**/*.ts').filter((file) => !file.includes('/testdata/')).length;
const seen = report.modules.filter((module) => module.source.startsWith('src/'));
const edges = seen.reduce((sum, module) => sum + module.dependencies.length, 0);
if (seen.length < files || edges < files) {
  console.error(`layers: only ${seen.length} of ${files} modules with ${edges} imports were seen; the check means nothing`);
  process.exit(1);
}
const violations = report.summary.violations.filter((violation) => violation.rule.severity === 'error');
for (const { rule, from, to } of violations) console.error(`layers: ${rule.name}: ${from} -> ${to}`);
console.log(`layers: ${seen.length} modules, ${edges} imports, ${violations.length} violations`);
process.exit(violations.length === 0 ? 0 : 1);
