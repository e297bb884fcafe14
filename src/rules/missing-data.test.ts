// Missing data is never a reason to act. Rules and reducer together, while polls are late, fail, or return after a long time.
import { describe, expect, test } from 'vitest';
import type { StreamSnapshot } from '#domain/channel.ts';
import { slateRules } from '#test/support/engine.ts';
import { event, poll, snapshot } from '#test/support/streams.ts';
import { Watch } from '#test/support/watch.ts';

const everyMs = 15_000;

/** A complete sweep with these streams, now. */
const passOf = (watch: Watch, streams: StreamSnapshot[]) =>
  watch.see(poll('all', { at: watch.seconds * 1000, took: 0, streams, everyMs }));

/** A sweep with these streams at every interval until then. */
async function pollUntil(watch: Watch, seconds: number, streams: StreamSnapshot[]): Promise<void> {
  while (watch.seconds + everyMs / 1000 <= seconds) {
    await watch.goTo(watch.seconds + everyMs / 1000);
    await passOf(watch, streams);
  }
}

const healthy = (channel: string) => snapshot(channel, `s${channel}`);
const starving = (channel: string) => snapshot(channel, `s${channel}`, { health: 'STARVING' });
const starves = (channel: string, at: number) =>
  event('Starvation Start', { channel, stream: `s${channel}`, at: at * 1000 });

async function setup(more: string, streams = [healthy('A')], actions?: string) {
  const watch = new Watch(slateRules(`${more}\n    guards: {cooldown: 0s, max_live_percent: 100}`, actions));
  await passOf(watch, streams);
  return watch;
}

describe('polls fail', () => {
  test('a `for` shorter than the silence of a gap does not run out on unseen time', async () => {
    const watch = await setup('for: 15s');
    await watch.goTo(29);
    await watch.see(starves('A', 29));

    await watch.goTo(50);
    expect(watch.log).toEqual([]);
    expect(watch.lastReason('A')).toBe('data_gap');
    // Not a gap yet: what is seen again continues what was seen before.
    await passOf(watch, [starving('A')]);
    await watch.goTo(51);

    expect(watch.log).toEqual(['50.5 put_metadata A']);
  });

  test('a condition without `for` waits as well, and is dropped if the next poll shows that it is over', async () => {
    const watch = await setup('', [healthy('A'), healthy('B')]);
    await watch.goTo(40);
    await watch.see(starves('A', 40), starves('B', 40));
    expect(watch.log).toEqual([]);

    await watch.goTo(45);
    await passOf(watch, [healthy('A'), starving('B')]);
    await watch.goTo(60);

    expect(watch.log).toEqual(['45.5 put_metadata B']);
  });

  test('nothing of a gap counts from the last data on, however late the gap was noticed', async () => {
    const watch = await setup('for: 2m', [starving('A')]);
    await pollUntil(watch, 60, [starving('A')]);
    // Silent for 90 s, which is a gap after 60.
    await watch.goTo(150);
    await pollUntil(watch, 300, [starving('A')]);

    // 60 s before the gap, and 60 s from 165.5 on, when it was over.
    expect(watch.log).toEqual(['225.5 put_metadata A']);
  });

  test('an action with `after` counts only seen time', async () => {
    const watch = await setup('', [starving('A')], '[{put_metadata: {payload: slate}}, {after: 3m, stop_stream: {}}]');
    await pollUntil(watch, 60, [starving('A')]);
    await watch.goTo(600);
    await pollUntil(watch, 900, [starving('A')]);

    expect(watch.log).toEqual(['0 put_metadata A', '735.5 stop_stream A']);
  });

  test('on_data_gap: ignore acts on the last known state', async () => {
    const watch = new Watch(slateRules('for: 30s\n    guards: {on_data_gap: ignore}'));
    await passOf(watch, [starving('A')]);
    await watch.goTo(100);

    expect(watch.log).toEqual(['30 put_metadata A']);
  });
});

describe('after an hour in which no process ran', () => {
  test('nothing of the hour counts: what waited continues from where it was', async () => {
    const watch = await setup('for: 1m', [starving('A'), starving('B')]);
    await pollUntil(watch, 30, [starving('A'), starving('B')]);

    watch.downUntil(3_600);
    await passOf(watch, [starving('A'), healthy('B')]);
    await pollUntil(watch, 3_700, [starving('A'), healthy('B')]);

    // 30 s before, 30 s from 3600.5 on.
    expect(watch.log).toEqual(['3630.5 put_metadata A']);
  });

  test('a condition that is reported late was not seen since it began', async () => {
    const watch = await setup('for: 1m');
    await pollUntil(watch, 30, [healthy('A')]);

    watch.downUntil(3_600);
    await watch.see(starves('A', 1_800));
    await passOf(watch, [starving('A')]);
    await pollUntil(watch, 3_700, [starving('A')]);

    expect(watch.log).toEqual(['3660.5 put_metadata A']);
  });
});

describe('a stream that the first poll after a gap does not list', () => {
  test('is not acted on: the second poll ends it', async () => {
    const watch = await setup('', [healthy('A'), healthy('B')]);
    await watch.goTo(80);
    await watch.see(starves('A', 80), starves('B', 80));
    await watch.goTo(300);
    await passOf(watch, [starving('B')]);
    await watch.goTo(314);
    expect(watch.log).toEqual(['300.5 put_metadata B']);
    expect(watch.record('A')!.state).toBe('live');

    await pollUntil(watch, 360, [starving('B')]);

    expect(watch.log).toEqual(['300.5 put_metadata B']);
    expect(watch.record('A')!.state).toBe('ended');
  });

  test('is held back until it is listed again', async () => {
    const watch = await setup('for: 1m', [starving('A'), starving('B')]);
    await pollUntil(watch, 45, [starving('A'), starving('B')]);
    await watch.goTo(55);
    await passOf(watch, [starving('B')]);
    await watch.goTo(70);
    expect(watch.log).toEqual(['60 put_metadata B']);
    expect(watch.lastReason('A')).toBe('data_gap');

    await passOf(watch, [starving('A'), starving('B')]);
    await watch.goTo(71);

    expect(watch.log).toEqual(['60 put_metadata B', '70.5 put_metadata A']);
  });

  test('does not begin: its start is from the time of the gap, and its end was lost', async () => {
    const watch = new Watch(`
rules:
  - name: greet
    mode: enforce
    trigger: {state: {live: [true]}}
    actions: [{put_metadata: {payload: hello}}]
    guards: {cooldown: 0s}
`);
    await passOf(watch, []);
    watch.downUntil(7_200);
    await passOf(watch, []);
    await watch.see(event('Stream Start', { channel: 'A', stream: 'sA', at: 1_000_000, arrived: 7_200_000 }));
    await pollUntil(watch, 7_260, []);

    expect(watch.log).toEqual([]);
    expect(watch.record('A')!.state).toBe('ended');
  });

  test('neither begins nor ends an aggregate by itself', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `C${index}`);
    const watch = new Watch(`
rules:
  - name: mass
    mode: enforce
    trigger: {aggregate: {health: [STARVING], percent_of_live: [{numeric: [">=", 30]}], min_live: 5}}
    actions: [{emit_event: {detail_type: mass, detail: {}}}]
    on_resolve: [{emit_event: {detail_type: over, detail: {}}}]
    guards: {cooldown: 0s}
`);
    const all = (starve: number) => names.map((name, index) => (index < starve ? starving(name) : healthy(name)));
    await passOf(watch, all(0));
    // While polls are late, three are reported to starve; two of them are gone when polls return.
    await watch.goTo(50);
    await watch.see(...names.slice(0, 3).map((name) => starves(name, 49)));
    await watch.goTo(55);
    await passOf(
      watch,
      all(1).filter((_, index) => index !== 1 && index !== 2),
    );
    await watch.goTo(69);
    expect(watch.log).toEqual([]);
    await pollUntil(
      watch,
      99,
      all(1).filter((_, index) => index !== 1 && index !== 2),
    );
    expect(watch.log).toEqual([]);

    await passOf(watch, all(4));
    expect(watch.log).toEqual(['99 emit_event -']);
    await watch.goTo(110);
    await passOf(watch, all(4).slice(2));
    await watch.goTo(119);
    expect(watch.log).toHaveLength(1);
    await watch.goTo(120);
    await passOf(watch, all(4).slice(2));

    expect(watch.log).toEqual(['99 emit_event -', '120 emit_event -']);
  });
});
