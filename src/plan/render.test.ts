import { describe, expect, it } from 'vitest';
import { computePlan } from './compute.ts';
import { renderPlan } from './render.ts';
import { block, desired, inputs, recorded, refersTo } from './testdata/resources.ts';

const group = block('resource_group', 'main', { location: 'eastus' });
const database = (fields: object) => block('database', 'db', { version: '15', ...fields });
const service = block('service', 'web', { env: { URL: '${database.db.url}' } }, [refersTo('env.URL', 'database', 'db', 'url')]);
const text = (...given: Parameters<typeof inputs>) => renderPlan(computePlan(inputs(...given)), { color: false });

describe('a rendered plan', () => {
  it('shows every kind of change with its fields, reasons and dangers', () => {
    const newer = desired(database({ version: '16', storage_gb: 256 }), { replaceFields: ['version'] });
    const held = [recorded(service), recorded(database({ tier: 'basic' })), recorded(block('cache', 'old'))];
    expect(
      text([desired(service, { fingerprint: { source: 'sha256:2' } }), newer, desired(group)], held, {
        allowDestroy: [newer.block.address],
      }),
    ).toBe(
      [
        'Environment production',
        '',
        '-/+ database/db  replace (version cannot change in place) ! downtime, high risk',
        '        delete, create: downtime (its provider keeps one database of a name)',
        '        storage_gb  256  (added)',
        '        tier        "basic"  (removed)',
        '        version     "15" -> "16"  # forces replacement',
        '',
        '  + resource_group/main  create',
        '        location  "eastus"',
        '',
        '  - cache/old  delete (no longer in the stack)',
        '',
        '  ~ service/web  update in place (content of source changed; env.URL follows a dependency)  after database/db',
        '        source   content changed',
        '        env.URL  ${database.db.url}  # value known after apply',
        '',
        'High risk, data is lost or may be: database/db.',
        'Medium risk: cache/old.',
        'Downtime: database/db.',
        'Plan: 1 to create, 1 to update, 1 to replace, 1 to delete, 0 unchanged.',
        '',
      ].join('\n'),
    );
  });

  it('says which way a new release goes and what that costs, where there is one', () => {
    const cost = { extra: { least: 1, most: 4 }, forMs: 600_000, instanceMinutes: 15, words: '1 to 4 instances more' };
    const rollout = { strategy: 'canary', because: 'minor version, prompt changed: canary 5', way: '5 %, then 100 %', cost };
    const said = [
      '        rollout, chosen: minor version, prompt changed: canary 5',
      '          5 %, then 100 %',
      '          costs 1 to 4 instances more',
    ];
    const changed = desired(service, { fingerprint: { source: 'sha256:2' }, rollout });
    expect(text([changed], [recorded(service)])).toContain(said.join('\n'));
    expect(text([desired(service, { rollout })], [recorded(service)])).not.toContain('rollout');
    const { because: _, ...declared } = rollout;
    const shown = text([desired(service, { fingerprint: { source: 'sha256:2' }, rollout: declared })], [recorded(service)]);
    expect(shown).toContain('        rollout by canary\n          5 %, then 100 %');
  });

  it('leaves out what only fills the page: defaults of new resources and notes on unchanged ones', () => {
    const quiet = { ...group, declares: (path: string) => path !== 'location' };
    expect(text([desired(quiet, { fingerprint: { source: 'sha256:1' } })])).not.toMatch(/location|source +/);
    const note = { severity: 'note', code: 'plan_refused', message: 'not enforced here.', help: '', address: group.address } as const;
    expect(text([desired(group)], [recorded(group)], { problems: [note] })).not.toContain('not enforced');
    expect(text([desired(group)], [], { problems: [note] })).toContain('not enforced');
  });

  it('names files below the given folder relative to it', () => {
    const position = { file: '/home/me/shop/stack.yaml', line: 4, column: 3 };
    const note = { severity: 'warning', code: 'plan_refused', message: 'careful.', help: '', position } as const;
    const plan = computePlan(inputs([desired(service)], [], { problems: [note] }));
    const shown = renderPlan(plan, { color: false, folder: '/home/me/' });
    expect(shown).toContain('warning shop/stack.yaml:4:3 careful.');
  });

  it('says that there is nothing to do', () => {
    expect(text([desired(group)], [recorded(group)])).toBe(
      'Environment production\n\nNo changes. The 1 resource is as the stack declares.\n',
    );
    expect(text([], [], { mode: 'destroy' })).toContain('No changes. Nothing is left to destroy.');
  });

  it('does not say of a plan that only refreshes that all is as the stack declares, and shows what it cannot record', () => {
    const stopped = { status: 'present', drift: [{ field: 'settings.size', applied: 2, observed: 9 }] } as const;
    const shown = text([desired(service)], [recorded(group, {}, stopped)], { refreshOnly: true });
    expect(shown).not.toContain('as the stack declares');
    expect(shown).toContain('settings.size is 9, which a record has no place for.');
  });

  it('shows drift as it was found and notes below the changes', () => {
    const drift = [{ field: 'state', applied: 'running', observed: 'stopped' }];
    const note = {
      severity: 'note',
      code: 'plan_refused',
      message: 'memory is not enforced here.',
      help: '',
      position: { file: 'stack.yaml', line: 4, column: 3 },
    } as const;
    const shown = text([desired(group)], [recorded(group, {}, { status: 'present', drift })], { problems: [note] });
    expect(shown).toContain(
      '  ~ resource_group/main  update in place (stopped)\n        state  "stopped" -> "running"  # changed outside\n',
    );
    expect(shown).toContain('note stack.yaml:4:3 memory is not enforced here.\n\nPlan: ');
  });

  it('says of what was taken back that there will be no rollout, and of other drift what made it', () => {
    const drift = [{ field: 'release', applied: 'r-2', observed: 'r-1', because: 'taken back by its rollout' }];
    const { changes, ...plan } = computePlan(inputs([desired(group)], [recorded(group, {}, { status: 'present', drift })]));
    const cost = { extra: { least: 1, most: 1 }, forMs: 0, instanceMinutes: 0, words: '1 instance more' };
    const rollout = { strategy: 'canary', way: '20 %, then 100 %', refused: 'r-2 was taken back', cost };
    expect(renderPlan({ ...plan, changes: changes.map((change) => Object.assign({}, change, { rollout })) }, { color: false })).toContain(
      `  ~ resource_group/main  is refused (release taken back by its rollout)
        release  "r-1" -> "r-2"  # taken back by its rollout
        no rollout: r-2 was taken back

An apply fails at resource_group/main, as it is.
`,
    );
  });

  it('cannot be used to steer the terminal', () => {
    const shown = text([desired(block('service', 'web', { note: '\u001b[2J\u009b31m\u202e' }))]);
    expect(shown).toContain(String.raw`"\u001b[2J\u009b31m\u202e"`);
  });

  it('hides secrets even in a plan that holds them', () => {
    const plan = computePlan(inputs([desired(block('secret', 'key', { value: { env: 'NAME' } }))]));
    const leaking = plan.changes.map((change) =>
      Object.assign({}, change, { fields: [{ path: 'value', after: 'canary', origin: 'stack' }] }),
    );
    const shown = renderPlan({ ...plan, changes: leaking }, { color: false });
    expect(shown).not.toContain('canary');
    expect(shown).toContain('value  (secret)');
  });

  it('is coloured only when asked', () => {
    const plan = computePlan(inputs([desired(group)]));
    expect(renderPlan(plan, { color: true })).toContain('\u001b[32m');
    expect(renderPlan(plan, { color: false })).not.toContain('\u001b');
  });
});
