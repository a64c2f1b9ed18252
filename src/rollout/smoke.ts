import { jsonEquals, type Json } from '../digest/json.ts';
import type { ServiceRoute } from '../gateway/routing-table.ts';
import { capacityFor } from './course.ts';
import { isServing } from './placement.ts';
import { overrideHeader, routeOf } from './service-route.ts';
import { revisionOf, type ServiceState } from './service-state.ts';
import type { Command, Observation } from './strategy.ts';
import type { TesterRoute } from './traffic.ts';

/**
 * The smoke check of the whole set: each instance by itself, and the release as requests will reach it, through the gateway, which may fail where
 * no instance does (a host name it does not know, a path that is exposed otherwise). It is made once everything is ready and the gateway is known to route so.
 */
export function smokeCommands(state: ServiceState, observation: Observation): Command[] {
  const { candidate, settings } = state;
  const check = settings.rollout.smoke;
  if (!candidate || !check || candidate.course?.smokePassed === true || observation.smoke !== undefined) return [];
  const mine = state.instances.filter((instance) => instance.generation === candidate.generation && isServing(instance, observation));
  if (mine.length < Math.max(1, capacityFor(100, state))) return [];
  const release = revisionOf(state, candidate.generation)?.release ?? '';
  const routes = routesTo(routeOf(state), release, check.path);
  const known = observation.published ? routesTo(observation.published, release, check.path) : [];
  if (!jsonEquals(routes as unknown as Json, known as unknown as Json)) return [];
  return [{ type: 'smoke', instances: mine.map(({ id }) => id), routes, check }];
}

/**
 * The ways on which a tester reaches a release and this path at the listener of the public: under the host of the service by the header that names
 * the release, and under that of its preview. None for a service that nobody reaches from outside.
 */
function routesTo({ expose, split }: ServiceRoute, release: string, path: string): readonly TesterRoute[] {
  const open = expose.find((each) => each.release === undefined && covers(each.path, path));
  const preview = expose.find((each) => each.release === release && covers(each.path, path));
  return [
    ...(open && split?.overrideHeader === overrideHeader ? [{ host: open.host, headers: { [overrideHeader]: release } }] : []),
    ...(preview ? [{ host: preview.host, headers: {} }] : []),
  ];
}

function covers(prefix: string, path: string): boolean {
  const plain = prefix.replace(/\/+$/, '');
  return path.startsWith(plain) && ['', '/', '?'].includes(path.charAt(plain.length));
}
