/** A span as OTLP writes it in JSON. https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  /** 2: server. */
  readonly kind: 2;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly OtlpAttribute[];
  /** 2: error, 0: not set. */
  readonly status: { readonly code: 0 | 2 };
}

export interface OtlpAttribute {
  readonly key: string;
  readonly value: { readonly stringValue: string } | { readonly intValue: string };
}

/** Sends spans in batches, in the background. */
export interface SpanExporter {
  /** Never waits: beyond the bound the span is dropped and counted. */
  add(span: OtlpSpan): void;
  dropped(): number;
  /** Sends what is left, within the time limit of one request. */
  close(): Promise<void>;
}

export interface OtlpOptions {
  /** Full address: `http://collector:4318/v1/traces`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly resource: Readonly<Record<string, string>>;
  readonly maxQueued?: number;
  readonly maxBatch?: number;
  readonly everyMs?: number;
  readonly timeoutMs?: number;
  /** Told once when sending begins to fail. */
  readonly onError: (reason: string) => void;
}

/** Answers after which the same batch may be sent again (OTLP/HTTP, "Retryable Response Codes"). */
const retryable = new Set([429, 502, 503, 504]);

/** OTLP/HTTP in JSON. One request at a time; a batch that fails in a way that passes is tried once more. */
export function createOtlpExporter(options: OtlpOptions): SpanExporter {
  const { url, headers, resource, maxQueued = 2_048, maxBatch = 512, everyMs = 5_000, timeoutMs = 10_000, onError } = options;
  let queue: OtlpSpan[] = [];
  let lost = 0;
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<boolean> | undefined;
  let isFailing = false;

  const post = async (spans: readonly OtlpSpan[]): Promise<string | undefined> => {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'error',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(requestOf(spans, resource)),
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    if (response.ok) return undefined;
    if (retryable.has(response.status)) throw new Error(`status ${response.status}`);
    return `status ${response.status}`;
  };

  /** Whether it was taken. */
  const send = async (): Promise<boolean> => {
    const batch = queue.slice(0, maxBatch);
    queue = queue.slice(maxBatch);
    const failure = await post(batch)
      .catch(() => post(batch))
      .catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
    if (failure !== undefined) {
      lost += batch.length;
      if (!isFailing) onError(failure);
    }
    isFailing = failure !== undefined;
    return !isFailing;
  };

  const flush = (): Promise<boolean> => {
    clearTimeout(timer);
    timer = undefined;
    sending ??= send().finally(() => {
      sending = undefined;
      if (queue.length >= maxBatch) void flush();
      else if (queue.length > 0) later();
    });
    return sending;
  };

  const isBusy = (): boolean => sending !== undefined || queue.length > 0;

  const later = (): void => {
    timer ??= setTimeout(() => void flush(), everyMs).unref();
  };

  return {
    add: (span) => {
      if (queue.length >= maxQueued) {
        lost += 1;
        return;
      }
      queue.push(span);
      if (queue.length >= maxBatch) void flush();
      else later();
    },
    dropped: () => lost,
    close: async () => {
      await sending;
      let isTaken = true;
      while (isTaken && isBusy()) isTaken = await flush();
      lost += queue.length;
      queue = [];
      clearTimeout(timer);
    },
  };
}

function requestOf(spans: readonly OtlpSpan[], resource: Readonly<Record<string, string>>): unknown {
  const attributes: OtlpAttribute[] = Object.entries(resource).map(([key, stringValue]) => ({ key, value: { stringValue } }));
  return { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ scope: { name: 'sluice.gateway' }, spans }] }] };
}
