import { describe, expect, test } from 'vitest';
import { readTelemetrySettings } from './telemetry-settings.ts';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

describe('nothing is exported', () => {
  test.each([
    [{}],
    [{ OTEL_SERVICE_NAME: 'ivs', OTEL_TRACES_SAMPLER: 'always_on' }],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: '  ' }],
    [{ ...endpoint, OTEL_SDK_DISABLED: 'TRUE' }],
    [{ ...endpoint, OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' }],
    [{ ...endpoint, OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'prometheus' }],
  ])('when the environment says %j', (env) => {
    expect(readTelemetrySettings(env)).toEqual({ settings: undefined, problems: [] });
  });
});

test('an endpoint alone uses the defaults of the specification', () => {
  const { settings, problems } = readTelemetrySettings(endpoint);

  expect(problems).toEqual([]);
  expect(settings).toEqual({
    traces: expect.objectContaining({ headers: {}, timeoutMs: 10_000, compression: 'none', tls: {} }),
    metrics: expect.objectContaining({ headers: {}, timeoutMs: 10_000, compression: 'none', tls: {} }),
    sampler: { kind: 'always_on', ratio: 1, isParentBased: true },
    batch: { maxQueueSize: 2_048, maxExportBatchSize: 512, scheduledDelayMillis: 5_000, exportTimeoutMillis: 30_000 },
    metricReader: { exportIntervalMillis: 60_000, exportTimeoutMillis: 30_000 },
    propagates: true,
    resource: { 'service.name': 'ivs-autopilot' },
  });
  expect([settings?.traces?.url.href, settings?.metrics?.url.href]).toEqual([
    'http://collector:4318/v1/traces',
    'http://collector:4318/v1/metrics',
  ]);
});

test('a setting for one signal overrides the setting for all', () => {
  const { settings } = readTelemetrySettings({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'https://all.example.com/otlp/',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces.example.com/in?x=1',
    OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%2Cb , x-scope = all',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-scope=traces',
    OTEL_EXPORTER_OTLP_TIMEOUT: '2000',
    OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: '3000',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_EXPORTER_OTLP_METRICS_COMPRESSION: 'none',
    OTEL_TRACES_EXPORTER: 'otlp',
  });

  expect(settings?.traces).toMatchObject({
    url: new URL('https://traces.example.com/in?x=1'),
    headers: { 'api-key': 'a,b', 'x-scope': 'traces' },
    timeoutMs: 2_000,
    compression: 'gzip',
  });
  expect(settings?.metrics).toMatchObject({
    url: new URL('https://all.example.com/otlp/v1/metrics'),
    headers: { 'api-key': 'a,b', 'x-scope': 'all' },
    timeoutMs: 3_000,
    compression: 'none',
  });
});

test('sampler, queue, names and propagation are applied', () => {
  const { settings, problems } = readTelemetrySettings({
    ...endpoint,
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.25',
    OTEL_BSP_MAX_QUEUE_SIZE: '100',
    OTEL_BSP_SCHEDULE_DELAY: '50',
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
    OTEL_SERVICE_NAME: 'sports',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,deployment.environment.name=prod%20eu',
    OTEL_PROPAGATORS: 'b3',
  });

  expect(problems).toEqual([]);
  expect(settings).toMatchObject({
    sampler: { kind: 'traceidratio', ratio: 0.25, isParentBased: false },
    batch: { maxQueueSize: 100, maxExportBatchSize: 100, scheduledDelayMillis: 50 },
    metricReader: { exportIntervalMillis: 1_000, exportTimeoutMillis: 1_000 },
    resource: { 'service.name': 'sports', 'deployment.environment.name': 'prod eu' },
    propagates: false,
  });
});

describe('invalid settings', () => {
  const secret = 'not-a-secret-but-treated-as-one';

  test.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'ftp://collector'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', `http://me:${secret}@collector`],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'http/json'],
    ['OTEL_EXPORTER_OTLP_CERTIFICATE', '/nowhere/ca.pem'],
  ])('%s=%s disables that export and is reported', (name, value) => {
    const { settings, problems } = readTelemetrySettings({ ...endpoint, [name]: value });

    expect(settings).toBeUndefined();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(name);
    expect(problems[0]).not.toContain(secret);
  });

  test.each([
    ['OTEL_EXPORTER_OTLP_HEADERS', secret],
    ['OTEL_EXPORTER_OTLP_HEADERS', `api-key=%zz${secret}`],
    ['OTEL_EXPORTER_OTLP_COMPRESSION', 'zstd'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '0'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '10s'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '99999999999999'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '10000000'],
    ['OTEL_BSP_SCHEDULE_DELAY', '-1'],
    ['OTEL_METRIC_EXPORT_INTERVAL', 'often'],
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'team'],
    ['OTEL_TRACES_EXPORTER', 'zipkin'],
    ['OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', 'delta'],
  ])('%s=%s changes nothing else and is reported', (name, value) => {
    const { settings, problems } = readTelemetrySettings({ ...endpoint, [name]: value });

    expect(settings?.metrics).toBeDefined();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(name);
    expect(problems[0]).not.toContain(secret);
  });

  test('an invalid ratio means all', () => {
    const { settings, problems } = readTelemetrySettings({
      ...endpoint,
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '2',
    });

    expect(settings?.sampler).toEqual({ kind: 'traceidratio', ratio: 1, isParentBased: true });
    expect(problems).toEqual(['OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1; 1 is used']);
  });
});
