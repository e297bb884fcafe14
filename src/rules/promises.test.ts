// Properties that no sequence of observations, restarts, reloads, repeats and operator's commands may break. A model beside the
// engine knows, in a few lines, since when each channel has been starving and what an operator has said.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arnOf, Engine, epochMs, rulesetOf } from '#test/support/engine.ts';
import { expireSilence, hold, pause, release, resume, silence } from './controls.ts';

const forMs = 20_000;
const rules = `
receivers: [{name: noc, webhook_configs: [{url: "https://noc.example/hook", send_resolved: false}]}]
inhibit_rules:
  - {source_matchers: ['rule="mass"'], target_matchers: ['rule="stop"']}
rules:
  - name: stop
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    for: 20s
    keep_firing_for: 5s
    actions: [{put_metadata: {payload: slate}}, {after: 15s, stop_stream: {}}]
    on_resolve: [{put_metadata: {payload: gone}}]
    guards: {cooldown: 30s, max_per_hour: 5, max_live_percent: 100}
  - name: mass
    mode: enforce
    trigger: {aggregate: {health: [STARVING], count: [{numeric: [">=", 4]}], min_live: 4}}
    actions: [{emit_event: {detail_type: mass, detail: {}}}]
    guards: {cooldown: 0s}
  - name: hello
    mode: enforce
    trigger: {event: {detail: {event_name: [Stream Start]}}}
    actions: [{put_metadata: {payload: hello}}]
    guards: {cooldown: 10s, max_per_hour: 4, max_live_percent: 100}
`;
const channels = ['a', 'b', 'c', 'd'] as const;

const operatorsAndOutages = [
  'pause',
  'resume',
  'silence',
  'expire',
  'restart',
  'reload',
  'gap',
  'gap over',
  'poll',
] as const;
const channel = fc.constantFrom(...channels);
const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('starve' as const), channel }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('recover' as const), channel }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('end' as const, 'start' as const), channel }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('event' as const), channel, id: fc.integer({ min: 0, max: 4 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('hold' as const, 'release' as const), channel }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom(...operatorsAndOutages),
    }),
  },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

class Run {
  readonly engine = new Engine(rules);
  /** Since when the channel has been starving, in data time. */
  readonly starvingSince = new Map<string, number>();
  readonly held = new Set<string>();
  paused = false;
  silence: { id: string; endsMs: number } | undefined;
  gapSince: number | undefined;
  frozenMs = 0;
  warm = true;
  #checked = 0;

  get dataMs(): number {
    return (this.gapSince ?? this.engine.nowMs) - this.frozenMs;
  }

  async start(): Promise<void> {
    for (const name of channels) await this.engine.goLive(name);
    await this.engine.poll();
  }

  /** Lets time pass in small steps, so that every act is seen at its moment. */
  async wait(seconds: number): Promise<void> {
    for (let step = 0; step < seconds; step += 1) {
      await this.engine.goTo(this.engine.seconds + 1);
      this.check();
    }
  }

  async run(one: Command): Promise<void> {
    const { engine } = this;
    const ask = { who: 'ann', reason: 'test' };
    switch (one.do) {
      case 'wait':
        await this.wait(one.seconds);
        break;
      case 'starve':
        if (!this.starvingSince.has(one.channel) && this.#isLive(one.channel)) {
          this.starvingSince.set(one.channel, this.dataMs);
          await engine.health(one.channel, 'STARVING');
        }
        break;
      case 'recover':
        if (this.#isLive(one.channel)) await this.#recover(one.channel, () => engine.health(one.channel, 'HEALTHY'));
        break;
      case 'end':
        if (this.#isLive(one.channel)) await this.#recover(one.channel, () => engine.endStream(one.channel));
        break;
      case 'start':
        if (!this.#isLive(one.channel)) await engine.goLive(one.channel);
        break;
      case 'event':
        await engine.event(
          one.channel,
          'IVS Stream State Change',
          { event_name: 'Stream Start' },
          { id: `e${one.id}` },
        );
        break;
      case 'hold':
        this.held.add(one.channel);
        await engine.commit((tx) => (hold(tx, { ...ask, channelArn: arnOf(one.channel) }), []));
        break;
      case 'release':
        this.held.delete(one.channel);
        await engine.commit((tx) => (release(tx, { ...ask, channelArn: arnOf(one.channel) }), []));
        break;
      case 'pause':
        this.paused = true;
        await engine.commit((tx) => (pause(tx, ask), []));
        break;
      case 'resume':
        this.paused = false;
        await engine.commit((tx) => (resume(tx, ask), []));
        break;
      case 'silence':
        if (!this.silence || this.silence.endsMs <= engine.nowMs)
          await engine.commit((tx) => {
            const endsMs = tx.nowMs + 25_000;
            this.silence = { id: silence(tx, { ...ask, matchers: ['rule="stop"'], endsMs }).id, endsMs };
            return [];
          });
        break;
      case 'expire':
        if (this.silence) {
          const { id } = this.silence;
          this.silence = undefined;
          await engine.commit((tx) => (expireSilence(tx, { ...ask, id }), []));
        }
        break;
      case 'restart':
        engine.nowMs += 1;
        engine.options = { startedAtMs: engine.nowMs };
        this.warm = false;
        break;
      case 'reload':
        engine.ruleset = rulesetOf(rules);
        break;
      case 'gap':
        this.gapSince ??= engine.nowMs;
        await engine.gap('began');
        break;
      case 'gap over':
        if (this.gapSince !== undefined) this.frozenMs += engine.nowMs - this.gapSince;
        this.gapSince = undefined;
        await engine.gap('ended');
        break;
      case 'poll':
        this.warm = true;
        await engine.poll();
    }
    this.check();
  }

  #isLive(name: string): boolean {
    return engineRecord(this.engine, name)?.state === 'live';
  }

  async #recover(name: string, change: () => Promise<unknown>): Promise<void> {
    this.starvingSince.delete(name);
    await change();
  }

  /** Every job that was enqueued since the last look was allowed at this moment. */
  check(): void {
    const { engine } = this;
    const ids = engine.jobs.map(({ jobId }) => jobId);
    expect(new Set(ids).size, 'no action twice for one cause').toBe(ids.length);
    for (const job of engine.jobs.slice(this.#checked)) this.#checkJob(job);
    this.#checked = engine.jobs.length;
  }

  #checkJob({ name, payload, atMs }: Engine['jobs'][number]): void {
    const rule = payload.cause.kind === 'rule' ? payload.cause.rule : '';
    // Notices of alerts are about the rule, not about a channel.
    if (name === 'notify') return;
    expect(this.warm, 'nothing before the first complete poll').toBe(true);
    expect(this.paused, 'nothing while paused').toBe(false);
    const id = payload.channelArn?.split('/')[1];
    if (id === undefined) return;
    expect(this.held.has(id), 'nothing on a held channel').toBe(false);
    if (rule !== 'stop') return;
    if (this.silence) expect(atMs, 'nothing while silenced').toBeGreaterThanOrEqual(this.silence.endsMs);
    const resolves = (payload.params as { payload?: unknown }).payload === 'gone';
    const starving = [...this.starvingSince.keys()].filter((other) => this.#isLive(other)).length;
    if (this.gapSince === undefined) expect(starving, 'nothing while inhibited').toBeLessThan(4);
    if (resolves) return;
    expect(this.gapSince, 'nothing while data is missing').toBeUndefined();
    const sinceMs = this.starvingSince.get(id);
    expect(sinceMs, 'only while the condition holds').toBeDefined();
    // A condition that came back within keep_firing_for is the same firing, which `after` counts from.
    if (name !== 'stop_stream') expect(this.dataMs - sinceMs!, '`for` is never early').toBeGreaterThanOrEqual(forMs);
  }
}

function engineRecord(engine: Engine, name: string): { state: string } | undefined {
  return engine.state.view.get<{ state: string }>(`stream/${arnOf(name)}`);
}

/** Firings of a rule in any trailing hour. */
function mostPerHour(engine: Engine, rule: string): number {
  const fired = engine.decisions.filter((decision) => decision.rule === rule && decision.reason === 'fired');
  return Math.max(
    0,
    ...fired.map(({ atMs }) => fired.filter((other) => other.atMs <= atMs && other.atMs > atMs - 3_600_000).length),
  );
}

test('no sequence acts twice for one cause, while held, silenced, inhibited or paused, too early, or more than a cap allows', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 40 }), async (commands) => {
      const run = new Run();
      await run.start();
      for (const one of commands) await run.run(one);
      // Whatever still waits comes to its end.
      await run.run({ do: 'poll' });
      await run.wait(60);

      expect(mostPerHour(run.engine, 'stop')).toBeLessThanOrEqual(5);
      expect(mostPerHour(run.engine, 'hello')).toBeLessThanOrEqual(4);
      expect(run.engine.nowMs).toBeGreaterThan(epochMs);
    }),
    { numRuns: 80 },
  );
}, 60_000);

test('the same sequence gives the same decisions, whether a process lives through it or is replaced after every step', async () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ do: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ do: fc.constant('starve' as const), channel }),
      fc.record({ do: fc.constant('recover' as const), channel }),
    ),
    { minLength: 3, maxLength: 25 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (commands) => {
      const [living, replaced] = [new Run(), new Run()];
      for (const run of [living, replaced]) await run.start();
      for (const one of commands) {
        await living.run(one);
        // A new process compiles the same file anew, and remembers nothing by itself.
        await replaced.run({ do: 'reload' });
        await replaced.run(one);
      }

      expect(replaced.engine.story).toEqual(living.engine.story);
    }),
    { numRuns: 20 },
  );
}, 60_000);

test('no wave of starving channels, however it is spread, gets more of them stopped than the cap allows', async () => {
  const capped = rulesetOf(`
rules:
  - name: stop
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    for: 10s
    actions: [{stop_stream: {}}]
    guards: {cooldown: 0s, max_live_percent: 30}
`);
  const live = 10;
  const wave = fc.array(
    fc.record({
      channel: fc.integer({ min: 0, max: live - 1 }),
      seconds: fc.integer({ min: 0, max: 20 }),
      starves: fc.boolean(),
    }),
    { minLength: 5, maxLength: 40 },
  );
  await fc.assert(
    fc.asyncProperty(wave, async (steps) => {
      const engine = new Engine(capped);
      for (let index = 0; index < live; index += 1) await engine.goLive(`c${index}`);
      for (const { channel: index, seconds, starves } of steps) {
        await engine.health(`c${index}`, starves ? 'STARVING' : 'HEALTHY');
        await engine.goTo(engine.seconds + seconds);
      }
      await engine.goTo(engine.seconds + 60);

      const stops = engine.jobs.filter(({ name }) => name === 'stop_stream');
      for (const { atMs } of stops) {
        const before = stops.filter((stop) => stop.atMs <= atMs && stop.atMs > atMs - 300_000);
        expect(new Set(before.map(({ payload }) => payload.channelArn)).size).toBeLessThanOrEqual(3);
      }
    }),
    { numRuns: 60 },
  );
}, 60_000);
