import { dirname } from 'node:path';
import { problem, type Problem } from '../../../errors/sluice-error.ts';
import { fieldsOf } from '../../../stack/kinds/index.ts';
import type { ResolvedBlock, ResolvedStack } from '../../../stack/stack.ts';
import type { LocalContext } from '../resource-handler.ts';
import { plannedServersRoot, serverUser } from '../server/server-user.ts';
import { chooseInstallation, findInstallations, howToInstall } from './installations.ts';
import { databaseSizing, skuExamples } from './sizing.ts';

/** What stands against the database here, and what of it will not be as declared. */
export async function checkDatabase(context: LocalContext, block: ResolvedBlock, stack: ResolvedStack): Promise<readonly Problem[]> {
  const fields = fieldsOf(block, 'database');
  const at = (path: string): Pick<Problem, 'position' | 'address'> => ({ position: block.positionOf(path), address: block.address });
  const problems: Problem[] = [];
  if (fields.type !== 'PostgreSQL') {
    problems.push(problem('unsupported_field', { kind: block.kind, field: 'type', value: String(fields.type) }, at('type')));
    return problems;
  }
  const installations = await findInstallations(stack.root, context.environment['PATH'] ?? '');
  if (!chooseInstallation(installations, fields.version)) {
    const available = [...new Set(installations.map(({ version }) => version))];
    const missing = { version: fields.version, available, install: howToInstall(fields.version) };
    problems.push(problem('database_version_unavailable', missing, at('version')));
  }
  const sizing = databaseSizing(fields.sku);
  const note = (code: Problem): number => problems.push({ ...code, severity: 'note' });
  if (sizing) {
    const how = `${sizing.sharedBuffersMib} MiB of shared buffers and ${sizing.maxConnections} connections; processors are not limited`;
    note(problem('enforced_differently', { field: `sku ${fields.sku}`, how }, at('sku')));
  } else {
    problems.push(problem('unknown_database_sku', { sku: fields.sku, examples: skuExamples }, at('sku')));
  }
  const watched = 'disk use is watched, and warned about from 80% on, but not limited';
  note(problem('not_enforced', { kind: block.kind, field: 'storage_gb', reason: watched }, at('storage_gb')));
  if (fields.backup_retention_days === 0) {
    const how = 'no backups are made, and what is lost cannot be restored';
    note(problem('enforced_differently', { field: 'backup_retention_days 0', how }, at('backup_retention_days')));
  }
  const root = await plannedServersRoot(context.home, serverUser());
  if (root !== context.home) {
    const how = `its data is kept in ${root}, because the server does not run as root and could not get past ${dirname(context.home)}`;
    note(problem('enforced_differently', { field: `database ${block.name}`, how }, at('name')));
  }
  return problems;
}
