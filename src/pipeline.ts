// The core, and the file to read first: observations → records → decisions → jobs, in one transaction of the shared state.
//
// Whoever observes something calls `observe` and waits: once it resolves, everything that follows from the observation is committed, so a
// message may be deleted from its queue. Observations that arrive during a commit share the next one; a long one (a list of the whole
// fleet, or an empty list, which says something about the whole fleet) is committed piece by piece, and observations that arrived
// meanwhile are committed between the pieces.
import { setImmediate } from 'node:timers/promises';
import type { Answered, ApprovalSaid } from '#domain/approval.ts';
import type { Decision } from '#domain/decision.ts';
import { AppError, isRedisFailure } from '#domain/errors.ts';
import type { Observation } from '#domain/observation.ts';
import type { Ruleset } from '#domain/rule.ts';
import type { SharedState, StateView, Transaction } from '#domain/shared-state.ts';
import type { StreamChange } from '#domain/stream-record.ts';
import type { TracePort, Traceparent } from '#domain/trace.ts';

/** The place of a commit in a trace; each piece in it may have its own. */
export interface StageOptions {
  readonly trace?: Traceparent | undefined;
}

/** The stages, passed in: each reads and writes nothing but the transaction. */
export interface PipelineStages {
  /** Updates the records with an observation; returns what changed. */
  apply(tx: Transaction, observation: Observation): readonly StreamChange[];
  /** Splits an observation, by what is known, into pieces, each small enough that others can wait for its commit. */
  split(observation: Observation, view: StateView): Observation[];
  /** Evaluates the changes of one commit by the rules: rule memory, timers, journal and jobs are written through the transaction. */
  decide(
    tx: Transaction,
    changes: readonly StreamChange[],
    ruleset: Ruleset,
    where?: StageOptions,
  ): readonly Decision[];
  /** Evaluates what is due. */
  decideDue(tx: Transaction, ruleset: Ruleset, where?: StageOptions): readonly Decision[];
  /** Evaluates a person's answer to an action that waits for approval. */
  decideAnswer(
    tx: Transaction,
    said: ApprovalSaid,
    ruleset: Ruleset,
    where?: StageOptions,
  ): { readonly decisions: readonly Decision[]; readonly answered: Answered };
  /** Actions that waited for this change (a deferred recording change at Stream End). */
  release(tx: Transaction, change: StreamChange): void;
  /** Begins and ends data gaps, by the age of the last data. */
  detectGaps(tx: Transaction): readonly StreamChange[];
}

export interface PipelineOptions {
  readonly state: SharedState;
  readonly stages: PipelineStages;
  readonly ruleset: Ruleset;
  /** Called after a commit: jobs may wait for the relay. */
  readonly onCommitted: (committed: Committed) => void;
  /** Undefined: tracing is off. */
  readonly tracing?: TracePort;
}

/** What one commit resulted in. */
export interface Committed {
  /** The observations without repeats, including detected data gaps. */
  readonly observations: readonly Observation[];
  readonly changes: readonly StreamChange[];
  readonly decisions: readonly Decision[];
  /** Observations that had been committed before. */
  readonly repeats: readonly Observation[];
  /** The place in a trace that was created for this commit, if the observations have none. */
  readonly root?: Traceparent | undefined;
}

/** The result of an observation; `repeated`: it had been committed before, and changed nothing. */
export type Taken = 'taken' | 'repeated';

interface Waiting {
  readonly observation: Observation;
  /** Of a long one, from its first turn on: the pieces that are not committed yet. */
  pieces?: Observation[];
  /** The place of the observer in a trace. */
  readonly trace: Traceparent | undefined;
  readonly resolve: (taken: Taken) => void;
  readonly reject: (error: unknown) => void;
}

/** Maximum number of observations that share one commit. */
const batchSize = 200;
/** A list of more streams or channels is committed by itself. */
const mostListedInShared = 10;

/**
 * How long a repeated event is recognised: EventBridge tries to deliver an event for a day, and an event may amend an earlier session for
 * half a day. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
 */
export const dedupTtlMs = 24 * 3_600_000;

export class Pipeline {
  readonly #options: PipelineOptions;
  #ruleset: Ruleset;
  /** Small observations, which share commits. */
  #waiting: Waiting[] = [];
  /** Long ones, which take turns: a short list does not wait for the whole of a long one. */
  readonly #long: Waiting[] = [];
  #working: Promise<void> | undefined;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#ruleset = options.ruleset;
  }

  get ruleset(): Ruleset {
    return this.#ruleset;
  }

  /** The next transaction uses these rules. */
  useRuleset(ruleset: Ruleset): void {
    this.#ruleset = ruleset;
  }

  /** Resolves when everything that follows from the observation is committed. @throws AppError REDIS_UNREACHABLE: observe it again */
  observe(observation: Observation): Promise<Taken> {
    const { tracing } = this.#options;
    const trace = tracing?.current();
    const done = new Promise<Taken>((resolve, reject) => {
      (isLong(observation) ? this.#long : this.#waiting).push({ observation, trace, resolve, reject });
    });
    this.#working ??= tracing ? tracing.outside(() => this.#work()) : this.#work();
    return done;
  }

  /** Decides what has become due: timers, schedules, data gaps. Call it often; it commits only changes. */
  async tick(): Promise<void> {
    const { state, stages, tracing } = this.#options;
    await state.refresh();
    const root = tracing?.root();
    await this.#commit({ dedupIds: [], trace: root }, (tx) => {
      const changes = stages.detectGaps(tx);
      const decisions = [
        ...stages.decide(tx, changes, this.#ruleset, { trace: root }),
        ...stages.decideDue(tx, this.#ruleset, { trace: root }),
      ];
      return { observations: changes.flatMap(gapOf), changes, decisions, repeats: [], root };
    });
  }

  /** Takes a person's answer to an action that waits for approval. Everything that follows is in the same commit. */
  async answer(said: ApprovalSaid): Promise<Answered> {
    const { state, stages, onCommitted, tracing } = this.#options;
    await state.refresh();
    const trace = tracing?.current();
    const { decisions, answered } = await state.transact((tx) =>
      stages.decideAnswer(tx, said, this.#ruleset, { trace }),
    );
    onCommitted({ observations: [], changes: [], decisions, repeats: [] });
    return answered;
  }

  /** Resolves when nothing is being committed. */
  async drain(): Promise<void> {
    while (this.#working) await this.#working;
  }

  async #work(): Promise<void> {
    await Promise.resolve();
    for (let isFirst = true; this.#waiting.length > 0 || this.#long.length > 0; isFirst = false) {
      // After a commit, the answers of peers that are here already are read first: their observations share the next one.
      if (!isFirst) await setImmediate();
      if (this.#waiting.length > 0) await this.#settle(this.#waiting.splice(0, batchSize));
      const long = this.#long.shift();
      if (long && !(await this.#advance(long))) this.#long.push(long);
    }
    this.#working = undefined;
  }

  /**
   * Commits the next piece of a long observation. Returns whether the observation is done: after its last piece, or one that cannot be
   * committed. It is split at its first turn: by then, what came before it is known.
   */
  async #advance(long: Waiting): Promise<boolean> {
    const { observation, trace, resolve, reject } = long;
    const { state, stages } = this.#options;
    let pieces: Observation[];
    try {
      pieces = long.pieces ??= stages.split(observation, state.view);
      await this.#process(pieces.splice(0, 1).map((piece) => ({ observation: piece, trace })));
    } catch (error) {
      reject(error);
      return true;
    }
    if (pieces.length > 0) return false;
    resolve('taken');
    return true;
  }

  /** An observation that cannot be evaluated is refused alone: those that shared its commit are retried, each in its own. */
  async #settle(batch: readonly Waiting[]): Promise<void> {
    try {
      const repeats = new Set(await this.#process(batch));
      for (const { observation, resolve } of batch) resolve(repeats.has(observation) ? 'repeated' : 'taken');
    } catch (error) {
      if (batch.length > 1 && !isOfTheState(error)) for (const waiting of batch) await this.#settle([waiting]);
      else for (const { reject } of batch) reject(error);
    }
  }

  /** One commit. Returns the repeats. */
  async #process(observed: readonly Observed[]): Promise<readonly Observation[]> {
    const dedupIds = observed.flatMap(({ observation }) => dedupIdsOf(observation));
    const first = observed.find(({ trace }) => trace !== undefined)?.trace;
    const root = first === undefined ? this.#options.tracing?.root() : undefined;
    const trace = first ?? root;
    return (await this.#commit({ dedupIds, trace }, (tx) => ({ ...this.#judge(tx, observed, { trace }), root })))
      .repeats;
  }

  /**
   * All records first, then the rules, so that a rule and the rules it inhibits see the same moment. Data gaps come before new
   * observations: after an hour without data, the first sweep must not hide that hour.
   */
  #judge(tx: Transaction, observed: readonly Observed[], where: StageOptions): Committed {
    const { stages } = this.#options;
    const changes: StreamChange[] = [...stages.detectGaps(tx)];
    const taken: Observation[] = changes.flatMap(gapOf);
    const seen = new Set<string>();
    const repeats: Observation[] = [];
    for (const { observation, trace } of observed) {
      const [dedupId] = dedupIdsOf(observation);
      // A repeat within one batch is also a repeat.
      if (dedupId !== undefined && (tx.isRepeat(dedupId) || seen.has(dedupId))) {
        repeats.push(observation);
        continue;
      }
      if (dedupId !== undefined) seen.add(dedupId);
      taken.push(observation);
      for (const change of stages.apply(tx, observation)) {
        stages.release(tx, change);
        changes.push(trace === undefined ? change : { ...change, trace });
      }
    }
    return { observations: taken, changes, decisions: stages.decide(tx, changes, this.#ruleset, where), repeats };
  }

  async #commit(
    { dedupIds, trace }: { readonly dedupIds: readonly string[]; readonly trace: Traceparent | undefined },
    body: (tx: Transaction) => Committed,
  ): Promise<Committed> {
    const { state, onCommitted } = this.#options;
    const committed = await state.transact(body, { dedupIds: [...new Set(dedupIds)], dedupTtlMs, trace });
    onCommitted(committed);
    return committed;
  }
}

/** A piece of an observation, and the place of the observer in a trace. */
interface Observed {
  readonly observation: Observation;
  readonly trace: Traceparent | undefined;
}

const ofTheState: ReadonlySet<string> = new Set(['STATE_CONTENDED', 'STATE_TOO_NEW']);

/** Whether the commit itself failed, whatever its content. */
function isOfTheState(error: unknown): boolean {
  return isRedisFailure(error) || (error instanceof AppError && ofTheState.has(error.code));
}

/** Whether an observation is committed by itself: it lists much, or a sweep that lists little says much of all that it does not list. */
function isLong(observation: Observation): boolean {
  if (observation.kind === 'poll') return observation.complete || observation.streams.length > mostListedInShared;
  return observation.kind === 'inventory' && (observation.complete || observation.channels.length > mostListedInShared);
}

/** The id under which an observation takes effect once. */
function dedupIdsOf(observation: Observation): string[] {
  if (observation.kind === 'event') return [`event:${observation.envelope.id}`];
  if (observation.kind === 'http') return [`http:${observation.requestId}`];
  return [];
}

/** A detected data gap, as an observation of its own. */
function gapOf(change: StreamChange): Observation[] {
  return change.kind === 'data_gap' ? [change] : [];
}
