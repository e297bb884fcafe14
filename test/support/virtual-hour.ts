// An hour of virtual time for reducer, rules and controls, with two replicas on a state that can be lost. The truth, and what people have
// requested, is kept next to them in a few lines; every decision is compared with it when it is made.
import type { ActionJob } from '#domain/action.ts';
import type { Channel } from '#domain/channel.ts';
import type { Decision } from '#domain/decision.ts';
import type { EventObservation, Observation } from '#domain/observation.ts';
import type { Ruleset } from '#domain/rule.ts';
import { settledAfterRepairMs } from '#domain/state-loss.ts';
import { kinds } from '#domain/state-registry.ts';
import { expireSilence, hold, pause, release, resume, silence } from '#rules/controls.ts';
import { decideAll, decideAnswer, decideDue } from '#rules/decide.ts';
import { ruleMemories, withheldMoments } from '#rules/memory.ts';
import { failoverMs } from '#rules/state-loss.ts';
import { Pipeline } from '#src/pipeline.ts';
import { applyObservation, splitObservation } from '#streams/changes.ts';
import { detectGaps } from '#streams/gaps.ts';
import { ForgetfulReplica, ForgetfulStore } from './forgetful-state.ts';
import { seededRandom } from './quiet.ts';
import { arnOf, poll, startMs } from './streams.ts';
import { names, VirtualFleet } from './virtual-fleet.ts';
import { lastingRules, momentRules, rulesets, stateRules } from './virtual-hour-rules.ts';

const stepMs = 1_000;
const starvingEveryMs = 5_000;
const fullEveryMs = 15_000;
const by = { who: 'ann', reason: 'soak' };

interface Replica {
  state: ForgetfulReplica;
  pipeline: Pipeline;
  startedAtMs: number;
}

interface Silenced {
  readonly id: string;
  readonly rule?: string;
  readonly channel?: string;
  readonly endsMs: number;
}

export class VirtualHour {
  readonly counts: Record<string, number> = {};
  readonly #random: () => number;
  #nowMs = startMs;
  readonly #store = new ForgetfulStore(() => this.#nowMs);
  #ruleset: Ruleset = rulesets[0]!;
  #replicas: Replica[] = [];
  readonly #fleet = new VirtualFleet(() => this.#at());
  readonly #tags = new Set<string>();
  /** What people have requested. */
  #paused = false;
  readonly #held = new Set<string>();
  #silences: Silenced[] = [];
  /** When the person who compares controls after a loss resumes. */
  #resumeAtMs: number | undefined;
  #noPollsUntilMs = 0;
  #onTheWay: { readonly atMs: number; readonly observation: EventObservation }[] = [];
  /** Between two losses each cause is acted on once. */
  readonly #done = new Set<string>();
  /** A condition that a rule has acted on and that has not ended: rule and channel. */
  readonly #firing = new Set<string>();
  /** Causes that were accepted, and the journal's last entry: by rule and cause. */
  readonly #verdicts = new Map<string, string>();
  readonly #accepted = new Set<string>();
  /** The last steps, for the analysis of a failure. */
  readonly #story: string[] = [];

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#replicas = [this.#start(), this.#start()];
  }

  /** Plays it. @throws Error that names what was broken and what happened before */
  async play(seconds: number): Promise<void> {
    await this.#inventory();
    for (const name of names.slice(0, 6)) this.#send(this.#fleet.begin(name));
    for (let step = 0; step < seconds; step += 1) {
      await this.#advance();
      await this.#happen();
    }
    await this.#quiet();
    this.#checkVerdicts();
  }

  #at(): number {
    return this.#nowMs - startMs;
  }

  #count(what: string, by = 1): void {
    this.counts[what] = (this.counts[what] ?? 0) + by;
  }

  #note(text: string): void {
    this.#story.push(`${this.#at() / 1000} ${text}`);
    if (this.#story.length > 60) this.#story.shift();
  }

  #broken(what: string): never {
    throw new Error(`${what}\nat ${this.#at() / 1000} s, after:\n${this.#story.join('\n')}`);
  }

  #chance(perHour: number): boolean {
    return this.#random() < perHour / 3_600;
  }

  #below(most: number): number {
    return Math.floor(this.#random() * most);
  }

  #any<T>(all: readonly T[]): T {
    return all[this.#below(all.length)]!;
  }

  #start(): Replica {
    const state = new ForgetfulReplica(this.#store);
    const startedAtMs = this.#nowMs;
    const options = (tx: Parameters<typeof settledAfterRepairMs>[0]) => ({
      startedAtMs: Math.max(startedAtMs, settledAfterRepairMs(tx)),
    });
    const pipeline = new Pipeline({
      state,
      ruleset: this.#ruleset,
      stages: {
        split: splitObservation,
        apply: (tx, observation) => applyObservation(tx, observation, { retentionMs: 60 * 86_400_000 }),
        decide: (tx, changes, ruleset) => decideAll(tx, changes, ruleset, options(tx)),
        decideDue: (tx, ruleset) => decideDue(tx, ruleset, options(tx)),
        decideAnswer: (tx, said, ruleset) => decideAnswer(tx, said, ruleset, options(tx)),
        release: () => undefined,
        detectGaps: (tx) => detectGaps(tx, { pollSilentAfterMs: 60_000, eventsSilentAfterMs: undefined }),
      },
      onCommitted: ({ decisions }) => {
        for (const decision of decisions) this.#judge(decision);
      },
    });
    return { state, pipeline, startedAtMs };
  }

  /** One second of everything that happens by itself. */
  async #advance(): Promise<void> {
    this.#nowMs += stepMs;
    this.#silences = this.#silences.filter(({ endsMs }) => endsMs > this.#nowMs);
    const due = this.#onTheWay.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#onTheWay = this.#onTheWay.filter(({ atMs }) => atMs > this.#nowMs);
    for (const { observation } of due) await this.#observe({ ...observation, arrivedAtMs: this.#nowMs });
    const polls = this.#nowMs >= this.#noPollsUntilMs;
    if (polls && this.#at() % starvingEveryMs === 0) await this.#poll('starving');
    if (polls && this.#at() % fullEveryMs === 0) await this.#poll('all');
    if (this.#at() % 60_000 === 0) await this.#inventory();
    for (const replica of this.#random() < 0.5 ? this.#replicas : this.#replicas.toReversed())
      await replica.pipeline.tick();
    await this.#takeJobs();
    this.#store.backUp(40);
    if (this.#resumeAtMs !== undefined && this.#nowMs >= this.#resumeAtMs) await this.#compareAndResume();
    if (withheldMoments(this.#store.view).length > 1_900) this.#broken('moments pile up');
  }

  /** The random events of this second. */
  async #happen(): Promise<void> {
    for (const name of names) {
      const { live, health } = this.#fleet.of(name);
      if (!live && this.#chance(60)) this.#send(this.#fleet.begin(name));
      else if (live && this.#chance(12)) this.#send(this.#fleet.end(name));
      else if (live && health === 'HEALTHY' && this.#chance(30)) this.#send(this.#fleet.health(name, 'STARVING'));
      else if (live && health === 'STARVING' && this.#chance(90)) this.#send(this.#fleet.health(name, 'HEALTHY'));
    }
    if (this.#chance(60)) this.#send(this.#fleet.breach());
    if (this.#chance(60)) await this.#request();
    if (this.#chance(20)) {
      this.#send(this.#fleet.odd(this.#any(names), this.#any([0, 1, 2, 3] as const)));
      this.#count('odd events');
    }
    if (this.#chance(12)) {
      this.#noPollsUntilMs = this.#nowMs + 1_000 * (10 + this.#below(170));
      this.#count('poll outages');
    }
    if (this.#chance(20)) this.#restart();
    if (this.#chance(8)) this.#reload();
    await this.#operate();
    if (this.#chance(6)) await this.#lose();
  }

  async #operate(): Promise<void> {
    const { pipeline: _, state } = this.#any(this.#replicas);
    if (!this.#paused && this.#chance(10)) {
      await state.transact((tx) => pause(tx, by));
      this.#paused = true;
      this.#note('pause');
      this.#count('pauses');
    } else if (this.#paused && this.#resumeAtMs === undefined && this.#chance(60)) {
      await state.transact((tx) => resume(tx, by));
      this.#paused = false;
      this.#note('resume');
    }
    const name = this.#any(names);
    if (this.#chance(40) && !this.#held.has(name)) {
      await state.transact((tx) => hold(tx, { ...by, channelArn: arnOf(name) }));
      this.#held.add(name);
      this.#note(`hold ${name}`);
      this.#count('holds');
    } else if (this.#held.has(name) && this.#chance(240)) {
      await state.transact((tx) => release(tx, { ...by, channelArn: arnOf(name) }));
      this.#held.delete(name);
      this.#note(`release ${name}`);
    }
    if (this.#chance(10)) {
      if (this.#tags.has(name) || this.#tags.size >= 2) this.#tags.clear();
      else this.#tags.add(name);
      this.#note(`tags ${[...this.#tags].join()}`);
      await this.#inventory();
    }
    if (this.#chance(20)) {
      const rule = this.#random() < 0.5 ? this.#any(['slate', 'quick', 'hello', 'rotate']) : undefined;
      const matchers = rule ? [`rule="${rule}"`] : [`channel="${arnOf(name)}"`];
      const endsMs = this.#nowMs + 1_000 * (20 + this.#below(300));
      const { id } = await state.transact((tx) => silence(tx, { ...by, matchers, endsMs }));
      this.#silences.push({ id, endsMs, ...(rule ? { rule } : { channel: name }) });
      this.#note(`silence ${rule ?? name}`);
      this.#count('silences');
    }
    if (this.#silences.length > 0 && this.#chance(20)) {
      const { id } = this.#silences.shift()!;
      await state.transact((tx) => expireSilence(tx, { ...by, id }));
      this.#note('silence expired');
    }
  }

  /** Most arrive soon; some late, some twice, in any resulting order. None is lost: what never arrives cannot be accepted. */
  #send(observation: EventObservation): void {
    const fate = this.#random();
    const delay = fate < 0.7 ? this.#below(2_000) : fate < 0.95 ? this.#below(60_000) : this.#below(900_000);
    this.#onTheWay.push({ atMs: this.#nowMs + delay, observation });
    if (this.#random() < 0.15) this.#onTheWay.push({ atMs: this.#nowMs + delay + this.#below(120_000), observation });
  }

  async #request(): Promise<void> {
    const channelArn = arnOf(this.#any(names));
    await this.#observe({
      kind: 'http',
      requestId: this.#fleet.newId(),
      name: 'score',
      channelArn,
      body: {},
      atMs: this.#nowMs,
    });
  }

  async #observe(observation: Observation): Promise<void> {
    const taken = await this.#any(this.#replicas).pipeline.observe(observation);
    this.#count('observations');
    const id =
      observation.kind === 'event'
        ? observation.envelope.id
        : observation.kind === 'http'
          ? observation.requestId
          : undefined;
    if (id === undefined) return;
    if (taken === 'repeated') this.#count('repeats');
    else
      for (const [rule, matches] of Object.entries(momentRules))
        if (matches(observation)) this.#accepted.add(`${rule} ${id}`);
  }

  async #poll(scope: 'starving' | 'all'): Promise<void> {
    const complete = this.#random() < 0.95;
    const streams = this.#fleet.listed(scope);
    const seen = complete ? streams : streams.slice(0, this.#below(streams.length + 1));
    await this.#observe(
      poll(scope, {
        at: this.#at(),
        took: 0,
        streams: seen,
        complete,
        everyMs: scope === 'all' ? fullEveryMs : starvingEveryMs,
      }),
    );
  }

  async #inventory(): Promise<void> {
    const channels = names.map(
      (name): Channel => ({
        arn: arnOf(name),
        name,
        type: 'STANDARD',
        latencyMode: 'LOW',
        recordingConfigurationArn: '',
        tags: this.#tags.has(name) ? { 'ops-hold': 'by hand' } : {},
      }),
    );
    await this.#observe({ kind: 'inventory', channels, removed: [], atMs: this.#nowMs, complete: true });
  }

  #restart(): void {
    const which = this.#below(2);
    this.#replicas[which] = this.#start();
    this.#note(`replica ${which} restarts`);
    this.#count('restarts');
  }

  #reload(): void {
    this.#ruleset = this.#any(rulesets);
    for (const { pipeline } of this.#replicas) pipeline.useRuleset(this.#ruleset);
    this.#note('reload');
    this.#count('reloads');
    // A changed rule evaluates every channel again.
    for (const key of this.#firing) if (key.startsWith('slate ')) this.#firing.delete(key);
  }

  async #lose(): Promise<void> {
    const kind = this.#any(['emptied', 'rolled back', 'failover', 'damaged'] as const);
    const isAlone = this.#random() < 0.3;
    const backups = this.#store.backups();
    if (backups.length < 30) return;
    const controls = [...this.#held].map((name) => kinds.hold.of(arnOf(name)));
    if (kind === 'damaged' && controls.length === 0) return;
    // None is alive; or both are, and one of them has not read for a second.
    if (isAlone) this.#replicas = [this.#start(), this.#start()];
    else this.#any(this.#replicas).state.wasBehind(this.#store.viewOf(backups.at(-2)!));
    if (kind === 'emptied') this.#store.empty();
    else if (kind === 'damaged') this.#store.damage([this.#any(controls)]);
    else this.#store.rollBack(kind === 'failover' ? backups.at(-3)! : backups.at(-25)!);
    this.#note(`${kind}, ${isAlone ? 'no replica lived' : 'replicas lived'}`);
    this.#count(kind);
    // What waited is lost with the state, as docs/operations.md says: its causes no longer need a verdict.
    for (const key of this.#accepted) if (!this.#isSettled(key)) this.#accepted.delete(key);
    for (const key of this.#verdicts.keys()) if (!this.#isSettled(key)) this.#verdicts.delete(key);
    this.#done.clear();
    this.#firing.clear();
    const lostMs = this.#store.loss?.lostMs;
    if (!isAlone && lostMs !== undefined && lostMs <= failoverMs) return;
    if (isAlone && kind === 'damaged') {
      // Nothing shows that a single key is missing that nobody remembers.
      this.#forgetLostHolds();
      return;
    }
    this.#paused = true;
    this.#resumeAtMs = this.#nowMs + 1_000 * (10 + this.#below(120));
    if (isAlone) this.#forgetLostHolds();
  }

  /** What no replica knows any longer is not in force; the pause covers it until somebody has set it again. */
  #forgetLostHolds(): void {
    for (const name of this.#held)
      if (this.#store.view.get(kinds.hold.of(arnOf(name))) === undefined) this.#held.delete(name);
    const lost = this.#silences.filter(({ id }) => this.#store.view.get(kinds.silence.of(id)) === undefined);
    this.#silences = this.#silences.filter((one) => !lost.includes(one));
  }

  /** As in the run book: compare, set what is missing, resume. */
  async #compareAndResume(): Promise<void> {
    this.#resumeAtMs = undefined;
    const { state } = this.#any(this.#replicas);
    // Older holds than the released ones may be back.
    for (const name of names)
      if (!this.#held.has(name)) await state.transact((tx) => release(tx, { ...by, channelArn: arnOf(name) }));
    await state.transact((tx) => resume(tx, by));
    this.#paused = false;
    this.#note('compared and resumed');
  }

  /** Compares one decision with the truth and with what people have requested. */
  #judge(decision: Decision): void {
    const { rule, outcome, reason, cause, channelArn, jobs } = decision;
    const name = channelArn?.split('/')[1];
    this.#count('decisions');
    this.#note(`${rule} ${name ?? '-'} ${outcome} ${reason} ${cause} ${jobs.length}`);
    const key = `${rule} ${cause}`;
    const subject = `${rule} ${name ?? 'all'}`;
    // Later information may date a condition again, and then its cause has another name; its subject does not.
    this.#verdicts.set(stateRules.has(rule) ? subject : key, `${outcome} ${reason}`);
    if (outcome === 'suppressed') this.#count('withheld');
    if (outcome === 'resolved' || reason === 'rule_changed') this.#firing.delete(subject);
    if (jobs.length === 0) return;
    this.#count('actions', jobs.length);
    if (this.#paused) this.#broken(`acts under a pause: ${key}`);
    if (name !== undefined && this.#held.has(name)) this.#broken(`acts on a channel on hold: ${key}`);
    if (name !== undefined && this.#isTagged(name)) this.#broken(`acts on a channel with the tag ops-hold: ${key}`);
    if (this.#silences.some((one) => one.rule === rule || (name !== undefined && one.channel === name)))
      this.#broken(`acts under a silence: ${key}`);
    const act = `${key} ${reason} ${jobs.map(({ jobId }) => jobId).join()}`;
    for (const { jobId } of jobs) {
      if (this.#done.has(jobId)) this.#broken(`the same job twice: ${act}`);
      this.#done.add(jobId);
    }
    if (reason === 'fired') {
      if (this.#done.has(key)) this.#broken(`acts twice for one cause: ${key}`);
      this.#done.add(key);
      if (stateRules.has(rule)) {
        if (this.#firing.has(subject)) this.#broken(`acts twice for one condition: ${key}`);
        this.#firing.add(subject);
      }
    }
  }

  /** As far as the inventory has shown it. */
  #isTagged(name: string): boolean {
    return this.#store.view.get(kinds.channel.of(arnOf(name)))?.tags['ops-hold'] !== undefined;
  }

  async #takeJobs(): Promise<void> {
    const jobs = Array.from(this.#store.view.entries(kinds.job), ([, job]) => job);
    if (jobs.length === 0) return;
    for (const { payload } of jobs)
      if ((payload as unknown as ActionJob).cause === undefined) this.#broken('a job without a cause');
    await this.#any(this.#replicas).state.transact((tx) => jobs.forEach(({ jobId }) => tx.delete(kinds.job.of(jobId))));
  }

  /** Everything settles: controls end, what is on its way arrives, polls succeed, every stream ends well. */
  async #quiet(): Promise<void> {
    const { state } = this.#replicas[0]!;
    this.#noPollsUntilMs = 0;
    await this.#compareAndResume();
    for (const name of names) await state.transact((tx) => release(tx, { ...by, channelArn: arnOf(name) }));
    for (const { id } of this.#silences) await state.transact((tx) => expireSilence(tx, { ...by, id }));
    this.#held.clear();
    this.#silences = [];
    this.#tags.clear();
    await this.#inventory();
    for (const name of names) {
      const { live, health } = this.#fleet.of(name);
      if (live && health === 'STARVING') this.#send(this.#fleet.health(name, 'HEALTHY'));
    }
    for (let second = 0; second < 1_200; second += 1) await this.#advance();
  }

  #isSettled(key: string): boolean {
    const verdict = this.#verdicts.get(key);
    if (verdict === undefined) return false;
    const [outcome, reason] = verdict.split(' ') as [string, string];
    if (outcome === 'pending') return false;
    if (outcome !== 'suppressed') return true;
    const waits = lastingRules.has(key.split(' ')[0]!)
      ? ['warming_up', 'data_gap', 'paused', 'held', 'silenced']
      : ['warming_up', 'data_gap'];
    return !waits.includes(reason);
  }

  #checkVerdicts(): void {
    for (const key of new Set([...this.#accepted, ...this.#verdicts.keys()])) {
      this.#count('causes');
      if (!this.#isSettled(key)) this.#broken(`no verdict: ${key} (${this.#verdicts.get(key) ?? 'never judged'})`);
    }
    this.#count('accepted', this.#accepted.size);
    const waiting = withheldMoments(this.#store.view).length;
    // One that came too late, or once too often, stays as it is while its condition lasts.
    const unjudged = Array.from(ruleMemories(this.#store.view), ([key, { rule, pending, firing }]) => {
      const cause = (pending ?? (firing?.acted === false ? firing : undefined))?.cause.id;
      return cause === undefined || this.#isSettled(`${rule} ${cause}`) ? undefined : key;
    }).filter((key) => key !== undefined);
    if (waiting > 0 || unjudged.length > 0) this.#broken(`${waiting} moments still wait, and ${unjudged.join()}`);
  }
}
