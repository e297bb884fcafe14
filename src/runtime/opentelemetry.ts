// OpenTelemetry's SDK: spans and metrics by OTLP over HTTP to the configured collector. Only this file and metrics-bridge.ts import its
// packages; telemetry.ts loads it when an endpoint is set. Nothing is registered globally.
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import {
  type Attributes,
  type Tracer as OtelTracer,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader, type PushMetricExporter } from '@opentelemetry/sdk-metrics';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  type IdGenerator,
  ParentBasedSampler,
  RandomIdGenerator,
  type Sampler,
  SamplingDecision,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Registry } from 'prom-client';
import { placeOf, type Traceparent, traceparentOf } from '#domain/trace.ts';
import type { Egress, Proxy } from './egress.ts';
import { hrTimeOf, MetricsBridge } from './metrics-bridge.ts';
import type { SamplerSettings, SignalSettings, TelemetrySettings } from './telemetry-settings.ts';
import type { OpenSpan, SpanAttributes, SpanStart, Tracer } from './tracing.ts';
import { Tunnel } from './tunnel.ts';

export interface ExportOptions {
  readonly settings: TelemetrySettings;
  readonly registry: Registry;
  readonly egress: Egress;
  readonly version: string;
  readonly instanceId: string;
  readonly startedAtMs: number;
  readonly nowMs: () => number;
  /** Called with the end of every export; undefined: it arrived. */
  readonly onExported: (signal: 'traces' | 'metrics', failure: Error | undefined) => void;
}

export interface Exporting {
  /** Undefined if no traces are exported. */
  readonly tracer: Tracer | undefined;
  /** Sends what is left. May take as long as the collector takes: the caller must limit a stop. */
  shutdown(): Promise<void>;
}

const scope = 'ivs-autopilot';

/** Begins to export. */
export function startExporting(options: ExportOptions): Exporting {
  const { settings, version, instanceId } = options;
  const resource = defaultResource().merge(
    resourceFromAttributes({
      'service.version': version,
      'service.instance.id': instanceId,
      ...settings.resource,
    }),
  );
  const spans = settings.traces && new SdkTracer(options, settings.traces, resource);
  const reader = settings.metrics && metricReader(options, settings.metrics);
  const meters = reader && new MeterProvider({ resource, readers: [reader] });
  return {
    tracer: spans,
    shutdown: async () => {
      await Promise.allSettled([spans?.shutdown(), meters?.shutdown()]);
    },
  };
}

function metricReader(options: ExportOptions, signal: SignalSettings): PeriodicExportingMetricReader {
  const { settings, registry, version, startedAtMs, nowMs, onExported } = options;
  const exporter = new OTLPMetricExporter(exporterOptions(signal, options.egress));
  const told: PushMetricExporter = {
    export: (metrics, done) =>
      exporter.export(metrics, (result) => {
        onExported('metrics', failureIn(result));
        done(result);
      }),
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  };
  return new PeriodicExportingMetricReader({
    exporter: told,
    ...settings.metricReader,
    metricProducers: [new MetricsBridge({ registry, scope: { name: scope, version }, startedAtMs, nowMs })],
  });
}

const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

class SdkTracer implements Tracer {
  readonly propagates: boolean;
  readonly #provider: TracerProvider;
  readonly #tracer: OtelTracer;
  readonly #ids = new GivenIds();
  readonly #sampler: Sampler;

  constructor(options: ExportOptions, signal: SignalSettings, resource: ReturnType<typeof defaultResource>) {
    const { settings, egress, version, onExported } = options;
    const exporter = new OTLPTraceExporter(exporterOptions(signal, egress));
    const told: SpanExporter = {
      export: (spans, done) =>
        exporter.export(spans, (result) => {
          onExported('traces', failureIn(result));
          done(result);
        }),
      forceFlush: () => exporter.forceFlush(),
      shutdown: () => exporter.shutdown(),
    };
    this.propagates = settings.propagates;
    this.#sampler = samplerOf(settings.sampler);
    this.#provider = new TracerProvider({
      resource,
      sampler: this.#sampler,
      idGenerator: this.#ids,
      spanLimits: { attributeValueLengthLimit: 512 },
      spanProcessors: [new BatchSpanProcessor({ exporter: told, ...settings.batch })],
    });
    this.#tracer = this.#provider.getTracer(scope, version);
  }

  root(): Traceparent {
    const traceId = this.#ids.generateTraceId();
    const { decision } = this.#sampler.shouldSample(ROOT_CONTEXT, traceId, 'root', SpanKind.INTERNAL, {}, []);
    const isSampled = decision === SamplingDecision.RECORD_AND_SAMPLED;
    return traceparentOf({ traceId, spanId: this.#ids.generateSpanId(), isSampled });
  }

  start({ name, kind = 'internal', attributes, parent, links, startMs, self }: SpanStart): OpenSpan {
    const parentContext = contextOf(parent);
    const span = this.#ids.giving(self, () =>
      this.#tracer.startSpan(
        name,
        {
          kind: kinds[kind],
          attributes: known(attributes),
          links: links.flatMap((link) => {
            const context = contextOf(link);
            return context ? [{ context }] : [];
          }),
          startTime: hrTimeOf(startMs),
        },
        parentContext ? trace.setSpanContext(ROOT_CONTEXT, parentContext) : ROOT_CONTEXT,
      ),
    );
    const { traceId, spanId, traceFlags } = span.spanContext();
    return {
      traceparent: traceparentOf({ traceId, spanId, isSampled: (traceFlags & TraceFlags.SAMPLED) !== 0 }),
      set: (more) => void span.setAttributes(known(more)),
      end: (endMs, failedWith) => {
        if (failedWith !== undefined)
          span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', failedWith);
        span.end(hrTimeOf(Math.max(startMs, endMs)));
      },
    };
  }

  shutdown(): Promise<void> {
    return this.#provider.shutdown();
  }
}

/** Random ids, except for a span whose id was chosen before it was made. */
class GivenIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  #given: Pick<SpanContext, 'traceId' | 'spanId'> | undefined;

  giving<T>(self: Traceparent | undefined, make: () => T): T {
    this.#given = placeOf(self);
    try {
      return make();
    } finally {
      this.#given = undefined;
    }
  }

  generateTraceId(): string {
    return this.#given?.traceId ?? this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.#given?.spanId ?? this.#random.generateSpanId();
  }
}

function contextOf(traceparent: Traceparent | undefined): SpanContext | undefined {
  const place = placeOf(traceparent);
  if (!place) return undefined;
  const { traceId, spanId, isSampled } = place;
  return { traceId, spanId, traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true };
}

function known(attributes: SpanAttributes = {}): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}

function samplerOf({ kind, ratio, isParentBased }: SamplerSettings): Sampler {
  const root =
    kind === 'always_on'
      ? new AlwaysOnSampler()
      : kind === 'always_off'
        ? new AlwaysOffSampler()
        : new TraceIdRatioBasedSampler(ratio);
  return isParentBased ? new ParentBasedSampler({ root }) : root;
}

function failureIn({ code, error }: { readonly code: number; readonly error?: Error }): Error | undefined {
  return code === 0 ? undefined : (error ?? new Error('not taken'));
}

function exporterOptions(signal: SignalSettings, egress: Egress) {
  const { url, headers, timeoutMs, compression, tls } = signal;
  return {
    url: url.href,
    headers,
    timeoutMillis: timeoutMs,
    compression: compression as never,
    concurrencyLimit: 2,
    httpAgentOptions: () => agentFor(url, { tls, timeoutMs, proxy: egress.routeTo(url).proxy }),
  };
}

/**
 * An agent whose connections serve one export and end with its deadline: the exporter only limits silence, and a collector that sends
 * slowly is never silent.
 */
function agentFor(
  { protocol }: URL,
  {
    tls,
    timeoutMs,
    proxy,
  }: { readonly tls: SignalSettings['tls']; readonly timeoutMs: number; readonly proxy: Proxy | undefined },
): HttpAgent | HttpsAgent {
  const secure = protocol === 'https:';
  const bounded = <S extends Duplex | null | undefined>(socket: S): S => {
    const late = () => socket?.destroy(new Error(`no whole answer within ${timeoutMs} ms`));
    const timer = setTimeout(late, timeoutMs).unref();
    socket?.once('close', () => clearTimeout(timer));
    return socket;
  };
  if (proxy) {
    const tunnel = new Tunnel(proxy, { ...tls, secure, openWithinMs: 0.8 * timeoutMs });
    const connect = tunnel.connect.bind(tunnel);
    tunnel.connect = async (...request) => bounded(await connect(...request));
    return tunnel;
  }
  const agent = secure ? new HttpsAgent({ ...tls }) : new HttpAgent();
  const create = agent.createConnection.bind(agent);
  agent.createConnection = (...request) => bounded(create(...request));
  return agent;
}
