// Plays a scenario on the simulated clock: makes its channels, then runs each step at its time. Steps are the control API's
// own functions; a step for a channel that is not on air at that moment does nothing there.

import type { Timer } from '../clock.ts';
import { makeChannel } from '../control/channels.ts';
import { changeSettings } from '../control/settings.ts';
import { connectEncoders, endBroadcasts, lose, recover, setViewers, starve } from '../control/streams.ts';
import { overlay } from '../overlay.ts';
import type { ScenarioState, Simulator, StepRecord } from '../parts.ts';
import type { Random } from '../random.ts';
import { ACTIONS, type ActionName, type Scenario, type Selector, type Step } from './schema.ts';

/** A scenario that is being played. */
export class ScenarioRun {
  readonly #simulator: Simulator;
  readonly #scenario: Scenario;
  readonly #random: Random;
  readonly #startedAt: number;
  readonly #timers: Timer[] = [];
  readonly #log: StepRecord[] = [];
  #done = 0;
  #steps = 0;

  /** Makes the channels and arms the timeline. `channels` replaces the size of the scenario's first group. */
  constructor(simulator: Simulator, scenario: Scenario, options: { channels?: number | undefined } = {}) {
    this.#simulator = simulator;
    this.#scenario = scenario;
    this.#random = simulator.random.fork(`scenario/${scenario.name}`);
    this.#startedAt = simulator.clock.now();
    changeSettings(simulator, scenario.settings ?? {});
    simulator.publisher.policy = overlay(simulator.publisher.policy, scenario.eventPolicy);
    for (const [index, { count, namePrefix, ...spec }] of scenario.channels.entries()) {
      const size = index === 0 ? (options.channels ?? count) : count;
      for (let n = 1; n <= size; n++) {
        makeChannel(simulator, { ...spec, name: spec.name ?? `${namePrefix}${String(n).padStart(4, '0')}` });
      }
    }
    for (const step of scenario.timeline) this.#arm(step);
  }

  get state(): ScenarioState {
    return {
      name: this.#scenario.name,
      startedAt: this.#startedAt,
      done: this.#done,
      steps: this.#steps,
      finished: this.#done === this.#steps,
      log: this.#log,
    };
  }

  /** Drops the steps that have not run yet. */
  stop(): void {
    for (const timer of this.#timers) timer.cancel();
  }

  #arm(step: Step): void {
    const { every = 0, times = 1 } = step.repeat ?? {};
    for (let turn = 0; turn < times; turn++) {
      this.#steps++;
      const at = step.at + turn * every;
      this.#timers.push(
        this.#simulator.clock.schedule(at, () => {
          this.#run(step);
          this.#done++;
        }),
      );
    }
  }

  #run(step: Step): void {
    const simulator = this.#simulator;
    const name = (Object.keys(ACTIONS) as ActionName[]).find((key) => step[key] !== undefined) ?? 'clearFaults';
    const atMs = Math.round(simulator.clock.now() - this.#startedAt);
    this.#log.push({ atMs, step: name, ...(step.note === undefined ? {} : { note: step.note }) });
    if (step.connect !== undefined) {
      const { channels, ...setup } = step.connect;
      const wanted = this.#select(channels);
      if (wanted.length > 0) connectEncoders(simulator, wanted, setup);
    }
    if (step.end !== undefined) endBroadcasts(simulator, this.#select(step.end.channels));
    if (step.starve !== undefined) starve(simulator, this.#onAir(step.starve.channels));
    if (step.recover !== undefined) recover(simulator, this.#onAir(step.recover.channels));
    if (step.lose !== undefined) lose(simulator, this.#onAir(step.lose.channels));
    if (step.viewers !== undefined) setViewers(simulator, this.#onAir(step.viewers.channels), step.viewers.viewers);
    if (step.adBreak !== undefined) this.#adBreak(step.adBreak);
    if (step.failRecording !== undefined) {
      for (const arn of this.#select(step.failRecording.channels)) simulator.context.ingest.recordings.failNext(arn);
    }
    if (step.breach !== undefined) this.#breach(step.breach);
    if (step.otherCalls !== undefined) this.#otherCalls(step.otherCalls);
    if (step.fault !== undefined) simulator.faults.add(step.fault);
    if (step.clearFaults !== undefined) simulator.faults.clear();
    if (step.eventPolicy !== undefined) {
      simulator.publisher.policy = overlay(simulator.publisher.policy, step.eventPolicy);
    }
    if (step.planEvent !== undefined) simulator.publisher.plan(step.planEvent);
    if (step.releaseEvents !== undefined) simulator.publisher.release();
    if (step.settings !== undefined) changeSettings(simulator, step.settings);
  }

  #breach({ channels, limit, limitValue, value, unit }: NonNullable<Step['breach']>): void {
    const { ingest } = this.#simulator.context;
    if (channels === undefined) {
      ingest.breach(limit, limitValue, value, undefined, unit);
      return;
    }
    for (const arn of this.#onAir(channels))
      ingest.breach(limit, limitValue, value, ingest.sessions.current(arn), unit);
  }

  #adBreak({ channels, durationSeconds }: NonNullable<Step['adBreak']>): void {
    const { ingest } = this.#simulator.context;
    for (const arn of this.#select(channels)) {
      const session = ingest.sessions.live(arn);
      if (session !== undefined && ingest.adBreak(session) === undefined)
        ingest.insertAdBreak(session, durationSeconds);
    }
  }

  /** Evenly spread calls of another client: they count like any other and are not recorded. */
  #otherCalls({ operation, perSecond, for: lengthMs }: NonNullable<Step['otherCalls']>): void {
    const { clock, throttle } = this.#simulator;
    const everyMs = 1000 / perSecond;
    const until = clock.now() + lengthMs;
    const next = (): void => {
      throttle.admit(operation, undefined, clock.now());
      if (clock.now() + everyMs < until) this.#timers.push(clock.schedule(everyMs, next));
    };
    next();
  }

  #onAir(selector: Selector): string[] {
    const { sessions } = this.#simulator.context.ingest;
    return this.#select(selector).filter((arn) => sessions.current(arn) !== undefined);
  }

  #select(selector: Selector): string[] {
    const { store, ingest } = this.#simulator.context;
    const all = [...store.channels.values()];
    const arns = all.map(({ arn }) => arn);
    if (selector === 'all') return arns;
    if (selector === 'live') return arns.filter((arn) => ingest.sessions.live(arn) !== undefined);
    if (Array.isArray(selector)) {
      const wanted = new Set(selector);
      return all.filter(({ arn, name }) => wanted.has(arn) || wanted.has(name)).map(({ arn }) => arn);
    }
    if ('first' in selector) return arns.slice(0, selector.first);
    if ('slice' in selector) return arns.slice(...selector.slice);
    if ('percent' in selector) return arns.slice(0, Math.ceil((arns.length * selector.percent) / 100));
    return this.#pick(arns, selector.pick);
  }

  #pick(arns: string[], wanted: number): string[] {
    const left = [...arns];
    const picked: string[] = [];
    while (picked.length < wanted && left.length > 0)
      picked.push(...left.splice(Math.floor(this.#random.next() * left.length), 1));
    return picked;
  }
}
