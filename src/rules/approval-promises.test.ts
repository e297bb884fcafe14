// Random events, answers, reloads and delays, on either of two replicas that may run different rules: no approved action runs twice,
// without its approval, on another session, or when it must not.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Approval } from '#domain/approval.ts';
import type { Ruleset } from '#domain/rule.ts';
import { kinds } from '#domain/state-registry.ts';
import { arnOf, Engine, rulesetOf } from '#test/support/engine.ts';
import { hold, pause, release, resume } from './controls.ts';

const rulesOf = (count: number, mode = 'enforce') => `
rules:
  - name: stop
    mode: ${mode}
    trigger: {state: {health: [STARVING]}}
    keep_firing_for: 5s
    actions:
      - {stop_stream: {}, approval: {count: ${count}, timeout: 40s}}
      - {after: 10s, set_recording: {configuration: none}, approval: {timeout: 30s}}
    on_resolve: [{tag: {set: {state: fine}}, approval: {timeout: 30s}}]
    guards: {cooldown: 0s, max_per_hour: 1000}
  - name: rotate
    mode: ${mode}
    trigger: {event: {detail: {event_name: [Stream End]}}}
    actions: [{rotate_stream_key: {deliver: {file: /run/keys/x}}, approval: {timeout: 40s}}]
    guards: {cooldown: 0s, max_per_hour: 1000, max_event_age: 1h}
`;
/** Mostly the first: people put things right again. */
const variants: readonly Ruleset[] = [1, 1, 1, 2, 2]
  .map((count) => rulesOf(count))
  .concat(rulesOf(1, 'dry_run'), 'rules: []')
  .map((text) => rulesetOf(text));

const channel = fc.constantFrom('a', 'b');
const command = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 12 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('starve' as const, 'starve' as const, 'recover' as const), channel }),
  },
  // `turn`: the stream ends, and another begins before anybody has noticed.
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('end' as const, 'start' as const, 'turn' as const), channel }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('hold' as const, 'release' as const, 'release' as const), channel }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('pause' as const, 'resume' as const, 'resume' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reload' as const), variant: fc.nat(variants.length - 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('other replica' as const, 'restart' as const) }) },
  {
    weight: 14,
    arbitrary: fc.record({
      do: fc.constantFrom('approve' as const, 'approve' as const, 'approve' as const, 'reject' as const),
      // Any that ever existed, the newest first.
      which: fc.nat(3),
      // Ann uses two ways to sign in, and is one person.
      who: fc.constantFrom('token ann', 'token bob', 'user Ann'),
      times: fc.constantFrom(1, 1, 2),
    }),
  },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

class Run {
  readonly engine = new Engine(variants[0]!);
  #other: Ruleset = variants[0]!;
  readonly #held = new Set<string>();
  #paused = false;
  /** Who has given which answer to what, as the people remember it. */
  readonly #said: { readonly id: string; readonly who: string; readonly kind: 'approve' | 'reject' }[] = [];
  readonly #ids: string[] = [];
  #ends = 0;
  #seen = 0;

  async start(): Promise<void> {
    for (const name of ['a', 'b']) await this.engine.goLive(name);
  }

  async run(one: Command): Promise<void> {
    const { engine } = this;
    const ask = { who: 'ann', reason: 'test' };
    const record = 'channel' in one ? engine.state.view.get(kinds.stream.of(arnOf(one.channel))) : undefined;
    switch (one.do) {
      case 'wait':
        await engine.goTo(engine.seconds + one.seconds);
        break;
      case 'starve':
      case 'recover':
        if (record?.state === 'live') await engine.health(one.channel, one.do === 'starve' ? 'STARVING' : 'HEALTHY');
        break;
      case 'end':
      case 'turn':
        if (record?.state !== 'live') break;
        this.#ends += 1;
        await engine.endStream(one.channel);
        await engine.event(
          one.channel,
          'IVS Stream State Change',
          { event_name: 'Stream End' },
          { id: `e${this.#ends}` },
        );
        if (one.do === 'turn') await engine.goLive(one.channel);
        break;
      case 'start':
        if (record?.state !== 'live') await engine.goLive(one.channel);
        break;
      case 'hold':
        this.#held.add(one.channel);
        await engine.commit((tx) => (hold(tx, { ...ask, channelArn: arnOf(one.channel) }), []));
        break;
      case 'release':
        this.#held.delete(one.channel);
        await engine.commit((tx) => (release(tx, { ...ask, channelArn: arnOf(one.channel) }), []));
        break;
      case 'pause':
        this.#paused = true;
        await engine.commit((tx) => (pause(tx, ask), []));
        break;
      case 'resume':
        this.#paused = false;
        await engine.commit((tx) => (resume(tx, ask), []));
        break;
      case 'reload':
        engine.ruleset = variants[one.variant]!;
        break;
      case 'other replica':
        [engine.ruleset, this.#other] = [this.#other, engine.ruleset];
        break;
      case 'restart':
        engine.options = { startedAtMs: engine.nowMs + 1 };
        engine.nowMs += 1;
        await engine.poll();
        break;
      case 'approve':
      case 'reject':
        await this.#answer(one);
        return;
    }
    this.#note();
    expect(engine.jobs.slice(this.#seen), 'nothing that needs a yes without one').toEqual([]);
  }

  async #answer({ do: kind, which, who, times }: Command & { do: 'approve' | 'reject' }): Promise<void> {
    const { engine } = this;
    const id = this.#ids.at(-1 - which);
    if (id === undefined) return;
    for (let press = 0; press < times; press += 1) {
      const before = engine.state.view.get(kinds.approval.of(id));
      const answered = await engine.answer(kind, { id, who });
      if (answered.ok && !answered.repeated) this.#said.push({ id, who, kind });
      this.#checkActs(id, before);
    }
  }

  /** What one answer caused. */
  #checkActs(id: string, before: Approval | undefined): void {
    const { engine } = this;
    const jobs = engine.jobs.slice(this.#seen);
    this.#seen = engine.jobs.length;
    this.#note();
    if (jobs.length === 0) return;
    expect(jobs, 'one action for one approval').toHaveLength(1);
    const [job] = jobs as [Engine['jobs'][number]];
    const after = engine.state.view.get(kinds.approval.of(id));
    expect(before?.state, 'nothing for one that was over').toBe('waiting');
    expect(after).toMatchObject({ state: 'approved', jobId: job.jobId });
    const said = this.#said.filter((one) => one.id === id);
    expect(
      said.every(({ kind }) => kind === 'approve'),
      'nothing that was rejected',
    ).toBe(true);
    expect(
      new Set(said.map(({ who }) => who.replace(/^\w+ /, '').toLowerCase())).size,
      'as many people as the rule asks for',
    ).toBe(before?.terms.count);
    expect(engine.nowMs, 'nothing after its time').toBeLessThan(before!.untilMs);
    expect(this.#paused, 'nothing while paused').toBe(false);
    const name = before?.channelArn?.split('/')[1];
    expect(this.#held.has(name ?? ''), 'nothing on a held channel').toBe(false);
    expect(
      engine.ruleset.rules.find((rule) => rule.name === before?.rule)?.hash,
      'nothing by another rule than the one that asked',
    ).toBe(before?.ruleHash);
    const record = engine.state.view.get(kinds.stream.of(before!.channelArn!));
    expect(job.payload, 'what was approved is what is done').toMatchObject({
      action: before?.action,
      params: before?.params,
      channelArn: before?.channelArn,
      streamId: before?.streamId,
    });
    if (record?.state === 'live') expect(record.streamId, 'nothing on another session').toBe(job.payload.streamId);
    if (before?.action === 'stop_stream' || before?.action === 'set_recording')
      expect(record, 'only while the condition holds').toMatchObject({ state: 'live', health: 'STARVING' });
    expect(new Set(engine.jobs.map(({ jobId }) => jobId)).size, 'no action twice').toBe(engine.jobs.length);
  }

  #note(): void {
    for (const [id] of this.engine.state.view.entries(kinds.approval)) if (!this.#ids.includes(id)) this.#ids.push(id);
  }

  get acted(): number {
    return this.engine.jobs.length;
  }
}

test('no approved action runs twice, none runs without its approval, none on another session, and none when it must not', async () => {
  let acted = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 10, maxLength: 50, size: 'max' }), async (commands) => {
      const run = new Run();
      await run.start();
      for (const one of commands) await run.run(one);
      // A reload is noticed at the next evaluation: a daemon evaluates a few times a second, the engine here only when something is due.
      await run.run({ do: 'wait', seconds: 1 });
      // Long enough for withheld actions to request approval, and for that to time out.
      await run.run({ do: 'wait', seconds: 300 });
      acted += run.acted;
      // Nothing waits forever.
      const waiting = Array.from(run.engine.state.view.entries(kinds.approval)).filter(
        ([, { state }]) => state === 'waiting',
      );
      expect(waiting).toEqual([]);
    }),
    { numRuns: 120 },
  );
  expect(acted, 'the sequences act at all').toBeGreaterThan(30);
});
