import { createRig } from '../testing/rig.ts';
import type { GatewayKind } from './gateway-under-test.ts';

/** The gateway of this package in this process. */
export const embeddedKind: GatewayKind = {
  name: 'embedded',
  can: {
    keepsSpelling: true,
    tellsConnectTimeout: true,
    tellsLargeHeaders: true,
    repeatsOnClosedConnections: true,

    filtersTrailers: true,
    limitsIdleBodies: true,
    explainsBrokenRequests: true,
    accepts: new Set(),
    policies: true,
    isToldHealth: false,
  },
  create: async (limits = {}) => {
    const rig = await createRig(limits);
    return {
      publicPort: rig.publicPort,
      internalPort: rig.internalPort,
      serve: (handler) => rig.serve(handler),
      route: (...services) => rig.route(...services),
      apply: (table) => rig.gateway.apply(table),
      setHealth: () => {
        throw new Error('it probes instances itself');
      },
      report: () => {
        const { inFlight, instances, listeners } = rig.gateway.report();
        const loads = instances.map(({ environment, service, id, state, inFlight: own }) => ({
          key: `${environment}/${service}/${id}`,
          state,
          inFlight: own,
        }));
        return Promise.resolve({ inFlight, instances: loads, listeners });
      },
      inFlight: (id) => Promise.resolve(rig.inFlight(id)),
      counts: async () => (await rig.gateway.counts()).releases,
      drain: (deadlineMs) => rig.gateway.drain(deadlineMs),
      close: () => rig.close(),
    };
  },
};
