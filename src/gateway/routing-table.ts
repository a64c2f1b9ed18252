import { z } from 'zod';

/**
 * What the gateway is told: complete, self-contained, replaced as a whole. It holds digests of tokens, never tokens.
 * The gateway applies a table atomically and writes it durably before it acknowledges it.
 */
const instanceRoute = z.object({
  id: z.string(),
  host: z.string(),
  port: z.number().int().min(1).max(65535),
  /** A draining instance finishes what it has and gets nothing new. */
  state: z.enum(['active', 'draining']),
});

const backendRoute = z.object({
  /** Of one release there are two when some of its instances are counted by themselves: its id, then `id@` and what they are. */
  release: z.string(),
  /** Share of new requests relative to the other backends' weights; 0 gets none. */
  weight: z.number().min(0),
  instances: z.array(instanceRoute),
  /** Which of so many equal parts of all users it takes its share from, whichever other releases there are. Undefined: by its number. */
  slot: z.object({ index: z.number().int().min(0), of: z.number().int().min(1) }).optional(),
});

const unitSource = z.discriminatedUnion('by', [
  z.object({ by: z.literal('cookie'), name: z.string() }),
  z.object({ by: z.literal('header'), name: z.string() }),
  /** The user as authenticated by the caller: the header `x-sluice-user`, else the subject of a bearer JWT, unverified. */
  z.object({ by: z.literal('user') }),
]);

/** How a request finds its release. */
const split = z.object({
  /** Salts the hash of cohorts: of the service and the rollout. Another salt draws all cohorts anew. */
  salt: z.string(),
  /** What a user is recognised by; a request without it is drawn by itself. Undefined: every request is drawn by itself. */
  affinity: unitSource.optional(),
  /** So many of the first backends own a slot of the users (`splitRanges`). Undefined: all but the last. */
  slots: z.number().int().min(0).optional(),
  /**
   * Name of the request header by which a tester picks a release: its value is a release of `backends`, whatever its weight. Any other value is
   * refused. Undefined: `x-sluice-release`.
   */
  overrideHeader: z.string().optional(),
});

/** A copy of some requests goes to a release whose answer is dropped. */
const mirror = z.object({
  release: z.string(),
  percent: z.number().min(0).max(100),
  /** A request with a larger body is not mirrored. */
  bodyBytes: z.number().int().min(0),
  /** Only requests of these are mirrored. Undefined: all. */
  methods: z.array(z.string()).optional(),
});

const limits = z.object({
  /** Requests one instance works on at a time; the service's limit is this times its ready instances. Undefined: none. */
  concurrency: z.number().int().min(1).optional(),
  /** Requests that wait when the service is at its limit. */
  queue: z.number().int().min(0),
  /** After so long in the queue a request is refused. */
  queueMs: z.number().min(0),
  /** Of requests from the public; a call of another service has its caller's. Who waits least and is refused last. */
  priority: z.enum(['critical', 'normal', 'low']),
});

const rateLimit = z.object({
  /** What is counted separately: the client's address, the calling service, or the value of a request header (absent: one key). */
  key: z.discriminatedUnion('by', [
    z.object({ by: z.literal('client') }),
    z.object({ by: z.literal('caller') }),
    z.object({ by: z.literal('header'), name: z.string() }),
  ]),
  requests: z.number().int().min(1),
  perMs: z.number().min(1),
  /** Requests that may come at once after a pause. */
  burst: z.number().int().min(1),
});

const cache = z.object({
  /** How long an answer is used that does not say so itself. */
  ttlMs: z.number().min(0),
  /** Not POST: what it asks for is in its body, which is not known when the cache is asked. */
  methods: z.array(z.enum(['GET', 'HEAD'])),
  /** Request headers that make a difference, whether the answer says so or not. */
  vary: z.array(z.string()),
  /** Bytes of all kept answers of the service. */
  maxBytes: z.number().int().min(0),
});

const outliers = z.object({
  /** Failures in a row after which an instance is ejected. */
  consecutiveFailures: z.number().int().min(1),
  /** First ejection; the next ones last longer, up to ten times this. */
  ejectionMs: z.number().min(0),
  /** Never more than this share of a release's instances at once. */
  maxEjectedPercent: z.number().min(0).max(100),
});

/** What is counted for the judgement of a rollout. */
const evidence = z.object({
  /** Of the rollout: counts of another id start at zero. */
  id: z.string(),
  /** Latencies (ms) of which it is counted how many requests exceed them. */
  latencyThresholdsMs: z.array(z.number()),
  /** Attribute of the answer header `x-sluice-attributes` whose values are counted. */
  attribute: z.string().optional(),
  /** Of the same header: how many units have this value of this attribute. */
  counted: z
    .array(z.object({ attribute: z.string(), value: z.string() }))
    .max(16)
    .optional(),
  /** The chance of a unit that went to one of these is that of the draw among these alone. Undefined: among all. */
  compared: z.array(z.string()).optional(),
  /**
   * What is compared is not which release answered but which variant of a flag it says it was served: an attribute of the answer. Units are
   * counted as of the release `variant` or `others`, with the chance the flag drew with. Those without the attribute do not count,
   * and nobody does while there is no chance: it is changing. Another chance under the same id is another draw of the same units.
   */
  byVariant: z.object({ attribute: z.string(), variant: z.string(), probability: z.number().min(0).max(1).optional() }).optional(),
});

/** What is counted of an experiment: of each unit the first outcome that says the attribute, as long as the id is the same. */
const experiment = z.object({
  /** Another than that of `evidence`. */
  id: z.string(),
  attribute: z.string(),
});

export const serviceRoute = z.object({
  environment: z.string(),
  name: z.string(),
  /** Public routes; empty for a service only others may call. The longest matching path prefix wins. */
  expose: z.array(
    z.object({
      host: z.string(),
      path: z.string(),
      /** Requests that come this way go to this release alone, whatever its weight, and are no draw. Without it, the route is none. */
      release: z.string().optional(),
    }),
  ),
  /** Services of the same environment this one may call on the internal listener. */
  calls: z.array(z.string()),
  /** SHA-256 (hex) of each token this service may identify itself with; two while a token is rotated. */
  tokenDigests: z.array(z.string()),
  health: z.object({ path: z.string().optional(), intervalMs: z.number(), timeoutMs: z.number() }),
  /** The stable release is the last one: cohorts of those before it only grow as their weight does. */
  backends: z.array(backendRoute),
  split: split.optional(),
  mirror: mirror.optional(),
  limits: limits.optional(),
  rateLimits: z.array(rateLimit).optional(),
  cache: cache.optional(),
  /** Undefined: 5 failures, 10 s, 50 %. */
  outliers: outliers.optional(),
  /** A new instance's share grows to the full one over so long. Undefined: at once. */
  slowStartMs: z.number().min(0).optional(),
  /** Retries per request that may be made on top, as a share of the requests of the last ten seconds. Undefined: 0.2. */
  retryBudget: z.number().min(0).max(1).optional(),
  evidence: evidence.optional(),
  experiment: experiment.optional(),
});

/** Where a listener's certificates are: PEM files, read anew when they change. */
const certificate = z.object({ hosts: z.array(z.string()), certificateFile: z.string(), keyFile: z.string() });

const acme = z.object({
  directoryUrl: z.string(),
  email: z.string().optional(),
  /** Certificates (PEM) of an authority whose directory is not signed by a public one. */
  caFile: z.string().optional(),
  /** Names to get certificates for, beside those given as files. */
  hosts: z.array(z.string()),
});

/** Encrypted twin of a public listener, with HTTP/2. */
const tlsListener = z.object({ port: z.number().int(), certificates: z.array(certificate), acme: acme.optional() });

const listener = z.object({
  environment: z.string(),
  host: z.string(),
  port: z.number().int(),
  tls: tlsListener.optional(),
  /** Whether plain requests are sent on to the encrypted listener (308). */
  redirectToTls: z.boolean().optional(),
});

export const routingTable = z.object({
  /** Grows by one with every table; an older table is refused. */
  version: z.number().int().min(0),
  /** One public listener per environment, so that environments of one stack may expose the same host. */
  listeners: z.array(listener),
  /** Which data plane serves. `auto`: HAProxy when its binary is on PATH and can be used. Undefined: `auto`. */
  engine: z.enum(['auto', 'embedded', 'haproxy']).optional(),
  services: z.array(serviceRoute),
});

export type InstanceRoute = z.infer<typeof instanceRoute>;
export type BackendRoute = z.infer<typeof backendRoute>;
export type SplitRoute = z.infer<typeof split>;

export type LimitsRoute = z.infer<typeof limits>;
export type RateLimitRoute = z.infer<typeof rateLimit>;
export type CacheRoute = z.infer<typeof cache>;
export type OutliersRoute = z.infer<typeof outliers>;
export type EvidenceRoute = z.infer<typeof evidence>;
export type ListenerRoute = z.infer<typeof listener>;
export type ServiceRoute = z.infer<typeof serviceRoute>;
export type RoutingTable = z.infer<typeof routingTable>;
