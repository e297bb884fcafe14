// A piece of work for the queue, as the deciding side writes it. The payload of each name is in src/jobs/catalog.ts.

export interface JobRequest {
  /**
   * Derived from its cause: the same cause and action produce the same id, so that a repeat is harmless. No colon, not all digits (BullMQ).
   */
  readonly jobId: string;
  readonly name: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** Not before this long after it was decided. */
  readonly delayMs?: number;
}

/** The job that a batch of metadata comes from, and what that job follows from; kept with the batch. */
export interface BatchJob {
  readonly jobId: string;
  readonly channelArn?: string | undefined;
  readonly rule?: string | undefined;
  readonly decisionId?: string | undefined;
  /** For a fan-out, whose channels are parts of the batch: each one's place in it, and the decision that it follows from. */
  readonly members?: readonly (readonly [channelArn: string, place: number, decisionId: string])[] | undefined;
}

/** For a job's metadata that is accepted before the job is in its queue. */
export interface HeadStart {
  /** The queue's name in Redis, with the prefix of its keys. */
  readonly queue: string;
  readonly jobId: string;
  /** Ids of jobs that were still on their way to the queue when it was committed. */
  readonly older: readonly string[];
  /** Jobs whose metadata was accepted, although they may still be in the queue: their ids, and the batches they were accepted as. */
  readonly accepted: ReadonlyMap<string, string>;
}
