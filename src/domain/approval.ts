// Actions that wait for approval, as stored in the shared state under `approval/<id>`. src/rules/approvals.ts requests them, and
// src/rules/answers.ts handles the answers.
import type { ActionName, ActionParams } from './action.ts';
import type { ApprovalTerms, ApproverRole } from './approval-terms.ts';
import type { Values } from './decision.ts';
import type { Firing } from './rule-memory.ts';

/** One person's answer. */
export interface ApprovalAnswer {
  readonly verdict: 'approve' | 'reject';
  /** The token's name, or another proof of identity; never a name that only the request claims. */
  readonly who: string;
  /** The client's address. */
  readonly from: string;
  readonly reason: string;
  readonly atMs: number;
  /** The values that were shown at that time. */
  readonly values: Values;
}

/** `waiting`: nobody has decided. `cancelled`: its cause is over, or the rule has changed. */
export const approvalStates = ['waiting', 'approved', 'rejected', 'timed_out', 'cancelled'] as const;
export type ApprovalState = (typeof approvalStates)[number];

export interface Approval {
  readonly id: string;
  readonly state: ApprovalState;
  readonly rule: string;
  /** Hash of the rule that requested it: if the rule changes, the approval is over. */
  readonly ruleHash: string;
  readonly subject: string;
  /** The step: a list of the rule, and the place in it. */
  readonly list: 'actions' | 'on_resolve';
  readonly step: number;
  readonly action: ActionName;
  /** With templates rendered: exactly this will be done. */
  readonly params: ActionParams;
  readonly firing: Firing;
  readonly channelArn?: string;
  readonly channelName?: string;
  /** The session in which it was requested; without one, the channel was offline. */
  readonly streamId?: string;
  readonly terms: ApprovalTerms;
  /** The person who caused it, if there is one. */
  readonly author?: string;
  /** Why, in words: the evidence of the trigger. */
  readonly why: string;
  /** The decision that requested it. */
  readonly decisionId: string;
  readonly askedAtMs: number;
  readonly untilMs: number;
  /** The values at the time of the request. */
  readonly values: Values;
  readonly answers: readonly ApprovalAnswer[];
  readonly endedAtMs?: number;
  /** How it ended, in words. */
  readonly note?: string;
  /** Of an approved one. */
  readonly jobId?: string;
}

/** An answer to an approval. */
export interface ApprovalSaid {
  readonly kind: ApprovalAnswer['verdict'];
  readonly id: string;
  /** The proven identity, not a claim of the request. */
  readonly who: string;
  readonly role: ApproverRole;
  readonly from: string;
  readonly reason: string;
}

/** The result of an answer. */
export type Answered =
  /** It counts, or repeats an earlier answer: `approval` has the current state. */
  | { readonly ok: true; readonly approval: Approval; readonly repeated: boolean }
  | {
      readonly ok: false;
      readonly code: 'NOT_FOUND' | 'APPROVAL_OVER' | 'APPROVAL_NOT_ALLOWED' | 'APPROVAL_HELD_BACK';
      readonly message: string;
      readonly approval?: Approval;
    };
