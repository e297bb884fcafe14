// One trace from an event to everything that follows: a daemon, a stand-in of IVS, receivers and an OpenTelemetry collector. The spans'
// relations are checked as a person would read them in a tracing tool.
import { expect, test } from 'vitest';
import { systemClock } from '#runtime/clock.ts';
import { createLogger, Scrubber } from '#runtime/logger.ts';
import { startTelemetry } from '#runtime/telemetry.ts';
import { broadcast } from '#test/support/broadcast.ts';
import { type ArrivedSpan, startCollector } from '#test/support/otlp-collector.ts';
import { eventually } from '#test/support/quiet.ts';
import { startVendors } from '#test/support/vendors.ts';

const others = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };

test('an event leads to decision, job, call, message and grouped message; a request to its job; metrics and log lines belong to them', async () => {
  await using vendors = await startVendors();
  await using collector = await startCollector();
  await using platform = await broadcast();
  const { control } = platform.simulator;
  const starved =
    'event: {source: [aws.ivs], detail-type: [IVS Stream Health Change], detail: {event_name: [Starvation Start]}}';
  await using daemon = await platform.daemon({
    rules: `
receivers:
  - name: noc
    webhook_configs: [{url: "${vendors.url('json')}"}]
  - name: groups
    webhook_configs: [{url: "${vendors.url('alertmanager')}", format: alertmanager}]
    group_by: [alertname]
    group_wait: 1s
    group_interval: 1s
rules:
  - name: starved
    mode: enforce
    trigger: {${starved}}
    guards: {cooldown: 0s}
    actions:
      - notify: {receiver: noc, text: "the words of the message"}
      - put_metadata: {payload: {type: slate, words: "the words of the cue"}}
      - tag: {set: {starved: "yes"}}
      - after: 1s
        tag: {set: {later: "yes"}}
  - name: starving
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    for: 1s
    guards: {cooldown: 0s}
    actions: [{notify: {receiver: groups, text: "{{ channel.name }} starving"}}]
`,
  });
  const scrubber = new Scrubber();
  const telemetry = await startTelemetry({
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '20',
      OTEL_METRIC_EXPORT_INTERVAL: '200',
    },
    metrics: daemon.metrics,
    scrubber,
    logger: createLogger({ level: 'silent', scrubber }),
    clock: systemClock,
    version: '0.0.0',
  });
  await using _telemetry = { [Symbol.asyncDispose]: async () => telemetry?.stop() };

  const span = (name: string, more: (span: ArrivedSpan) => boolean = () => true) =>
    eventually(() => collector.spans.find((each) => each.name === name && more(each)));
  const parentOf = async ({ traceId, parentSpanId }: ArrivedSpan) =>
    parentSpanId === ''
      ? undefined
      : eventually(() => collector.spans.find((each) => each.traceId === traceId && each.spanId === parentSpanId));
  /** Names of a span and of all its ancestors; a parent that never arrives is waited for, and fails the test. */
  const roadTo = async (from: ArrivedSpan): Promise<string[]> => {
    const parent = await parentOf(from);
    return parent ? [...(await roadTo(parent)), from.name] : [from.name];
  };

  const [first, second] = await control.createChannels(2);
  for (const { arn } of [first!, second!]) await control.goLive(arn);
  await eventually(async () =>
    (await daemon.ask('GET', '/v1/streams')).body.streams.every(({ state }: { state: string }) => state === 'live'),
  );
  await control.starve(first!.arn);
  const cue = await span('ivs.PutMetadata');
  const tagged = await span('ivs.TagResource');
  const message = await span(
    'POST',
    ({ attributes }) => attributes['server.port'] === Number(new URL(vendors.url('json')).port),
  );

  const event = 'process ivs-events';
  expect(await roadTo(tagged)).toEqual([event, 'decide starved', 'process tag', 'ivs.TagResource']);
  expect(await roadTo(cue)).toEqual([event, 'decide starved', 'process put_metadata', 'ivs.PutMetadata']);
  expect(await roadTo(message)).toEqual([event, 'decide starved', 'process notify', 'POST']);
  const decision = (await parentOf((await parentOf(tagged))!))!;
  const consumed = (await parentOf(decision))!;
  expect(new Set([cue, tagged, message].map(({ traceId }) => traceId))).toEqual(new Set([consumed.traceId]));
  // What follows over the queue and the outbox is linked too.
  for (const hop of [(await parentOf(tagged))!, cue])
    expect(hop.links).toEqual([{ traceId: hop.traceId, spanId: hop.parentSpanId }]);
  expect(vendors.of('json')[0]?.headers['traceparent']).toBe(`00-${message.traceId}-${message.spanId}-01`);
  expect(consumed).toMatchObject({
    kind: 5,
    attributes: {
      'messaging.system': 'aws_sqs',
      'messaging.destination.name': 'ivs-events',
      'autopilot.event.type': 'IVS Stream Health Change',
      'autopilot.channel.arn': first!.arn,
    },
  });
  expect(decision.attributes).toMatchObject({ 'autopilot.rule': 'starved', 'autopilot.decision.outcome': 'acted' });
  expect(tagged).toMatchObject({
    kind: 3,
    attributes: {
      'rpc.system': 'aws-api',
      'rpc.service': 'ivs',
      'rpc.method': 'TagResource',
      'http.response.status_code': 200,
      'aws.request_id': expect.any(String),
    },
  });

  // Later work continues in the same trace: a step with `after`, and what a lasting condition leads to.
  const later = await span('ivs.TagResource', ({ spanId }) => spanId !== tagged.spanId);
  expect((await roadTo(later)).slice(0, 1)).toEqual([event]);
  expect(later.traceId).toBe(consumed.traceId);
  await control.starve(second!.arn);
  await eventually(() => {
    const names = vendors
      .of('alertmanager')
      .flatMap(({ body }) => body.alerts.map(({ fingerprint }: any) => fingerprint));
    return new Set(names).size === 2;
  });
  const grouped = vendors.of('alertmanager')[0]!;
  const [, traceId, spanId] = String(grouped.headers['traceparent']).split('-');
  const sent = await span('POST', (each) => each.spanId === spanId);
  expect(sent.traceId).toBe(traceId);
  const told = (await parentOf(sent))!;
  expect(told.links.length).toBeGreaterThan(0);
  for (const link of told.links) {
    const gathered = await span('process notify', (each) => each.spanId === link.spanId);
    const [begin, ...rest] = await roadTo(gathered);
    expect([event, 'process poll-starving', 'process poll-all']).toContain(begin);
    expect(rest).toEqual(['decide starving', 'process notify']);
  }

  // A request of another program continues in its trace, and so do the log lines about it.
  const answer = await fetch(`${daemon.url}/v1/actions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent: `00-${others.traceId}-${others.spanId}-01` },
    body: JSON.stringify({
      action: { webhook: { url: vendors.url('slack'), body: { no: 'message of Slack' } } },
      reason: 'a test',
    }),
  });
  expect([answer.status, await answer.json()]).toEqual([202, { jobId: expect.any(String) }]);
  const refused = await span('POST', (each) => each.traceId === others.traceId);
  const asked = await span('POST /v1/actions');
  expect(asked).toMatchObject({
    traceId: others.traceId,
    parentSpanId: others.spanId,
    kind: 2,
    attributes: { 'http.request.method': 'POST', 'http.route': '/v1/actions', 'http.response.status_code': 202 },
  });
  expect(refused).toMatchObject({
    status: 2,
    attributes: { 'http.response.status_code': 400, 'error.type': 'WEBHOOK_REJECTED' },
  });
  const job = (await parentOf(refused))!;
  expect(job).toMatchObject({ name: 'process webhook', parentSpanId: asked.spanId });
  const line = await eventually(() => daemon.log.find((each) => each.includes('"job failed"')));
  expect(JSON.parse(line)).toMatchObject({ trace_id: others.traceId, span_id: job.spanId, trace_flags: '01' });

  const decided = await eventually(() =>
    collector.metrics
      .get('autopilot_decisions_total')
      ?.points.find(({ attributes }) => attributes['rule'] === 'starving' && attributes['outcome'] === 'acted'),
  );
  expect(decided.value).toBeGreaterThan(0);
  // Nothing of the content, and no address.
  const everything = JSON.stringify(collector.spans, (_, value) => (typeof value === 'bigint' ? String(value) : value));
  for (const secret of ['the words of', 'sk_', '/slack', '/json']) expect(everything).not.toContain(secret);
});
