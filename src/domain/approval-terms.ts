// The approval that an action requires before it runs: `approval` of the rules file.

export const approverRoles = ['operator', 'admin'] as const;
export type ApproverRole = (typeof approverRoles)[number];

/** The approval that a step requires before it runs: `approval` of the rules file. */
export interface ApprovalTerms {
  /** The lowest role of a token that may answer. */
  readonly by: ApproverRole;
  /** How many different people must approve. */
  readonly count: number;
  /** The person who caused it (the caller of an `http` trigger) cannot approve. */
  readonly notByAuthor: boolean;
  readonly timeoutMs: number;
  /** Fields of the stream and the channel that the approver sees, and that are stored with the decision. */
  readonly show: readonly string[];
  /** Who is notified; undefined: the rule's own receiver, or else the route's, or else the first. */
  readonly receiver: string | undefined;
}
