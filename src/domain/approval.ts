// Actions that wait for a person's yes, as they lie in the shared state under `approval/<id>`. What they follow from and what is done
// with an answer is in src/rules/approvals.ts and src/rules/answers.ts.
import type { ActionName, ActionParams } from './action.ts';
import type { ApprovalTerms, ApproverRole } from './approval-terms.ts';
import type { Values } from './decision.ts';
import type { Firing } from './rule-memory.ts';

/** One person's yes or no. */
export interface ApprovalAnswer {
  readonly verdict: 'approve' | 'reject';
  /** The token's name, or what else proves who it is; never what the request says of itself. */
  readonly who: string;
  /** The client's address. */
  readonly from: string;
  readonly reason: string;
  readonly atMs: number;
  /** What was shown then. */
  readonly values: Values;
}

/** `waiting`: nobody has decided. `cancelled`: what it was asked for is over, or the rule is another. */
export const approvalStates = ['waiting', 'approved', 'rejected', 'timed_out', 'cancelled'] as const;
export type ApprovalState = (typeof approvalStates)[number];

export interface Approval {
  readonly id: string;
  readonly state: ApprovalState;
  readonly rule: string;
  /** Of the rule that asked: under any other the approval is over. */
  readonly ruleHash: string;
  readonly subject: string;
  /** The step: which list of the rule, and its place in it. */
  readonly list: 'actions' | 'on_resolve';
  readonly step: number;
  readonly action: ActionName;
  /** With templates rendered: exactly this will be done. */
  readonly params: ActionParams;
  readonly firing: Firing;
  readonly channelArn?: string;
  readonly channelName?: string;
  /** The session it was asked in; without one, the channel was offline. */
  readonly streamId?: string;
  readonly terms: ApprovalTerms;
  /** Who caused it, where somebody did. */
  readonly author?: string;
  /** Why, in words: the evidence of the trigger. */
  readonly why: string;
  /** The decision that asked. */
  readonly decisionId: string;
  readonly askedAtMs: number;
  readonly untilMs: number;
  /** What was shown when it was asked. */
  readonly values: Values;
  readonly answers: readonly ApprovalAnswer[];
  readonly endedAtMs?: number;
  /** How it ended, in words. */
  readonly note?: string;
  /** Of an approved one. */
  readonly jobId?: string;
}

/** What somebody says to an approval. */
export interface ApprovalSaid {
  readonly kind: ApprovalAnswer['verdict'];
  readonly id: string;
  /** As proven, not as the request says. */
  readonly who: string;
  readonly role: ApproverRole;
  readonly from: string;
  readonly reason: string;
}

/** What came of it. */
export type Answered =
  /** It counts, or it is said again: `approval` tells how things stand. */
  | { readonly ok: true; readonly approval: Approval; readonly repeated: boolean }
  | {
      readonly ok: false;
      readonly code: 'NOT_FOUND' | 'APPROVAL_OVER' | 'APPROVAL_NOT_ALLOWED' | 'APPROVAL_HELD_BACK';
      readonly message: string;
      readonly approval?: Approval;
    };
