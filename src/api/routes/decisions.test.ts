import { expect, test } from 'vitest';
import type { Decision } from '#domain/decision.ts';
import type { Ruleset } from '#domain/rule.ts';
import { recordDecisions } from '#journal/record.ts';
import { ShardDirectory } from '#shard/directory.ts';
import { MemoryState } from '#store/memory-state.ts';
import { askedRoutes } from '#test/support/asked-routes.ts';
import { decisionRoutes } from './decisions.ts';

const startMs = Date.parse('2026-11-20T10:00:00Z');
const arn = 'arn:aws:ivs:us-west-2:111122223333:channel/aaaabbbbcccc';

/** 250 decisions, ten at each moment; every other one acted. */
async function setup() {
  let nowMs = startMs;
  const state = new MemoryState({ now: () => nowMs });
  for (let moment = 0; moment < 25; moment += 1) {
    nowMs = startMs + moment * 1000;
    await state.transact((tx) =>
      recordDecisions(
        tx,
        Array.from({ length: 10 }, (_, index): Decision => {
          const acted = index % 2 === 0;
          return {
            id: `d-${moment}-${index}`,
            rule: index < 5 ? 'slate' : 'stop',
            mode: 'enforce',
            outcome: acted ? 'acted' : 'not_fired',
            reason: acted ? 'step_due' : 'for_not_reached',
            atMs: nowMs,
            channelArn: arn,
            channelName: `Show ${moment}`,
            group: arn,
            cause: 'c',
            ...(acted ? { afterMs: 180_000 } : {}),
            trigger: { kind: 'state', sinceMs: nowMs - 12_000, text: 'health is STARVING', values: {} },
            guards: [],
            jobs: [],
            withheld: [],
          };
        }),
      ),
    );
  }
  const rules = [{ name: 'slate' }, { name: 'stop' }];
  const shard = {
    name: 'main',
    region: 'us-west-2',
    accountId: '111122223333',
    state,
    ruleset: { rules } as unknown as Ruleset,
    startedAtMs: startMs,
  };
  return askedRoutes(decisionRoutes({ shards: new ShardDirectory([shard]) }));
}

test('a search continues over pages and returns each row once, even if many are of the same moment', async () => {
  const ask = await setup();
  const ids: string[] = [];
  for (let after = ''; ; ) {
    const { body } = await ask('GET', `/decisions?text=show%20min%20after&rule=slate&limit=7${after}`);
    ids.push(...body.decisions.map(({ id }: { id: string }) => id));
    for (const { words, rule } of body.decisions) expect([words, rule]).toEqual(['3 min after firing', 'slate']);
    if (body.next === undefined) break;
    after = `&after=${body.next}`;
  }
  expect(ids).toHaveLength(75);
  expect(new Set(ids).size).toBe(75);
  const { body } = await ask('GET', '/decisions?text=SHOW%2017&outcome=not_fired');
  expect(body.decisions.map(({ words }: { words: string }) => words)).toEqual(Array(5).fill('over after 12 s'));
});

test('refuses a misspelt choice, parameter or rule, and names the nearest one', async () => {
  const ask = await setup();
  const said = async (query: string) => {
    const { status, body } = await ask('GET', `/decisions?${query}`);
    return `${status} ${body.detail}`;
  };
  expect(await said('outcome=actd')).toMatch(/^400 query\.outcome: .*; did you mean acted\?$/);
  expect(await said('reason=for-not-reachd')).toMatch(/^400 query\.reason: .*; did you mean for_not_reached\?$/);
  expect(await said('outcome=zebra')).not.toContain('did you mean');
  expect(await said('txt=slate')).toBe('400 query.txt: unknown field; did you mean text?');
  expect(await said('rule=slat')).toContain('did you mean slate?');
  expect(await said('after=yesterday')).toMatch(/^400 query\.after: /);
});

test('a link to a deleted decision says how far back the journal reaches', async () => {
  const ask = await setup();
  const { status, body } = await ask('GET', '/decisions/d-gone');
  expect([status, body.detail]).toEqual([
    404,
    'the journal knows no decision d-gone: the journal has what acted, was held back or resolved since 2026-11-20T10:00:00.000Z, the rest since 2026-11-20T10:00:00.000Z',
  ]);
});
