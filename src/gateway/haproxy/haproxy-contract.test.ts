import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWith } from '../../testing/requires.ts';
import { describeGatewayContract } from '../contract/describe-gateway-contract.ts';
import { planeKind } from '../contract/plane-kind.ts';
import { haproxyCapabilities } from '../contract/haproxy-capabilities.ts';
import { openPlane, releasesOf } from './testing/open-plane.ts';

describeWith('haproxy', 'the plane by HAProxy', (binary) => {
  const kind = planeKind('haproxy', haproxyCapabilities, async (limits) => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-haproxy-'));
    const plane = await openPlane(binary, folder, limits, { threads: 2 });
    return { plane, counts: () => releasesOf(plane), remove: () => rm(folder, { recursive: true, force: true }) };
  });
  describeGatewayContract(kind);
});
