// The rules engine on a real Redis: several replicas, restarts, and the API that explains and controls it.
import pino from 'pino';
import { expect, test } from 'vitest';
import { controlRoutes } from '#api/routes/controls.ts';
import { decisionRoutes } from '#api/routes/decisions.ts';
import { ruleRoutes } from '#api/routes/rules.ts';
import { HttpServer } from '#api/server.ts';
import type { Channel, StreamHealth } from '#domain/channel.ts';
import type { Control } from '#domain/control.ts';
import type { Ruleset } from '#domain/rule.ts';
import { Secret } from '#domain/secret.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { kinds, logs } from '#domain/state-registry.ts';
import { recordJobResult } from '#journal/record.ts';
import { applyControl } from '#rules/controls.ts';
import { decideAll, decideDue, nextDueMs } from '#rules/decide.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { ShardDirectory } from '#shard/directory.ts';
import { MemoryState } from '#store/memory-state.ts';
import { RedisState } from '#store/shared-state.ts';
import { arnOf, rulesetOf } from '#test/support/engine.ts';
import { redisScope } from '#test/support/redis.ts';
import { foldStream } from '#test/support/stream-fold.ts';

const rules = `
receivers: [{name: noc, webhook_configs: [{url: "https://noc.example/hook"}]}]
rules:
  - name: slate
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    for: 1s
    actions: [{put_metadata: {payload: slate}}, {after: 1h, stop_stream: {}}]
    guards: {cooldown: 1h, max_live_percent: 50}
`;

const observe = (state: SharedState, ruleset: Ruleset, name: string, health: StreamHealth) =>
  state.transact((tx) => decideAll(tx, [foldStream(tx, arnOf(name), { health, viewerCount: 5 })], ruleset));

/** What a replica does repeatedly, until the end of `forMs`, and once more after that. */
async function tick(state: SharedState, ruleset: Ruleset, forMs: number): Promise<void> {
  const endMs = Date.now() + forMs;
  for (let isOver = false; !isOver; ) {
    isOver = Date.now() > endMs;
    await state.refresh();
    await state.transact((tx) => decideDue(tx, ruleset));
    if (!isOver) await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function once(state: SharedState, ruleset: Ruleset): Promise<void> {
  await state.refresh();
  await state.transact((tx) => decideDue(tx, ruleset));
}

const jobsOf = ({ view }: SharedState) => Array.from(view.entries(kinds.job), ([, { name }]) => name);

test('three replicas that all tick act once, and one that is killed loses no timer', async () => {
  await using scope = await redisScope();
  const replica = () => new RedisState({ redis: scope.connect(), prefix: scope.prefix, metrics: createMetrics() });
  const [doomed, ...others] = [replica(), replica(), replica(), replica()];
  const ruleset = rulesetOf(rules);

  await observe(doomed, ruleset, 'a', 'HEALTHY');
  await observe(doomed, ruleset, 'a', 'STARVING');
  // From here on the first replica is gone; the others have never seen the channel themselves.
  await Promise.all(others.map((state) => tick(state, ruleset, 1500)));

  await others[0].refresh();
  expect(jobsOf(others[0])).toEqual(['put_metadata']);
  expect(nextDueMs(others[0].view)).toBeDefined();
  const journal = await others[0].readLog(logs.journal, { limit: 10 });
  expect(journal.map(({ entry }) => entry.outcome)).toEqual(['acted']);
});

test('what one replica did is undone once, by replicas whose files differ from its file and from each other', async () => {
  await using scope = await redisScope();
  const replica = () => new RedisState({ redis: scope.connect(), prefix: scope.prefix, metrics: createMetrics() });
  const [doomed, edited, without] = [replica(), replica(), replica()];
  const file = (more: string) =>
    rulesetOf(`
rules:
  - name: slate
    trigger: {state: {health: [STARVING]}}
    actions: [{put_metadata: {payload: show}}]
    on_resolve: [{put_metadata: {payload: hide}}]
    guards: {max_live_percent: 100}
    ${more}
`);
  const payloads = ({ view }: SharedState) =>
    Array.from(view.entries(kinds.job), ([, { payload }]) => (payload['params'] as { payload: string }).payload);

  await observe(doomed, file('mode: enforce'), 'a', 'HEALTHY');
  await observe(doomed, file('mode: enforce'), 'a', 'STARVING');
  expect(payloads(doomed)).toEqual(['show']);
  // From here on the replica that acted is gone.
  const [longer, none] = [file('mode: dry_run\n    for: 1m'), rulesetOf('rules: []\n')];
  await once(edited, longer);
  await once(without, none);
  expect(without.view.get(kinds.ruleMemory.of('slate', arnOf('a')))?.firing?.left?.steps).toHaveLength(1);
  await once(edited, longer);
  expect(edited.view.get(kinds.ruleMemory.of('slate', arnOf('a')))?.firing?.left).toBeUndefined();
  await edited.refresh();
  expect(payloads(edited)).toEqual(['show']);
  await Promise.all([observe(edited, longer, 'a', 'HEALTHY'), once(without, none)]);
  await observe(edited, longer, 'a', 'HEALTHY');
  await once(without, none);

  await without.refresh();
  expect(payloads(without).toSorted()).toEqual(['hide', 'show']);
});

async function setup() {
  const scope = await redisScope();
  const state = new RedisState({ redis: scope.redis, prefix: scope.prefix, metrics: createMetrics() });
  const ruleset = rulesetOf(rules);
  const shards = new ShardDirectory([
    { name: 'main', region: 'us-west-2', accountId: undefined, state, ruleset, startedAtMs: undefined },
  ]);
  const controls: Control[] = [];
  const value = `${Math.random()}`.padEnd(20, 'x');
  const server = new HttpServer({
    host: '127.0.0.1',
    port: 0,
    tokens: [{ name: 'ann', role: 'operator', value: new Secret(value) }],
    routes: [controlRoutes, decisionRoutes, ruleRoutes].map((routes) => ({
      prefix: '/v1',
      plugin: routes({ shards, onControl: (control) => controls.push(control) }),
    })),
    checks: {},
    maxBodyBytes: 10_000,
    requestsPerMinute: 1000,
    version: '0.0.0',
    metrics: createMetrics(),
    logger: pino({ level: 'silent' }),
  });
  const call = async (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, payload?: object) => {
    const response = await server.app.inject({
      method,
      url: `/v1${url}`,
      headers: { authorization: `Bearer ${value}` },
      ...(payload ? { payload } : {}),
    });
    return { status: response.statusCode, body: response.json() };
  };
  return {
    state,
    ruleset,
    call,
    controls,
    async [Symbol.asyncDispose]() {
      await server.stop();
      await scope[Symbol.asyncDispose]();
    },
  };
}

test('a hold, a silence and a pause hold back, and the API says which of them it was', async () => {
  await using api = await setup();
  const { call, state, ruleset } = api;
  const arn = encodeURIComponent(arnOf('a'));
  await observe(state, ruleset, 'a', 'HEALTHY');

  expect((await call('PUT', `/holds/${arn}`, { reason: 'new encoder', duration: '1h' })).body).toMatchObject({
    who: 'token ann',
    until: expect.any(String),
  });
  const silenced = await call('POST', '/silences', { matchers: ['rule="slate"'], reason: 'test', duration: '1h' });
  expect(silenced.status).toBe(201);
  expect((await call('POST', '/pause', { reason: 'incident' })).body).toMatchObject({ paused: true, who: 'token ann' });
  await observe(state, ruleset, 'a', 'STARVING');
  await tick(state, ruleset, 1200);

  const explained = await call('GET', `/rules/slate/explain/${arn}`);
  expect(explained.body).toMatchObject({
    state: 'held_back',
    reason: 'paused',
    sentence: expect.stringContaining('incident'),
  });
  expect((await call('POST', '/resume', {})).status).toBe(200);
  await tick(state, ruleset, 100);
  expect((await call('GET', `/rules/slate/explain/${arn}`)).body).toMatchObject({ reason: 'held' });
  expect((await call('DELETE', `/holds/${arn}`)).status).toBe(200);
  expect((await call('DELETE', `/holds/${arn}`)).status).toBe(404);
  await tick(state, ruleset, 100);
  expect((await call('GET', `/rules/slate/explain/${arn}`)).body).toMatchObject({ reason: 'silenced' });
  expect(jobsOf(state)).toEqual([]);
  expect((await call('DELETE', `/silences/${silenced.body.id}`)).status).toBe(200);
  await tick(state, ruleset, 100);

  expect(jobsOf(state)).toEqual(['put_metadata']);
  const { body } = await call('GET', `/decisions?rule=slate&channelArn=${arn}&outcome=suppressed`);
  expect(body.decisions.map(({ reason }: { reason: string }) => reason)).toEqual(['silenced', 'held', 'paused']);
});

test('a decision shows its evidence, its guards, its jobs and their outcome', async () => {
  await using api = await setup();
  const { call, state, ruleset } = api;
  await observe(state, ruleset, 'a', 'HEALTHY');
  await observe(state, ruleset, 'a', 'STARVING');
  await tick(state, ruleset, 1200);
  const [jobId] = Array.from(state.view.entries(kinds.job), ([id]) => id) as [string];
  await state.transact((tx) =>
    recordJobResult(tx, { jobId, decisionId: 'd', atMs: tx.nowMs, outcome: 'done', detail: 'sent' }),
  );

  const { body } = await call('GET', '/decisions?outcome=acted&since=2020-01-01T00:00:00Z');
  expect(body.decisions).toHaveLength(1);
  expect(body.decisions[0]).toMatchObject({
    rule: 'slate',
    channelArn: arnOf('a'),
    reason: 'fired',
    trigger: { kind: 'state', values: { health: 'STARVING' } },
    jobs: [{ jobId, action: 'put_metadata', outcome: 'done', detail: 'sent' }],
  });
  expect(body.decisions[0].guards.map(({ guard }: { guard: string }) => guard)).toEqual(
    expect.arrayContaining(['pause', 'hold', 'cooldown', 'max_live_percent']),
  );
  expect((await call('GET', '/rules/slate')).body).toMatchObject({ firing: 1, last24h: { acted: 1 } });
  expect((await call('GET', '/rules/none')).status).toBe(404);
});

test('a rule that its cap stopped is shown as an incident, and a person restarts it', async () => {
  await using api = await setup();
  const { call, state, ruleset } = api;
  for (const name of ['a', 'b', 'c']) await observe(state, ruleset, name, 'HEALTHY');
  for (const name of ['a', 'b', 'c']) await observe(state, ruleset, name, 'STARVING');
  await tick(state, ruleset, 1200);

  expect((await call('GET', '/rules')).body.rules[0]).toMatchObject({
    stopped: { text: expect.stringContaining('3 of 3') },
  });
  expect((await call('GET', '/incidents')).body.incidents).toMatchObject([{ kind: 'cap', rule: 'slate', affected: 3 }]);
  expect(jobsOf(state)).toEqual(['notify']);
  const explained = (await call('GET', `/rules/slate/explain/${encodeURIComponent(arnOf('a'))}`)).body;
  expect(explained.remedy).toBe('Run `ivs-autopilot rule reset slate`, or change the rule.');
  for (const name of ['b', 'c']) await observe(state, ruleset, name, 'HEALTHY');
  expect((await call('POST', '/rules/slate/reset', { reason: 'repaired' })).status).toBe(200);
  const [{ entry }] = (await state.readLog(logs.audit, { limit: 1 })) as any;
  expect(entry).toMatchObject({
    what: 'reset_rule',
    why: 'repaired',
    params: { rule: 'slate' },
    who: expect.any(String),
  });
  await tick(state, ruleset, 100);

  expect(jobsOf(state).toSorted()).toEqual(['notify', 'put_metadata']);
  expect((await call('POST', '/rules/slate/reset', {})).status).toBe(404);
});

test('a silence with an unreadable matcher is refused with its place', async () => {
  await using api = await setup();
  const refused = await api.call('POST', '/silences', { matchers: ['rule=~"("'], reason: 'x', duration: '1h' });

  expect(refused.status).toBe(400);
  expect(refused.body.problems[0].path).toContain('matchers');
});

test.each(['action="stop_strem"', 'channel="AbCdEfGh"', 'region="us-east-2"', 'account=~"12|34"', 'action!~"stop-.*"'])(
  'a silence that nothing ever matches is refused: %s',
  async (matcher) => {
    await using api = await setup();
    const matchers = ['rule="slate"', matcher];
    const refused = await api.call('POST', '/silences', { matchers, reason: 'x', duration: '1h' });

    expect(refused.status).toBe(400);
    expect(refused.body.problems[0].path).toBe('body.matchers[1]');
  },
);

test('every control is reported once it is in force, so that a recording contains it', async () => {
  await using api = await setup();
  const { call, state, ruleset, controls } = api;
  const arn = encodeURIComponent(arnOf('a'));
  await observe(state, ruleset, 'a', 'HEALTHY');

  await call('PUT', `/holds/${arn}`, { reason: 'r', duration: '1h' });
  await call('DELETE', `/holds/${arn}`);
  await call('DELETE', `/holds/${arn}`);
  const { body } = await call('POST', '/silences', { matchers: ['rule="slate"'], reason: 'r', duration: '1h' });
  await call('DELETE', `/silences?id=${body.id}`);
  await call('POST', '/pause', { reason: 'r' });
  await call('POST', '/resume', {});
  for (const health of ['STARVING', 'HEALTHY'] as const) await observe(state, ruleset, 'a', health);
  await call('POST', '/rules/slate/reset', {});

  expect(controls.map(({ kind }) => kind)).toEqual(['hold', 'release', 'silence', 'expire_silence', 'pause', 'resume']);
  expect(controls[3]).toMatchObject({ id: body.id });
  // Replayed elsewhere, they lead to the same result.
  const elsewhere = new MemoryState({ now: () => Date.now() });
  for (const control of controls.slice(0, 3)) await elsewhere.transact((tx) => applyControl(tx, control));
  expect(Array.from(elsewhere.view.entries(kinds.silence), ([id]) => id)).toEqual([body.id]);
});

test('a silence is ended by its id, in the path or the query; without an id the answer says what to do', async () => {
  await using api = await setup();
  const without = await api.call('DELETE', '/silences');
  const unknown = await api.call('DELETE', '/silences?id=s-nobody');

  expect(without).toMatchObject({ status: 400, body: { detail: expect.stringContaining('DELETE /v1/silences/{id}') } });
  expect(unknown).toMatchObject({ status: 404, body: { detail: expect.stringContaining('GET /v1/silences') } });
});

test('decisions are listed since a time or for a while back; an unknown rule gets the name that was probably meant', async () => {
  await using api = await setup();
  const { call, state, ruleset } = api;
  await observe(state, ruleset, 'a', 'HEALTHY');
  await observe(state, ruleset, 'a', 'STARVING');
  await state.transact((tx) => tx.set(kinds.channel.of(arnOf('a')), { arn: arnOf('a'), name: 'a' } as Channel));
  const count = async (query: string) => (await call('GET', `/decisions?${query}`)).body.decisions.length;

  expect(await count('rule=slate&since=1h')).toBe(1);
  expect(await count('since=2020-01-01T00:00:00Z')).toBe(1);
  expect(await count('since=1h&until=1h')).toBe(0);
  expect(await count('rule=slate&outcome=acted')).toBe(0);
  expect(await call('GET', '/decisions?since=soon')).toMatchObject({
    status: 400,
    body: { problems: [{ path: expect.stringContaining('since'), message: expect.stringContaining('such as 2h') }] },
  });
  expect(await call('GET', '/decisions?rule=slaet')).toMatchObject({
    status: 400,
    body: { detail: expect.stringContaining('query.rule: there is no rule slaet (did you mean slate?)') },
  });
  expect(await call('GET', `/rules/slat/explain/${encodeURIComponent(arnOf('a'))}`)).toMatchObject({
    status: 404,
    body: { detail: expect.stringContaining('did you mean slate?') },
  });
  expect(await call('GET', `/rules/slate/explain/${encodeURIComponent(arnOf('b'))}`)).toMatchObject({
    status: 404,
    body: { detail: expect.stringContaining(`did you mean ${arnOf('a')}?`) },
  });
  const explained = await call('GET', `/rules/slate/explain/${encodeURIComponent(arnOf('a'))}?since=1h`);
  expect(explained.body.decisions).toHaveLength(1);
});

test('a removed rule can be queried as long as the journal knows it', async () => {
  await using api = await setup();
  const former = rulesetOf(rules.replace('name: slate', 'name: former'));
  await observe(api.state, former, 'a', 'HEALTHY');
  await observe(api.state, former, 'a', 'STARVING');

  expect(await api.call('GET', '/decisions?rule=former&outcome=acted')).toMatchObject({
    status: 200,
    body: { decisions: [] },
  });
});
