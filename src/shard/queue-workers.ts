// Which queues a replica of this role serves, and what handles the jobs of each.
import type { Config } from '#config/load.ts';
import type { ActionJob } from '#domain/action.ts';
import type { JobRequest } from '#domain/job.ts';
import { isFanout } from '#domain/metadata-fanout.ts';
import type { EventObservation, HttpObservation } from '#domain/observation.ts';
import { createActionCalls } from '#ivs/action-calls.ts';
import type { IvsClientPort } from '#ivs/client.ts';
import { parseObserved } from '#jobs/catalog.ts';
import type { MetadataService } from '#metadata/service.ts';
import { inTurns } from '#runtime/turns.ts';
import type { Taken } from '#src/pipeline.ts';
import type { RedisState } from '#store/shared-state.ts';
import { finishedActionRecorder } from '#workers/finished-action.ts';
import { HeadStarts } from '#workers/head-start.ts';
import { type JobRun, WorkerHost, type WorkerHostOptions } from '#workers/host.ts';
import { bindFanout } from '#workers/metadata-fanout.ts';
import { bindVerifyBulk } from '#workers/verify-bulk.ts';
import type { createActionHandlers } from './actions.ts';

export interface QueueWorkersOptions
  extends Pick<WorkerHostOptions, 'connect' | 'prefix' | 'clock' | 'logger' | 'metrics' | 'random' | 'graceMs'> {
  /** Whether the replica has this part. */
  readonly does: (part: 'intake' | 'worker') => boolean;
  readonly config: () => Config;
  readonly state: RedisState;
  readonly client: IvsClientPort;
  readonly metadata: MetadataService;
  readonly actions: ReturnType<typeof createActionHandlers>;
  /** The handlers of polls and the inventory. */
  readonly intake: WorkerHostOptions['handlers'];
  /** Takes in what another process observed for this shard. */
  readonly observe: (observation: EventObservation | HttpObservation) => Promise<Taken>;
  /** Tells the drainer that metadata waits. */
  readonly nudgeDrainer: () => void;
}

export interface QueueWorkers {
  readonly host: WorkerHost;
  /** Undefined for a role that does not work on metadata. */
  readonly headStarts: HeadStarts | undefined;
}

export function queueWorkers(options: QueueWorkersOptions): QueueWorkers {
  const { does, config, state, client, metadata, actions, intake, observe, nudgeDrainer, ...rest } = options;
  const { clock, random } = rest;
  const one = { concurrency: 1 };
  const fanOut = bindFanout({ state, metadata });
  const inTurn = inTurns();
  let headStarts: HeadStarts | undefined;
  /** A run that knows as what an earlier one, before its job was in the queue, was accepted. */
  const informed = (run: JobRun): JobRun =>
    run.headStart ? run : { ...run, acceptedAs: headStarts?.taken(run.jobId) };
  const handlers: WorkerHostOptions['handlers'] = {
    ...actions,
    // In the order of the decisions too, when one of them runs early: the newest item of a channel is the one that stays.
    // An action that reads IVS first waits for a permit, and would delay all of them.
    put_metadata: (payload, run) =>
      asksFirst(payload)
        ? actions.put_metadata(payload, run)
        : inTurn(() => actions.put_metadata(payload, informed(run))),
    'metadata-fanout': async (payload, run) => {
      if (isFanout({ name: run.name, payload: payload as JobRequest['payload'] }))
        return inTurn(() => fanOut(payload, informed(run)));
      nudgeDrainer();
      return { outcome: 'done' };
    },
    'verify-bulk': bindVerifyBulk({ state, ivs: createActionCalls(client) }),
    observe: async (payload) => ({ outcome: 'done', observed: await observe(parseObserved(payload)) }),
    ...intake,
  };
  const host = new WorkerHost({
    ...rest,
    queues: {
      ...(does('intake') ? { 'poll-starving': one, 'poll-all': one, 'refresh-inventory': one } : {}),
      ...(does('worker')
        ? {
            actions: { concurrency: config().settings.worker_concurrency },
            notifications: { concurrency: 20 },
            // What is decided first is accepted first: with more at a time, BullMQ may begin two jobs in the other order.
            'metadata-fanout': one,
          }
        : {}),
    },
    handlers,
    onFinished: finishedActionRecorder({ state, clock, random, configHash: () => config().hash }),
  });
  const { prefix, logger } = rest;
  if (does('worker'))
    headStarts = new HeadStarts({ queue: 'metadata-fanout', prefix, isMeant: isMetadata, handlers, logger });
  return { host, headStarts };
}

/** Of the jobs in `metadata-fanout`, those that hand something over, and at once. */
function isMetadata({ name, payload, delayMs }: JobRequest): boolean {
  if (delayMs !== undefined) return false;
  return isFanout({ name, payload }) || (name === 'put_metadata' && !asksFirst(payload));
}

function asksFirst(payload: unknown): boolean {
  return (payload as Partial<ActionJob>).onlyIf !== undefined;
}
