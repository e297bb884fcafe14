// What the environment says about OpenTelemetry. Names and defaults are the specification's; what cannot be read is reported and ignored,
// since traces must never keep the daemon from its work.
// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ ,
// https://opentelemetry.io/docs/specs/otel/protocol/exporter/
import { readFileSync } from 'node:fs';
import { messageOf } from '#domain/errors.ts';
import type { Environment } from './egress.ts';

/** The packages that an endpoint needs, in matching versions; the optional peers of package.json. */
export const telemetryPackages: Readonly<Record<string, string>> = {
  '@opentelemetry/api': '1.10.0',
  '@opentelemetry/exporter-metrics-otlp-proto': '0.301.0',
  '@opentelemetry/exporter-trace-otlp-proto': '0.301.0',
  '@opentelemetry/resources': '3.1.0',
  '@opentelemetry/sdk-metrics': '3.1.0',
  '@opentelemetry/sdk-trace': '3.1.0',
};

/** The command that installs them beside ivs-autopilot. */
export const installCommand = `npm install ${Object.entries(telemetryPackages)
  .map(([name, version]) => `${name}@${version}`)
  .join(' ')}`;

/** Where one signal is sent. */
export interface SignalSettings {
  readonly url: URL;
  /** Usually secrets. */
  readonly headers: Readonly<Record<string, string>>;
  /** For one export, including all its attempts. */
  readonly timeoutMs: number;
  readonly compression: 'gzip' | 'none';
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
}

export interface SamplerSettings {
  readonly kind: 'always_on' | 'always_off' | 'traceidratio';
  /** 0 to 1; for `traceidratio`. */
  readonly ratio: number;
  /** The sampling decision of a trace that others began is kept. */
  readonly isParentBased: boolean;
}

export interface TelemetrySettings {
  readonly traces: SignalSettings | undefined;
  readonly metrics: SignalSettings | undefined;
  readonly sampler: SamplerSettings;
  readonly batch: {
    readonly maxQueueSize: number;
    readonly maxExportBatchSize: number;
    readonly scheduledDelayMillis: number;
    readonly exportTimeoutMillis: number;
  };
  readonly metricReader: { readonly exportIntervalMillis: number; readonly exportTimeoutMillis: number };
  /** Whether messages carry `traceparent`. */
  readonly propagates: boolean;
  readonly resource: Readonly<Record<string, string>>;
}

export interface ReadSettings {
  /** Undefined: nothing is set, or everything is disabled. */
  readonly settings: TelemetrySettings | undefined;
  /** Sentences that name the variable, but never its value, which may be a secret. */
  readonly problems: readonly string[];
}

type Signal = 'TRACES' | 'METRICS';

/** Node has no longer timer. */
const longestMs = 2 ** 31 - 1;
const samplers = /^(parentbased_)?(always_on|always_off|traceidratio)$/;

/** Reads the variables. Never throws. */
export function readTelemetrySettings(env: Environment): ReadSettings {
  const reader = new EnvironmentReader(env);
  if (reader.text('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return { settings: undefined, problems: [] };
  const traces = reader.signal('TRACES', 'v1/traces');
  const metrics = reader.signal('METRICS', 'v1/metrics');
  if (!traces && !metrics) return { settings: undefined, problems: reader.problems };
  const maxQueueSize = reader.number('OTEL_BSP_MAX_QUEUE_SIZE', 2_048, { most: 65_536 });
  const everyMs = reader.number('OTEL_METRIC_EXPORT_INTERVAL', 60_000);
  const temporality = reader.text('OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE')?.toLowerCase();
  if (metrics && temporality !== undefined && temporality !== 'cumulative')
    reader.problem(
      'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE asks for what is not offered: metrics are cumulative',
    );
  const propagators = reader.list('OTEL_PROPAGATORS');
  return {
    settings: {
      traces,
      metrics,
      sampler: reader.sampler(),
      batch: {
        maxQueueSize,
        maxExportBatchSize: Math.min(
          maxQueueSize,
          reader.number('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', Math.min(512, maxQueueSize)),
        ),
        scheduledDelayMillis: reader.number('OTEL_BSP_SCHEDULE_DELAY', 5_000),
        exportTimeoutMillis: reader.number('OTEL_BSP_EXPORT_TIMEOUT', 30_000),
      },
      metricReader: {
        exportIntervalMillis: everyMs,
        exportTimeoutMillis: Math.min(everyMs, reader.number('OTEL_METRIC_EXPORT_TIMEOUT', 30_000)),
      },
      propagates: propagators.length === 0 || propagators.includes('tracecontext'),
      resource: reader.resource(),
    },
    problems: reader.problems,
  };
}

class EnvironmentReader {
  readonly problems: string[] = [];
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  problem(sentence: string): undefined {
    if (!this.problems.includes(sentence)) this.problems.push(sentence);
  }

  /** An empty value counts as not set. */
  text(name: string): string | undefined {
    const text = this.#env[name]?.trim();
    return text ? text : undefined;
  }

  list(name: string): readonly string[] {
    return (this.text(name) ?? '')
      .split(',')
      .map((part) => part.trim().toLowerCase())
      .filter((part) => part !== '');
  }

  /** A whole number from 1. */
  number(name: string, initial: number, { most = longestMs }: { readonly most?: number } = {}): number {
    const text = this.text(name);
    if (text === undefined) return initial;
    const value = /^\d{1,10}$/.test(text) ? Number(text) : 0;
    if (value >= 1 && value <= most) return value;
    this.problem(`${name} must be a whole number from 1 to ${most}; ${initial} is used`);
    return initial;
  }

  sampler(): SamplerSettings {
    const name = this.text('OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on';
    const [isKnown, parentBased, kind] = samplers.exec(name.toLowerCase()) ?? [];
    if (isKnown === undefined) {
      this.problem(
        'OTEL_TRACES_SAMPLER names a sampler that is not offered; parentbased_always_on is used. Offered are always_on, always_off and traceidratio, each also with parentbased_ before it',
      );
      return { kind: 'always_on', ratio: 1, isParentBased: true };
    }
    return {
      kind: kind as SamplerSettings['kind'],
      ratio: kind === 'traceidratio' ? this.#ratio() : 1,
      isParentBased: parentBased !== undefined,
    };
  }

  #ratio(): number {
    const text = this.text('OTEL_TRACES_SAMPLER_ARG');
    const ratio = text === undefined ? 1 : Number(text);
    if (ratio >= 0 && ratio <= 1) return ratio;
    this.problem('OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1; 1 is used');
    return 1;
  }

  /** `key=value,key=value`, values percent-encoded; OTEL_SERVICE_NAME overrides the service.name in it. */
  resource(): Readonly<Record<string, string>> {
    const attributes = this.#pairs('OTEL_RESOURCE_ATTRIBUTES');
    const name = this.text('OTEL_SERVICE_NAME') ?? attributes['service.name'] ?? 'ivs-autopilot';
    return { ...attributes, 'service.name': name };
  }

  /** Undefined: it is disabled, has no endpoint, or cannot be sent. */
  signal(signal: Signal, path: string): SignalSettings | undefined {
    const exporters = this.list(`OTEL_${signal}_EXPORTER`);
    if (exporters.length > 0 && !exporters.includes('otlp')) {
      const known = signal === 'METRICS' ? ['none', 'prometheus'] : ['none'];
      const unknown = exporters.find((name) => !known.includes(name));
      if (unknown !== undefined)
        this.problem(`OTEL_${signal}_EXPORTER offers otlp and none; nothing of this signal is exported`);
      return undefined;
    }
    const own = `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`;
    const name = this.text(own) === undefined ? 'OTEL_EXPORTER_OTLP_ENDPOINT' : own;
    const text = this.text(name);
    if (text === undefined) return undefined;
    const url = URL.parse(text);
    if (!url || !['http:', 'https:'].includes(url.protocol))
      return this.problem(`${name} must be an address that begins with http:// or https://; nothing is sent there`);
    if (url.username !== '' || url.password !== '')
      return this.problem(
        `${name} must have no user and password: give them in OTEL_EXPORTER_OTLP_HEADERS; nothing is sent there`,
      );
    const protocol = this.#choice(signal, 'PROTOCOL', ['http/protobuf']);
    if (protocol === 'other')
      return this.problem(
        `OTEL_EXPORTER_OTLP_PROTOCOL: only http/protobuf is offered, which collectors take on port 4318; nothing is sent to ${name}`,
      );
    if (name !== own) url.pathname = `${url.pathname.replace(/\/+$/, '')}/${path}`;
    const tls = this.#tls(signal);
    if (!tls) return undefined;
    return {
      url,
      headers: {
        ...this.#pairs('OTEL_EXPORTER_OTLP_HEADERS'),
        ...this.#pairs(`OTEL_EXPORTER_OTLP_${signal}_HEADERS`),
      },
      timeoutMs: this.number(
        `OTEL_EXPORTER_OTLP_${signal}_TIMEOUT`,
        this.number('OTEL_EXPORTER_OTLP_TIMEOUT', 10_000, { most: 60_000 }),
        { most: 60_000 },
      ),
      compression: this.#compression(signal),
      tls,
    };
  }

  /** The value of a signal's own variable, else of the general one; `other`: a value that is not offered. */
  #choice(signal: Signal, what: string, offered: readonly string[]): string | undefined {
    const value = this.text(`OTEL_EXPORTER_OTLP_${signal}_${what}`) ?? this.text(`OTEL_EXPORTER_OTLP_${what}`);
    return value === undefined || offered.includes(value) ? value : 'other';
  }

  #compression(signal: Signal): SignalSettings['compression'] {
    const choice = this.#choice(signal, 'COMPRESSION', ['gzip', 'none']);
    if (choice === 'other') this.problem('OTEL_EXPORTER_OTLP_COMPRESSION must be gzip or none; none is used');
    return choice === 'gzip' ? 'gzip' : 'none';
  }

  #tls(signal: Signal): SignalSettings['tls'] | undefined {
    const files = { ca: 'CERTIFICATE', cert: 'CLIENT_CERTIFICATE', key: 'CLIENT_KEY' } as const;
    const tls: { -readonly [Name in keyof SignalSettings['tls']]: SignalSettings['tls'][Name] } = {};
    for (const [part, what] of Object.entries(files) as [keyof typeof files, string][]) {
      const own = `OTEL_EXPORTER_OTLP_${signal}_${what}`;
      const name = this.text(own) === undefined ? `OTEL_EXPORTER_OTLP_${what}` : own;
      const file = this.text(name);
      if (file === undefined) continue;
      try {
        tls[part] = readFileSync(file);
      } catch (error) {
        this.problem(`${name} names a file that cannot be read (${messageOf(error)}); nothing is sent there`);
        return undefined;
      }
    }
    return tls;
  }

  /** As in a W3C baggage header. https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables */
  #pairs(name: string): Readonly<Record<string, string>> {
    const pairs: Record<string, string> = {};
    for (const part of (this.text(name) ?? '').split(',')) {
      if (part.trim() === '') continue;
      const [key, value] = splitAt(part, '=');
      try {
        if (key.trim() === '' || value === undefined) throw new TypeError('no pair');
        pairs[decodeURIComponent(key.trim())] = decodeURIComponent(value.trim());
      } catch {
        this.problem(
          `${name} must be pairs such as name=value, separated by commas, with % as %25; a part of it is left out`,
        );
      }
    }
    return pairs;
  }
}

function splitAt(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
