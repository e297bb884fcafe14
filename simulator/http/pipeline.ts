// The path of every simulated call, for any protocol: faults are applied, the call is performed and recorded, and its answer is sent,
// changed or lost. Without added latency it all happens in one turn of the event loop.

import type { ServiceError } from '../errors.ts';
import type { FaultPlan } from '../faults.ts';
import type { Simulator } from '../parts.ts';
import { answerFault, deliver, falsify } from './delivery.ts';
import type { Answer, Exchange } from './exchange.ts';

/** A call's result before it is formatted for a protocol. */
export type Outcome = { readonly status: number; readonly output: unknown } | { readonly error: ServiceError };

export interface Call {
  readonly operation: string;
  readonly channelArn?: string | undefined;
  readonly requestId: string;
}

export interface PipelineParts {
  readonly simulator: Simulator;
  /** Real waiting, ended by the server's shutdown. */
  readonly pause: (ms: number) => Promise<void>;
}

/**
 * Runs one call. `perform` counts and acts, and must not throw; the time it is given is the one in the record, so that the
 * record proves what the quotas let through. `word` formats the outcome for the protocol.
 */
export async function runCall(
  { simulator, pause }: PipelineParts,
  exchange: Exchange,
  { operation, channelArn, requestId }: Call,
  perform: (plan: FaultPlan, at: number) => Outcome,
  word: (outcome: Outcome) => Answer,
): Promise<void> {
  const { recorder, clock } = simulator.context;
  const plan = simulator.faults.plan(operation, channelArn);
  if (plan.latencyMs > 0) await pause(plan.latencyMs);
  const about = { operation, requestId, ...(channelArn === undefined ? {} : { channelArn }) };
  const at = clock.now();
  if (plan.reset === 'before-effect') {
    recorder.call({ ...about, at, outcome: 'ConnectionReset', status: 0, fault: 'reset' });
    exchange.cut();
    return;
  }
  const outcome = perform(plan, at);
  const fault = answerFault(plan) ?? (plan.error === undefined ? undefined : 'error');
  recorder.call({
    ...about,
    at,
    outcome: 'error' in outcome ? outcome.error.name : 'ok',
    status: 'error' in outcome ? outcome.error.status : outcome.status,
    ...(fault === undefined ? {} : { fault }),
  });
  if (plan.answerLatencyMs > 0) await pause(plan.answerLatencyMs);
  const real = word(outcome);
  await deliver(exchange, plan.answer === undefined ? real : falsify(real, plan.answer), plan, pause);
}
