// Actions that wait for a person's approval, of all accounts. Implements the port of routes/approvals.ts.
import { maskAddresses } from '#domain/address.ts';
import type { Answered, Approval, ApprovalAnswer, ApprovalSaid } from '#domain/approval.ts';
import type { Control } from '#domain/control.ts';
import type { Values } from '#domain/decision.ts';
import { iso } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import { notFound } from '#domain/not-found.ts';
import type { Ruleset } from '#domain/rule.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { withoutViewerIds } from '#domain/viewer-ids.ts';
import { deedOf, missingOf, shownNow } from '#rules/approvals.ts';
import type { ShardDirectory, ShardIdentity } from '#shard/directory.ts';
import type { SeenState } from '#store/visited-state.ts';
import { askEach, Reach, unaskedOf } from './reach.ts';
import { refreshAll } from './refresh-all.ts';
import type { ApprovalView } from './routes/approval-schemas.ts';
import type { ApprovalsPort, Listed, Said } from './routes/approvals.ts';

export interface ApprovalShard extends ShardIdentity {
  readonly state: SharedState;
  /** The rules in force. */
  readonly ruleset: Ruleset;
  readonly pipeline: { answer(said: ApprovalSaid): Promise<Answered> };
}

/** An account that another process carries. */
interface DistantApprovals extends ShardIdentity {
  answer?(said: ApprovalSaid, ruleset: Ruleset): Promise<Answered>;
}

export interface ApprovalsOptions {
  readonly shards: ShardDirectory<ApprovalShard, DistantApprovals>;
  /** Called for each answer that counted. */
  readonly onControl?: ((control: Control) => void) | undefined;
}

export class Approvals implements ApprovalsPort {
  readonly #options: ApprovalsOptions;
  readonly #reach: Reach;

  constructor(options: ApprovalsOptions) {
    this.#options = options;
    this.#reach = new Reach(options.shards);
  }

  async list(mayOperate: boolean): Promise<Listed> {
    const { shards } = this.#options;
    await refreshAll(shards);
    const answers = await askEach(this.#reach.all, (shard) =>
      shard.read((state) =>
        Array.from(state.view.entries(kinds.approval), ([, each]) => ({
          each,
          view: this.#view(shard.name, state, each, mayOperate),
        })),
      ),
    );
    const approvals = answers.found
      .flatMap(({ value }) => value)
      .sort((a, b) => orderOf(a.each, b.each))
      .map(({ view }) => view);
    return { approvals, ...unaskedOf(answers) };
  }

  async find(id: string, mayOperate: boolean): Promise<ApprovalView> {
    const { name, own } = this.#place(id);
    await this.#options.shards.all.find((shard) => shard.name === name)?.state.refresh();
    return this.#reach.named(name).read((state) => {
      const found = state.view.get(kinds.approval.of(own));
      if (!found) throw missing(id);
      return this.#view(name, state, found, mayOperate);
    });
  }

  async answer(id: string, said: Said): Promise<ApprovalView> {
    return (await this.say(id, said)).approval;
  }

  /** As `answer`; also returns whether this person had already given this answer. */
  async say(id: string, said: Said): Promise<{ readonly approval: ApprovalView; readonly repeated: boolean }> {
    const { name, own } = this.#place(id);
    const control: ApprovalSaid = { ...said, id: own };
    const answered = await this.#answer(name, control);
    if (!answered.ok && answered.code === 'NOT_FOUND') throw missing(id);
    if (!answered.ok) throw new AppError(answered.code, answered.message);
    if (!answered.repeated) this.#options.onControl?.(control);
    const approval = await this.#reach.named(name).read((state) => this.#view(name, state, answered.approval, true));
    return { approval, repeated: answered.repeated };
  }

  #answer(name: string, control: ApprovalSaid): Promise<Answered> {
    const { shards } = this.#options;
    const distant = shards.elsewhere.find((shard) => shard.name === name);
    return distant?.answer
      ? distant.answer(control, shards.first.ruleset)
      : shards.named(name).pipeline.answer(control);
  }

  /** With several accounts, an id says which account it belongs to. */
  #place(id: string): { readonly name: string; readonly own: string } {
    const { shards } = this.#options;
    if (shards.isOne) return { name: shards.first.name, own: id };
    const shard = this.#reach.all.find(({ name }) => id.startsWith(`${name}:`));
    if (!shard) throw missing(id);
    return { name: shard.name, own: id.slice(shard.name.length + 1) };
  }

  #view(name: string, state: SeenState, approval: Approval, mayOperate: boolean): ApprovalView {
    const { shards } = this.#options;
    const { ruleset } = shards.first;
    const id = shards.isOne ? approval.id : `${name}:${approval.id}`;
    const { terms, list, step, askedAtMs, untilMs, endedAtMs, values, answers, params, ...rest } = approval;
    const { rule, action, channelArn, channelName, streamId, why, decisionId, note, jobId, author } = rest;
    const masked = maskAddresses(params) as Record<string, unknown>;
    const isWaiting = approval.state === 'waiting';
    const now = isWaiting ? shownNow(state.view, ruleset, approval, state.nowMs()) : undefined;
    return {
      id,
      state: approval.state,
      rule,
      list,
      step,
      action,
      params: mayOperate ? masked : withoutViewerIds(masked),
      deed: deedOf(approval),
      why,
      ...given({ channelArn, channelName, streamId, author, note, jobId }),
      decisionId,
      askedAt: iso(askedAtMs),
      until: iso(untilMs),
      endedAt: endedAtMs === undefined ? null : iso(endedAtMs),
      by: terms.by,
      count: terms.count,
      missing: isWaiting ? missingOf(approval) : 0,
      notByAuthor: terms.notByAuthor,
      onTimeout: 'cancel',
      shown: { ...values },
      ...(now ? { now: { ...now } } : {}),
      answers: answers.map(answerView),
      link: `/#/approval/${encodeURIComponent(id)}`,
    };
  }
}

function missing(id: string): AppError {
  return notFound(
    'approval',
    `there is no approval ${id}; GET /v1/approvals lists those that wait and those of the last day`,
  );
}

/** Waiting approvals first, those that expire soonest at the top; then the newest. */
function orderOf(a: Approval, b: Approval): number {
  if (a.state === 'waiting' && b.state === 'waiting') return a.untilMs - b.untilMs;
  if (a.state === 'waiting') return -1;
  return b.state === 'waiting' ? 1 : (b.endedAtMs ?? 0) - (a.endedAtMs ?? 0);
}

function answerView({ atMs, values, ...rest }: ApprovalAnswer): ApprovalView['answers'][number] {
  return { ...rest, at: iso(atMs), shown: { ...values } satisfies Values };
}

/** The fields without those that are undefined. */
function given<T extends Readonly<Record<string, unknown>>>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
