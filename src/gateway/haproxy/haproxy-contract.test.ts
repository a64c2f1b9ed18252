import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../effects/clock.ts';
import { describeWith } from '../../testing/requires.ts';
import { describeGatewayContract } from '../contract/describe-gateway-contract.ts';
import { planeKind } from '../contract/plane-kind.ts';
import { silentLog } from '../log.ts';
import { haproxyCapabilities } from '../contract/haproxy-capabilities.ts';
import { createHaproxyPlane } from './plane.ts';

describeWith('haproxy', 'the plane by HAProxy', (binary) => {
  const kind = planeKind('haproxy', haproxyCapabilities, async (limits) => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-haproxy-'));
    const plane = await createHaproxyPlane({ binary, folder, clock: systemClock, log: silentLog, limits, threads: 2 });
    return { plane, remove: () => rm(folder, { recursive: true, force: true }) };
  });
  describeGatewayContract(kind);
});
