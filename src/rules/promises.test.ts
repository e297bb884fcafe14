// Properties that no sequence of observations, restarts, reloads, repeats and operator actions may break, whichever of two replicas takes
// each step, even while they run different rules. A model beside the engine keeps, in a few lines, since when each channel has been
// starving and what an operator has done.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Ruleset } from '#domain/rule.ts';
import { kinds } from '#domain/state-registry.ts';
import { arnOf, Engine, epochMs, rulesetOf } from '#test/support/engine.ts';
import { expireSilence, hold, pause, release, resume, silence } from './controls.ts';

interface Variant {
  readonly forMs: number;
  /** `gone`: the file has no such rule. */
  readonly stop: 'enforce' | 'dry_run' | 'off' | 'gone';
  readonly payload: string;
}

/** The original file, and the ways in which people change it meanwhile. */
const variants = [
  { forMs: 20_000, stop: 'enforce', payload: 'slate' },
  { forMs: 20_000, stop: 'enforce', payload: 'other words' },
  { forMs: 35_000, stop: 'enforce', payload: 'slate' },
  { forMs: 20_000, stop: 'dry_run', payload: 'slate' },
  { forMs: 20_000, stop: 'off', payload: 'slate' },
  { forMs: 20_000, stop: 'gone', payload: 'slate' },
] as const satisfies readonly Variant[];

const stopRule = ({ forMs, stop, payload }: Variant) => `
  - name: stop
    mode: ${stop}
    trigger: {state: {health: [STARVING]}}
    for: ${forMs / 1000}s
    keep_firing_for: 5s
    actions: [{put_metadata: {payload: ${payload}}}, {after: 15s, stop_stream: {}}]
    on_resolve: [{put_metadata: {payload: gone}}]
    guards: {cooldown: 30s, max_per_hour: 2, max_live_percent: 100}`;

const rulesOf = (variant: Variant) => `
receivers: [{name: noc, webhook_configs: [{url: "https://noc.example/hook", send_resolved: false}]}]
inhibit_rules:
  - {source_matchers: ['rule="mass"'], target_matchers: ['rule="stop"']}
rules:${variant.stop === 'gone' ? '' : stopRule(variant)}
  - name: mass
    mode: enforce
    trigger: {aggregate: {health: [STARVING], count: [{numeric: [">=", 4]}], min_live: 4}}
    actions: [{emit_event: {detail_type: mass, detail: {}}}]
    guards: {cooldown: 0s}
  - name: hello
    mode: enforce
    trigger: {event: {detail: {event_name: [Stream Start]}}}
    actions: [{put_metadata: {payload: hello}}]
    guards: {cooldown: 10s, max_per_hour: 2, max_live_percent: 100}
  - name: rotate
    mode: enforce
    trigger: {event: {detail: {event_name: [Stream End]}}}
    while: {live: [false]}
    for: 15s
    actions: [{rotate_stream_key: {deliver: {file: /run/keys/x}}}]
    guards: {cooldown: 0s, max_per_hour: 100, max_live_percent: 100, max_event_age: 10m}
`;
const rulesets = variants.map((variant) => rulesetOf(rulesOf(variant)));
const rotateForMs = 15_000;
const channels = ['a', 'b', 'c', 'd'] as const;

const operatorsAndOutages = [
  'pause',
  'resume',
  'silence',
  'expire',
  'restart',
  'other replica',
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
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('hold' as const, 'release' as const, 'tag' as const, 'untag' as const),
      channel,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('reload' as const), variant: fc.nat(variants.length - 1) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('gap' as const), unseenSeconds: fc.integer({ min: 0, max: 25 }) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('redate' as const), channel, seconds: fc.integer({ min: -15, max: 15 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom(...operatorsAndOutages),
    }),
  },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

/** What one of two processes on the same state keeps in memory. */
interface Replica {
  ruleset: Ruleset;
  variant: Variant;
  startedAtMs: number | undefined;
  warm: boolean;
}

const newReplica = (): Replica => ({ ruleset: rulesets[0]!, variant: variants[0], startedAtMs: undefined, warm: true });

class Run {
  readonly engine = new Engine(rulesets[0]!);
  /** The active process first; during a roll-out of rules they differ. */
  replicas: readonly [Replica, Replica] = [newReplica(), newReplica()];
  /** Since when the channel has been starving, and for which time, counted from one. */
  readonly starving = new Map<string, { readonly sinceMs: number; readonly episode: number }>();
  /** Since when the channel has been offline after a Stream End. */
  readonly endedSince = new Map<string, number>();
  readonly held = new Set<string>();
  readonly tagged = new Set<string>();
  /** What has been acted for: not a second time. */
  readonly done = new Set<string>();
  readonly eventsSent = new Set<string>();
  hellos = 0;
  paused = false;
  silence: { id: string; endsMs: number } | undefined;
  gapSince: number | undefined;
  /** When there was no data: gaps that are over, from the last data on. */
  readonly unseen: (readonly [fromMs: number, toMs: number])[] = [];
  #checked = 0;
  #ends = 0;
  #episodes = 0;

  /** How much of the time since then was seen. */
  seenMs(sinceMs: number): number {
    const { nowMs } = this.engine;
    return this.unseen.reduce(
      (seen, [fromMs, toMs]) => seen - Math.max(0, toMs - Math.max(fromMs, sinceMs)),
      nowMs - sinceMs,
    );
  }

  async start(): Promise<void> {
    for (const name of channels) await this.engine.goLive(name);
    await this.engine.poll();
  }

  /** Lets time pass in small steps, so that every action is seen when it happens. */
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
        if (!this.starving.has(one.channel) && this.#isLive(one.channel)) {
          this.#episodes += 1;
          this.starving.set(one.channel, { sinceMs: engine.nowMs, episode: this.#episodes });
          await engine.health(one.channel, 'STARVING');
        }
        break;
      case 'redate':
        await this.#redate(one.channel, one.seconds * 1000);
        break;
      case 'recover':
        if (this.#isLive(one.channel)) await this.#recover(one.channel, () => engine.health(one.channel, 'HEALTHY'));
        break;
      case 'end':
        if (this.#isLive(one.channel)) {
          await this.#recover(one.channel, () => engine.endStream(one.channel));
          this.#ends += 1;
          this.endedSince.set(one.channel, engine.nowMs);
          await this.#event(one.channel, 'Stream End', `end-${this.#ends}`);
        }
        break;
      case 'start':
        if (!this.#isLive(one.channel)) {
          this.endedSince.delete(one.channel);
          await engine.goLive(one.channel);
        }
        break;
      case 'event':
        this.eventsSent.add(`e${one.id}`);
        await this.#event(one.channel, 'Stream Start', `e${one.id}`);
        break;
      case 'hold':
        this.held.add(one.channel);
        await engine.commit((tx) => (hold(tx, { ...ask, channelArn: arnOf(one.channel) }), []));
        break;
      case 'release':
        this.held.delete(one.channel);
        await engine.commit((tx) => (release(tx, { ...ask, channelArn: arnOf(one.channel) }), []));
        break;
      case 'tag':
        this.tagged.add(one.channel);
        await engine.channel(one.channel, { 'ops-hold': 'by hand' });
        break;
      case 'untag':
        this.tagged.delete(one.channel);
        await engine.channel(one.channel);
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
        this.#work({ ...this.replicas[0], startedAtMs: engine.nowMs, warm: false });
        break;
      case 'reload':
        this.#work({ ...this.replicas[0], ruleset: rulesets[one.variant]!, variant: variants[one.variant]! });
        break;
      case 'other replica':
        this.replicas = [this.replicas[1], this.replicas[0]];
        this.#work(this.replicas[0]);
        break;
      case 'gap':
        if (this.gapSince !== undefined) break;
        this.gapSince = Math.max(engine.nowMs - one.unseenSeconds * 1000, this.unseen.at(-1)?.[1] ?? epochMs);
        await engine.gap('began', 'poll', engine.nowMs - this.gapSince);
        break;
      case 'gap over':
        if (this.gapSince !== undefined) this.unseen.push([this.gapSince, engine.nowMs]);
        this.gapSince = undefined;
        await engine.gap('ended');
        break;
      case 'poll':
        for (const replica of this.replicas) replica.warm = true;
        await engine.poll();
    }
    this.check();
  }

  /** From now on this process takes the next steps. */
  #work(replica: Replica): void {
    this.replicas = [replica, this.replicas[1]];
    this.engine.ruleset = replica.ruleset;
    this.engine.options = replica.startedAtMs === undefined ? {} : { startedAtMs: replica.startedAtMs };
  }

  #event(name: string, eventName: string, id: string): Promise<unknown> {
    return this.engine.event(name, 'IVS Stream State Change', { event_name: eventName }, { id });
  }

  #once(what: string): void {
    expect(this.done.has(what), `once only: ${what}`).toBe(false);
    this.done.add(what);
  }

  #isLive(name: string): boolean {
    return engineRecord(this.engine, name)?.state === 'live';
  }

  async #recover(name: string, change: () => Promise<unknown>): Promise<void> {
    this.starving.delete(name);
    await change();
  }

  /** A late delivery says that it has been starving for longer, or less long, than was known. */
  async #redate(name: string, byMs: number): Promise<void> {
    const known = this.starving.get(name);
    if (!known) return;
    const sinceMs = Math.min(known.sinceMs + byMs, this.engine.nowMs);
    this.starving.set(name, { ...known, sinceMs });
    await this.engine.stream(name, { healthSinceMs: sinceMs });
  }

  /** Every job that was enqueued since the last check was allowed at this moment. */
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
    const [{ warm, variant }] = this.replicas;
    expect(warm, 'nothing before the first complete poll').toBe(true);
    expect(this.paused, 'nothing while paused').toBe(false);
    const id = payload.channelArn?.split('/')[1];
    if (id === undefined) return;
    expect(this.held.has(id) || this.tagged.has(id), 'nothing on a held channel').toBe(false);
    if (rule === 'hello') this.hellos += 1;
    if (rule === 'rotate') this.#checkRotation(id);
    if (rule !== 'stop') return;
    const resolves = (payload.params as { payload?: unknown }).payload === 'gone';
    // What was done is undone, whatever became of the rule.
    if (!resolves) expect(variant.stop, 'nothing by a rule that is not in force').toBe('enforce');
    if (this.silence) expect(atMs, 'nothing while silenced').toBeGreaterThanOrEqual(this.silence.endsMs);
    const starving = [...this.starving.keys()].filter((other) => this.#isLive(other)).length;
    if (this.gapSince === undefined) expect(starving, 'nothing while inhibited').toBeLessThan(4);
    if (resolves) return;
    expect(this.gapSince, 'nothing while data is missing').toBeUndefined();
    const condition = this.starving.get(id);
    expect(condition, 'only while the condition holds').toBeDefined();
    // A condition that returned within keep_firing_for is the same firing, from which `after` counts.
    if (name !== 'stop_stream')
      expect(this.seenMs(condition!.sinceMs), '`for` is never early').toBeGreaterThanOrEqual(variant.forMs);
    this.#once(`${name} ${id} starving, time ${condition!.episode}`);
  }

  #checkRotation(id: string): void {
    const sinceMs = this.endedSince.get(id);
    expect(sinceMs, 'only while it is offline').toBeDefined();
    expect(this.seenMs(sinceMs!), '`for` is never early after an event').toBeGreaterThanOrEqual(rotateForMs);
    this.#once(`rotation of ${id} offline since ${sinceMs}`);
  }
}

function engineRecord(engine: Engine, name: string): { state: string } | undefined {
  return engine.state.view.get(kinds.stream.of(arnOf(name)));
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
      // Everything that still waits comes to its end.
      await run.run({ do: 'poll' });
      await run.wait(60);

      expect(mostPerHour(run.engine, 'stop')).toBeLessThanOrEqual(2);
      expect(mostPerHour(run.engine, 'hello')).toBeLessThanOrEqual(2);
      expect(run.hellos, 'one greeting for each event, however often it is told').toBeLessThanOrEqual(
        run.eventsSent.size,
      );
      expect(run.engine.nowMs).toBeGreaterThan(epochMs);
    }),
    { numRuns: 80 },
  );
});

test('the same sequence makes the same decisions, whether one process runs through it or a new one takes over after every step', async () => {
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
        // A new process compiles the same file again, and remembers nothing by itself.
        replaced.engine.ruleset = rulesetOf(rulesOf(variants[0]));
        await replaced.run(one);
      }

      expect(replaced.engine.story).toEqual(living.engine.story);
    }),
    { numRuns: 20 },
  );
});

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
});
