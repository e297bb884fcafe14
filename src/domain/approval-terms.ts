// What an action asks for before it is done: `approval` of the rules file.

export const approverRoles = ['operator', 'admin'] as const;
export type ApproverRole = (typeof approverRoles)[number];

/** What a step asks for before it is done: `approval` of the rules file. */
export interface ApprovalTerms {
  /** The least role of a token that may say yes or no. */
  readonly by: ApproverRole;
  /** So many different people must say yes. */
  readonly count: number;
  /** Whoever caused it (the caller of an `http` trigger) cannot say yes. */
  readonly notByAuthor: boolean;
  readonly timeoutMs: number;
  /** Fields of the stream and the channel that are shown to whoever decides, and written down with the decision. */
  readonly show: readonly string[];
  /** Who is told; undefined: whom the rule notifies anyway, else who the route says, else the first receiver. */
  readonly receiver: string | undefined;
}
