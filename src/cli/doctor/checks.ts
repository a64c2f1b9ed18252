import { existsSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { toSluiceError } from '../../errors/sluice-error.ts';
import { findProgram, programsFor } from '../../providers/local/cache/cache-server.ts';
import { findInstallations, howToInstall } from '../../providers/local/database/installations.ts';
import { cgroupSupport } from '../../providers/local/machine/cgroup-support.ts';
import { createEngine } from '../../providers/docker/engine.ts';
import { engineAddress } from '../../providers/docker/engine-address.ts';
import { canListenOn } from '../../providers/local/machine/loopback.ts';
import { install, type Finding } from './finding.ts';
import type { Machine } from './machine.ts';

const gibibyte = 1024 ** 3;
const enoughDisk = 2 * gibibyte;
const engineTimeoutMs = 3_000;
const oldestNode = [22, 18] as const;

/** Everything `sluice doctor` looks at, by the very functions the local provider uses. Never rejects because something is missing. */
export async function examine(machine: Machine): Promise<readonly Finding[]> {
  return Promise.all([
    Promise.resolve(node(machine)),
    Promise.resolve(home(machine)),
    Promise.resolve(disk(machine)),
    postgres(machine),
    cache(machine),
    containers(machine),
    Promise.resolve(cgroups(machine)),
    loopback(machine),
  ]);
}

function node({ nodeVersion }: Machine): Finding {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  const ok = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
  return {
    name: 'Node',
    state: ok ? 'ok' : 'missing',
    found: nodeVersion,
    neededFor: `Sluice itself and services that run \`node\` (${oldestNode.join('.')} or newer)`,
    remedy: ok ? [] : install({ npm: 'node@24' }),
  };
}

function home({ home }: Machine): Finding {
  const finding = { name: 'SLUICE_HOME', neededFor: 'state, keys and data, for this user alone' };
  const found = statSync(home, { throwIfNoEntry: false });
  if (found === undefined) return { ...finding, state: 'ok', found: `${home} (not there yet)`, remedy: [] };
  if (!found.isDirectory()) return { ...finding, state: 'missing', found: `${home} is not a folder`, remedy: [`mv ${home} ${home}.old`] };
  const own = process.getuid?.();
  if (own !== undefined && found.uid !== own) {
    return { ...finding, state: 'missing', found: `${home} belongs to user ${found.uid}`, remedy: [`sudo chown -R ${own} ${home}`] };
  }
  const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
  // The group may pass through: a database server that has dropped root reaches its own folder that way.
  if ((found.mode & 0o067) !== 0) {
    return { ...finding, state: 'limited', found: `${home} is open to others (mode ${mode})`, remedy: [`chmod 700 ${home}`] };
  }
  return { ...finding, state: 'ok', found: `${home} (mode ${mode})`, remedy: [] };
}

function disk({ home }: Machine): Finding {
  let folder = home;
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  return {
    name: 'disk',
    state: free >= enoughDisk ? 'ok' : 'limited',
    found: `${(free / gibibyte).toFixed(1)} GiB free`,
    neededFor: 'databases, releases and logs',
    remedy: free >= enoughDisk ? [] : ['Free some space, or put the state elsewhere: SLUICE_HOME=/larger/disk/sluice'],
  };
}

async function postgres({ root, searchPath }: Machine): Promise<Finding> {
  const installations = await findInstallations(root, searchPath);
  const versions = [...new Set(installations.map(({ version }) => version))].toSorted(
    (a, b) => Number.parseFloat(a) - Number.parseFloat(b),
  );
  return {
    name: 'PostgreSQL',
    state: versions.length > 0 ? 'ok' : 'limited',
    found: versions.length > 0 ? versions.join(', ') : 'none',
    neededFor: 'database blocks; the declared major version has to be here',
    remedy: versions.length > 0 ? [] : [howToInstall('15')],
  };
}

async function cache({ searchPath, firstLineOf, platform }: Machine): Promise<Finding> {
  const found = findProgram(programsFor('Redis'), searchPath);
  const line = found === undefined ? undefined : await firstLineOf(found, '--version');
  return {
    name: 'Redis or Valkey',
    state: found === undefined ? 'limited' : 'ok',
    found:
      found === undefined
        ? 'neither redis-server nor valkey-server is on PATH'
        : `${found}${line === undefined ? '' : ` (${line.slice(0, 60)})`}`,
    neededFor: 'cache blocks',
    remedy: found === undefined ? install({ apt: 'redis-server', brew: 'redis' }, platform) : [],
  };
}

async function containers({ environment }: Machine): Promise<Finding> {
  const finding = { name: 'Docker', neededFor: 'services with an `image`' };
  try {
    const { text, by } = engineAddress(environment);
    const { body } = await createEngine(environment).call('GET', '/version', { timeoutMs: engineTimeoutMs });
    const version = (body as { Version?: unknown } | undefined)?.Version;
    return {
      ...finding,
      state: 'ok',
      found: `${typeof version === 'string' ? version : 'an engine that does not say its version'} at ${text} (${by})`,
      remedy: [],
    };
  } catch (thrown) {
    const { message, help } = toSluiceError(thrown);
    return { ...finding, state: 'limited', found: message, remedy: [help] };
  }
}

function cgroups({ platform }: Machine): Finding {
  const support = cgroupSupport();
  const enforced = support.version !== 'none';
  return {
    name: 'control groups',
    state: enforced ? 'ok' : 'limited',
    found: enforced ? `version ${support.version}, ours to change` : support.reason,
    neededFor: 'enforcing CPU and memory of virtual machines; without them limits are only accounted',
    remedy: enforced || platform !== 'linux' ? [] : ['systemd-run --user --scope --property=Delegate=yes sluice up'],
  };
}

async function loopback({ platform }: Machine): Promise<Finding> {
  const address = '127.0.0.4';
  const ok = await canListenOn(address);
  return {
    name: 'loopback addresses',
    state: ok ? 'ok' : 'limited',
    found: ok ? `${address} can be listened on` : `only 127.0.0.1 can be listened on`,
    neededFor: 'an address of its own for every virtual machine; otherwise they share 127.0.0.1',
    remedy: ok || platform !== 'darwin' ? [] : [`sudo ifconfig lo0 alias ${address} up`],
  };
}
