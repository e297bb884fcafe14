// OpenTelemetry's own exporter against a stand-in of a collector, and against peers that are worse than any collector.
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { placeBelow, placeOf } from '#domain/trace.ts';
import { systemClock } from '#runtime/clock.ts';
import { Scrubber } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { startTelemetry, type TelemetryOptions } from '#runtime/telemetry.ts';
import { telemetryPackages } from '#runtime/telemetry-settings.ts';
import {
  below,
  carried,
  currentTrace,
  following,
  recordSpan,
  traced,
  tracedBelow,
  traceHeaders,
  traceLogFields,
  tracePort,
} from '#runtime/tracing.ts';
import { badPeer } from '#test/support/bad-peer.ts';
import { connectProxy } from '#test/support/connect-proxy.ts';
import { type ArrivedSpan, startCollector } from '#test/support/otlp-collector.ts';
import { eventually, keptLogger } from '#test/support/quiet.ts';
import { root, runProcess } from '#test/support/run-process.ts';

async function telemetry(env: TelemetryOptions['env'], more: Partial<TelemetryOptions> = {}) {
  const { logger, lines } = keptLogger();
  const [metrics, scrubber] = [createMetrics(), new Scrubber()];
  // What a stop sends is checked: on a busy machine that may take time.
  const options = { env, metrics, scrubber, logger, clock: systemClock, version: '1.2.3', flushMs: 120_000, ...more };
  const started = await startTelemetry(options);
  return { lines, metrics, scrubber, started, [Symbol.asyncDispose]: async () => started?.stop() };
}

const wholeMs = 1_000_000n;

const exportsOf = async ({ telemetryExports }: ReturnType<typeof createMetrics>) =>
  (await telemetryExports.get()).values.map(({ labels, value }) => ({ ...labels, value }));

describe('spans', () => {
  test('arrive with names, kinds, attributes, errors and parents', async () => {
    await using collector = await startCollector();
    await using on = await telemetry({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=not-a-key-but-hidden-as-one',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_SERVICE_NAME: 'sports',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    });
    let inner: string | undefined;
    let fields: object = {};
    await traced({ name: 'outer', kind: 'consumer', attributes: { a: 'b', n: 1, left: undefined } }, async (span) => {
      span.set({ ok: true });
      await tracedBelow({ name: 'inner', kind: 'client' }, async () => {
        inner = currentTrace();
        fields = traceLogFields();
        expect(traceHeaders()).toEqual({ traceparent: inner });
      });
      await traced({ name: 'failing' }, () =>
        Promise.reject(new AppError('WEBHOOK_REJECTED', 'a text that is not for traces')),
      ).catch(() => undefined);
      await traced({ name: 'waiting' }, () =>
        Promise.reject(new AppError('WEBHOOK_FAILED', '', { disposition: { kind: 'retry-after', delayMs: 1 } })),
      ).catch(() => undefined);
    });
    await tracedBelow({ name: 'nowhere' }, async () => expect(currentTrace()).toBeUndefined());
    await on.started!.stop();

    const [outer, called, failing, waiting] = ['outer', 'inner', 'failing', 'waiting'].map(
      (name) => collector.spans.find((span) => span.name === name)!,
    ) as [ArrivedSpan, ArrivedSpan, ArrivedSpan, ArrivedSpan];
    expect(collector.spans).toHaveLength(4);
    expect(outer).toMatchObject({ kind: 5, parentSpanId: '', status: 0, attributes: { a: 'b', n: 1, ok: true } });
    expect(outer.resource).toMatchObject({
      'service.name': 'sports',
      'service.version': '1.2.3',
      'service.instance.id': expect.any(String),
      'deployment.environment.name': 'test',
    });
    expect(called).toMatchObject({ kind: 3, traceId: outer.traceId, parentSpanId: outer.spanId });
    expect(placeOf(inner)).toEqual({ traceId: called.traceId, spanId: called.spanId, isSampled: true });
    expect(fields).toEqual({ trace_id: called.traceId, span_id: called.spanId, trace_flags: '01' });
    expect(failing).toMatchObject({ status: 2, attributes: { 'error.type': 'WEBHOOK_REJECTED' } });
    expect(waiting.status).toBe(0);
    // OpenTelemetry dates the start of a span in whole milliseconds and adds the time that it took.
    expect(outer.startNano <= called.startNano && called.endNano <= outer.endNano + wholeMs).toBe(true);
    expect(collector.requests.find(({ path }) => path === '/v1/traces')).toMatchObject({
      headers: { 'api-key': 'not-a-key-but-hidden-as-one', 'content-encoding': 'gzip' },
    });
    expect(on.scrubber.scrub('x not-a-key-but-hidden-as-one')).toBe('x [OTLP header]');
    expect(JSON.stringify(on.lines)).not.toContain('not-a-key');
    expect(inspect(collector.spans, { depth: 9 })).not.toContain('a text that is not for traces');
    expect(await exportsOf(on.metrics)).toContainEqual({ signal: 'traces', outcome: 'ok', value: 1 });
  });

  test('that follow from one place are its children, from several its siblings, and are linked to all', async () => {
    await using collector = await startCollector();
    await using on = await telemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    const places: string[] = [];
    for (const name of ['first', 'second']) await traced({ name }, async () => void places.push(currentTrace()!));
    const run = (name: string) => traced({ name }, async () => undefined);
    await following(places.slice(0, 1), () => run('one'));
    await following(places, () => run('both'));
    await following([], () => run('none'));
    await below(places[0], () => run('below'));
    const asFirst = await below(places[0], async () => carried());
    await tracePort.outside(() => asFirst(() => run('carried')));
    await below(places[0], () => tracePort.outside(() => run('outside')));
    const self = placeBelow(places[1]!, 'd-1');
    recordSpan({ name: 'named before', parent: places[1], self, startMs: 1_000, endMs: 2_000 });
    await on.started!.stop();

    const span = (name: string) => collector.spans.find((each) => each.name === name)!;
    const [first, second] = [span('first'), span('second')];
    const link = ({ traceId, spanId }: ArrivedSpan) => ({ traceId, spanId });
    for (const name of ['one', 'below', 'carried'])
      expect([name, span(name).traceId, span(name).parentSpanId]).toEqual([name, first.traceId, first.spanId]);
    expect(span('one').links).toEqual([link(first)]);
    expect(span('both')).toMatchObject({ parentSpanId: '', links: [link(first), link(second)] });
    expect(new Set(['first', 'both', 'none', 'outside'].map((name) => span(name).traceId)).size).toBe(4);
    expect(span('named before')).toMatchObject({
      traceId: second.traceId,
      spanId: placeOf(self)!.spanId,
      parentSpanId: second.spanId,
      startNano: 1_000_000_000n,
      endNano: 2_000_000_000n,
    });
  });

  test('are made as the sampler says, and what others do not record stays unrecorded', async () => {
    await using collector = await startCollector();
    await using on = await telemetry({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0',
      OTEL_METRICS_EXPORTER: 'none',
    });
    const others = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331';
    const flags: (boolean | undefined)[] = [];
    const run = (name: string) => traced({ name }, async () => void flags.push(placeOf(currentTrace())?.isSampled));
    await run('root');
    await below(tracePort.root(), () => run('below a root'));
    await below(`${others}-00`, () => run('unrecorded'));
    await below(`${others}-01`, () => run('recorded'));
    await on.started!.stop();

    expect(collector.spans.map(({ name }) => name)).toEqual(['recorded']);
    expect(flags).toEqual([false, false, false, true]);
    expect(collector.requests.map(({ path }) => path)).toEqual(['/v1/traces']);
  });
});

test('metrics arrive under their names, with the values that Prometheus gets', async () => {
  await using collector = await startCollector();
  await using on = await telemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_TRACES_EXPORTER: 'none' });
  const { jobs, jobSeconds, streams } = on.metrics;
  jobs.inc({ job: 'stop_stream', outcome: 'done' }, 3);
  streams.set({ shard: 'main', health: 'STARVING' }, 2);
  for (const seconds of [0.005, 0.03, 0.03, 4, 1_000]) jobSeconds.observe({ job: 'stop_stream' }, seconds);
  await traced({ name: 'not exported' }, async () => expect(currentTrace()).toBeUndefined());
  await on.started!.stop();

  expect(collector.spans).toEqual([]);
  expect(collector.metrics.get('autopilot_jobs_total')).toMatchObject({
    type: 'sum',
    temporality: 2,
    isMonotonic: true,
    description: expect.stringContaining('Finished runs'),
    points: [{ attributes: { job: 'stop_stream', outcome: 'done' }, value: 3 }],
  });
  expect(collector.metrics.get('autopilot_streams')).toMatchObject({
    type: 'gauge',
    points: [{ attributes: { shard: 'main', health: 'STARVING' }, value: 2 }],
  });
  expect(collector.metrics.get('autopilot_job_seconds')).toMatchObject({
    type: 'histogram',
    points: [
      {
        attributes: { job: 'stop_stream' },
        value: 5,
        sum: 1_004.065,
        bounds: [0.01, 0.05, 0.2, 1, 5, 20, 60],
        counts: [1, 2, 0, 0, 1, 0, 0, 1],
      },
    ],
  });
  const shown = await on.metrics.registry.metrics();
  for (const name of collector.metrics.keys()) expect(shown).toContain(`# TYPE ${name} `);
});

describe('a collector', () => {
  test('that is away is reported once, until something arrives again', async () => {
    await using collector = await startCollector();
    collector.answerWith((response) => void response.writeHead(400).end('a token, perhaps'));
    await using on = await telemetry({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '1',
      OTEL_METRICS_EXPORTER: 'none',
    });
    const failures = async () => (await exportsOf(on.metrics)).find(({ outcome }) => outcome === 'failed')?.value ?? 0;
    for (const count of [1, 2]) {
      await traced({ name: `lost ${count}` }, async () => undefined);
      await eventually(async () => (await failures()) >= count);
    }
    const told = () => on.lines.filter(({ code }) => code === 'TELEMETRY_FAILED');
    expect(told()).toHaveLength(1);
    expect(told()[0]).toMatchObject({
      msg: expect.stringContaining('traces do not reach'),
      err: { message: 'traces were not exported: status 400' },
    });
    collector.answerWith((response) => void response.writeHead(200).end());
    await traced({ name: 'again' }, async () => undefined);
    await eventually(() => on.lines.some(({ msg }) => String(msg).includes('reach the OpenTelemetry collector again')));

    expect(told()).toHaveLength(1);
    expect(JSON.stringify(on.lines)).not.toContain('a token, perhaps');
  });

  test('that is slow costs no more than the queue, and blocks no work', async () => {
    await using collector = await startCollector();
    const held: ServerResponse[] = [];
    collector.answerWith((response) => void held.push(response));
    await using on = await telemetry({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_TIMEOUT: '60000',
      OTEL_BSP_MAX_QUEUE_SIZE: '10',
      OTEL_METRICS_EXPORTER: 'none',
    });
    let done = 0;
    const work = () =>
      traced({ name: 'work' }, async () => {
        done += 1;
      });
    for (let count = 0; count < 1_000; count += 1) await work();
    expect(done).toBe(1_000);
    await eventually(() => held.length === 1);
    collector.answerWith((response) => void response.writeHead(200).end());
    held[0]!.writeHead(200).end();
    await on.started!.stop();

    // One export under way, and the queue behind it.
    expect(collector.spans).toHaveLength(20);
  });

  test('that is silent does not delay a stop for long', async () => {
    await using peer = await badPeer({ manner: 'silent' });
    await using on = await telemetry(
      { OTEL_EXPORTER_OTLP_ENDPOINT: peer.url, OTEL_METRICS_EXPORTER: 'none' },
      { flushMs: 100 },
    );
    await traced({ name: 'work' }, async () => undefined);
    await on.started!.stop();

    expect(on.lines.filter(({ msg }) => msg === 'the last traces and metrics are lost')).toHaveLength(1);
  });

  test.each(['drip', 'drip-headers', 'hang-after-headers', 'endless', 'half-open'] as const)(
    'that answers endlessly (%s) is left when its time is over',
    async (manner) => {
      await using peer = await badPeer({ manner });
      await using on = await telemetry({
        OTEL_EXPORTER_OTLP_ENDPOINT: peer.url,
        OTEL_EXPORTER_OTLP_TIMEOUT: '300',
        OTEL_BSP_SCHEDULE_DELAY: '1',
        OTEL_METRICS_EXPORTER: 'none',
      });
      await traced({ name: 'work' }, async () => undefined);
      await eventually(() => peer.received > 0);
      await eventually(async () => (await exportsOf(on.metrics)).length > 0);
      await eventually(() => peer.open === 0);
    },
  );

  test('is reached through the same proxy as other addresses', async () => {
    await using collector = await startCollector();
    await using proxy = await connectProxy({ hosts: () => Number(new URL(collector.url).port) });
    await using on = await telemetry({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.example.com:4318',
      HTTP_PROXY: proxy.url,
    });
    await traced({ name: 'through it' }, async () => undefined);
    await on.started!.stop();

    expect(collector.spans.map(({ name }) => name)).toEqual(['through it']);
    expect(new Set(proxy.asked)).toEqual(new Set(['collector.example.com:4318']));
  });
});

describe('the packages', () => {
  test('that are missing are named with the command that installs them, and the daemon continues', async () => {
    const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
    await using on = await telemetry(
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' },
      { load: () => Promise.reject(missing) },
    );

    expect(on.started).toBeUndefined();
    expect(on.lines).toHaveLength(1);
    expect(on.lines[0]).toMatchObject({ code: 'PACKAGE_MISSING', level: 50 });
    for (const [name, version] of Object.entries(telemetryPackages))
      expect(on.lines[0]!['msg']).toContain(` ${name}@${version}`);
  });

  test('are those in package.json, in the versions that are tested here, and are not installed by default', () => {
    const { dependencies, devDependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    ) as Record<string, Record<string, unknown>>;
    const names = Object.keys(telemetryPackages);

    for (const [name, version] of Object.entries(telemetryPackages))
      expect([name, devDependencies![name], peerDependencies![name], peerDependenciesMeta![name]]).toEqual([
        name,
        version,
        `^${version}`,
        { optional: true },
      ]);
    expect(Object.keys(dependencies!).filter((name) => names.includes(name))).toEqual([]);
  });

  test('cost nothing without an endpoint: none of them is loaded', async () => {
    const { end, stdout, stderr } = await runProcess('test/support/loaded-packages.ts', []);

    expect([end, stderr]).toEqual([0, '']);
    const loaded = JSON.parse(stdout) as { without: string[]; with: string[] };
    expect(loaded.without).toEqual([]);
    // It would be noticed.
    expect(loaded.with).toEqual(expect.arrayContaining(['@opentelemetry/sdk-trace', '@opentelemetry/sdk-metrics']));
  });
});
