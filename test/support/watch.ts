// The daemon's own path from observations to jobs in virtual time: reducer, gaps and rules, joined by the pipeline as in a shard, with a
// state in memory and a clock that ticks by itself. What tests of the rules alone take for granted is decided here by src/streams.
import type { ActionJob } from '#domain/action.ts';
import type { Decision } from '#domain/decision.ts';
import type { Observation } from '#domain/observation.ts';
import { kinds } from '#domain/state-registry.ts';
import type { StreamRecord } from '#domain/stream-record.ts';
import { type DecideOptions, decideAll, decideAnswer, decideDue } from '#rules/decide.ts';
import { Pipeline } from '#src/pipeline.ts';
import { MemoryState } from '#store/memory-state.ts';
import { applyObservation, splitObservation } from '#streams/changes.ts';
import { detectGaps, type GapOptions } from '#streams/gaps.ts';
import { streamOf } from '#streams/keys.ts';
import { rulesetOf } from './engine.ts';
import { arnOf, startMs } from './streams.ts';

const tickMs = 500;

export class Watch {
  readonly state: MemoryState;
  readonly decisions: Decision[] = [];
  /** The enqueued jobs: `second action channel`. */
  readonly log: string[] = [];
  #nowMs = startMs;
  #options: DecideOptions = {};
  readonly #pipeline: Pipeline;

  constructor(rules: string, gaps: Partial<GapOptions> = {}) {
    this.state = new MemoryState({ now: () => this.#nowMs });
    this.#pipeline = new Pipeline({
      state: this.state,
      ruleset: rulesetOf(rules),
      stages: {
        split: splitObservation,
        apply: (tx, observation) => applyObservation(tx, observation, { retentionMs: 60 * 86_400_000 }),
        decide: (tx, changes, ruleset) => decideAll(tx, changes, ruleset, this.#options),
        decideDue: (tx, ruleset) => decideDue(tx, ruleset, this.#options),
        decideAnswer: (tx, said, ruleset) => decideAnswer(tx, said, ruleset, this.#options),
        release: () => undefined,
        detectGaps: (tx) => detectGaps(tx, { pollSilentAfterMs: 60_000, eventsSilentAfterMs: undefined, ...gaps }),
      },
      onCommitted: ({ decisions }) => this.decisions.push(...decisions),
    });
  }

  /** Seconds since the beginning. */
  get seconds(): number {
    return (this.#nowMs - startMs) / 1000;
  }

  record(channel: string): StreamRecord | undefined {
    return streamOf(this.state.view, arnOf(channel));
  }

  /** Observes them now, one after another. */
  async see(...observations: readonly Observation[]): Promise<void> {
    for (const observation of observations) await this.#pipeline.observe(observation);
    await this.#takeJobs();
  }

  /** Lets time pass, evaluating what is due at every tick. */
  async goTo(seconds: number): Promise<void> {
    const untilMs = startMs + seconds * 1000;
    while (this.#nowMs < untilMs) {
      this.#nowMs = Math.min(untilMs, this.#nowMs + tickMs);
      await this.#pipeline.tick();
      await this.#takeJobs();
    }
  }

  /** Nothing runs until then, and then the process is a new one. */
  downUntil(seconds: number): void {
    this.#nowMs = startMs + seconds * 1000;
    this.#options = { startedAtMs: this.#nowMs };
  }

  /** The reason of the last decision about a channel. */
  lastReason(channel: string): string | undefined {
    return this.decisions.findLast(({ channelArn }) => channelArn === arnOf(channel))?.reason;
  }

  async #takeJobs(): Promise<void> {
    const jobs = Array.from(this.state.view.entries(kinds.job), ([, job]) => job);
    if (jobs.length === 0) return;
    for (const { name, payload } of jobs)
      this.log.push(`${this.seconds} ${name} ${(payload as unknown as ActionJob).channelArn?.split('/')[1] ?? '-'}`);
    await this.state.transact((tx) => jobs.forEach(({ jobId }) => tx.delete(kinds.job.of(jobId))));
  }
}
