import { expect, test } from 'vitest';
import type { Control } from '#domain/control.ts';
import { AppError } from '#domain/errors.ts';
import { kinds } from '#domain/state-registry.ts';
import { applyControl } from '#rules/controls.ts';
import { ShardDirectory } from '#shard/directory.ts';
import { MemoryState } from '#store/memory-state.ts';
import { askedRoutes } from '#test/support/asked-routes.ts';
import { arnOf, Engine, epochMs, slateRules } from '#test/support/engine.ts';
import { controlRoutes } from './controls.ts';

/** Two of three channels starve: in two minutes their streams are stopped. */
async function setup() {
  const engine = new Engine(
    slateRules(
      'for: 10s\n    guards: {max_live_percent: 100}',
      '[{put_metadata: {payload: slate}}, {after: 2m, stop_stream: {}}]',
    ),
  );
  for (const name of ['a', 'b', 'c']) await engine.channel(name, { show: name === 'a' ? 'quiz' : 'news' });
  for (const name of ['a', 'b', 'c']) await engine.goLive(name);
  await engine.streams(['a', 'b'].map((name) => [name, { health: 'STARVING' }] as const));
  await engine.goTo(20);
  const told: Control[] = [];
  const shard = {
    name: 'main',
    region: 'us-west-2',
    accountId: '111122223333',
    state: engine.state,
    ruleset: engine.ruleset,
    startedAtMs: epochMs,
  };
  const plugin = controlRoutes({
    shards: new ShardDirectory([shard]),
    onControl: (control) => void told.push(control),
  });
  const ask = askedRoutes(plugin, 'operator');
  return { engine, shard, ask, told };
}

test('does not report a missing timer or silence as gone while an account cannot be asked', async () => {
  const { shard } = await setup();
  const away = async (): Promise<never> => {
    throw new AppError('REDIS_UNREACHABLE', 'the server is away');
  };
  const sports = {
    name: 'sports',
    region: 'eu-west-1',
    accountId: '222233334444',
    read: away,
    transact: away,
    nowMs: () => epochMs,
  };
  const elsewhere = { shards: [sports], carriersOf: () => 'web-2' };
  const ask = askedRoutes(controlRoutes({ shards: new ShardDirectory([shard], elsewhere) }), 'operator');

  for (const path of ['/timers/t-1', '/silences/s-1']) {
    const { status, body } = await ask('DELETE', path);
    expect({ status, code: body.error?.code ?? body.code }, path).toEqual({ status: 503, code: 'REDIS_UNREACHABLE' });
    expect(JSON.stringify(body), path).toContain('sports: the server is away');
  }
});

const quiz = { matchers: ['action="stop_stream"', 'tag_show="quiz"'], reason: 'the host is late', duration: '1h' };

test('a dry run lists the planned actions that a silence would hold back; once it is in force, nothing is listed twice', async () => {
  const { ask } = await setup();
  const preview = async (matchers: readonly string[]) =>
    (await ask('POST', '/silences', { ...quiz, matchers, dryRun: true })).body;

  expect((await preview(quiz.matchers)).planned).toEqual({
    count: 1,
    examples: [
      {
        rule: 'slate',
        action: 'stop_stream',
        channelArn: arnOf('a'),
        channelName: 'a',
        due: new Date(epochMs + 130_000).toISOString(),
      },
    ],
  });
  expect((await preview(['rule="slate"'])).planned.count).toBe(2);
  expect((await preview(['rule="slate"', 'tag_show="film"'])).planned.count).toBe(0);
  expect((await ask('GET', '/silences')).body.silences).toEqual([]);
  await ask('POST', '/silences', quiz);
  expect((await preview(['rule="slate"'])).planned).toMatchObject({ count: 1, examples: [{ channelName: 'b' }] });
});

test('changes and extends a silence in one step, and then holds back accordingly', async () => {
  const { engine, ask, told } = await setup();
  const { id } = (await ask('POST', '/silences', quiz)).body;
  engine.nowMs += 60_000;

  const extended = await ask('PUT', `/silences/${id}`, { duration: '2h' });
  expect(extended.body).toMatchObject({
    replaces: id,
    matchers: quiz.matchers,
    reason: quiz.reason,
    author: 'token ann',
    ends: new Date(engine.nowMs + 7_200_000).toISOString(),
  });
  const changed = await ask('PUT', `/silences/${extended.body.id}`, { matchers: ['tag_show="news"'], reason: 'news' });
  expect(changed.body).toMatchObject({ matchers: ['tag_show="news"'], reason: 'news', ends: extended.body.ends });
  expect(changed.body.planned).toMatchObject({ count: 1, examples: [{ channelName: 'b', action: 'stop_stream' }] });
  const { silences } = (await ask('GET', '/silences')).body;
  expect(silences.map((silence: { id: string }) => silence.id)).toEqual([changed.body.id]);
  await engine.goTo(200);
  expect(engine.jobs.flatMap(({ name, payload }) => (name === 'stop_stream' ? [payload.channelArn] : []))).toEqual([
    arnOf('a'),
  ]);

  // Replaying the recorded changes results in the same silence under the same id.
  const replayed = new MemoryState({ now: () => epochMs });
  for (const control of told) await replayed.transact((tx) => applyControl(tx, control));
  expect(Array.from(replayed.view.entries(kinds.silence), ([key]) => key)).toEqual([changed.body.id]);
});

test('of two people who change the same silence, one learns that it was replaced, by whom and when', async () => {
  const { ask } = await setup();
  const { id } = (await ask('POST', '/silences', quiz)).body;

  const both = await Promise.all(['2h', '3h'].map((duration) => ask('PUT', `/silences/${id}`, { duration })));
  expect(both.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 404]);
  expect(both.find(({ status }) => status === 404)?.body.detail).toBe(
    `there is no silence ${id}; GET /v1/silences lists those there are; what is left of it: expire_silence by ann, done at 2026-11-20T12:00:20.000Z (replaced)`,
  );
  expect((await ask('GET', '/silences')).body.silences).toHaveLength(1);
  const gone = await ask('DELETE', `/silences/${id}`);
  expect([gone.status, gone.body.detail]).toEqual([404, expect.stringContaining('(replaced)')]);
});

test('refuses an empty or impossible change, and changes nothing', async () => {
  const { ask } = await setup();
  const { id } = (await ask('POST', '/silences', quiz)).body;
  const refused = async (body: object) => {
    const { status, body: answer } = await ask('PUT', `/silences/${id}`, body);
    return [status, answer.code, answer.detail];
  };
  expect(await refused({})).toEqual([400, 'REQUEST_INVALID', expect.stringContaining('at least one of matchers')]);
  expect(await refused({ matcher: ['x'] })).toEqual([
    400,
    'REQUEST_INVALID',
    expect.stringContaining('did you mean matchers?'),
  ]);
  expect(await refused({ matchers: ['rule=~"("'] })).toEqual([400, 'REQUEST_INVALID', expect.anything()]);
  expect(await refused({ duration: '32d' })).toEqual([400, 'REQUEST_INVALID', expect.stringContaining('1s to 31d')]);
  expect((await ask('GET', '/silences')).body.silences.map((silence: { id: string }) => silence.id)).toEqual([id]);
});
