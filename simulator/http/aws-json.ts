// AWS's JSON protocols (POST / with x-amz-target): EventBridge, Secrets Manager and Parameter Store, next to IVS.

import { PARAMETER_STORE_ACTIONS } from '../aws/parameter-store.ts';
import { SECRETS_MANAGER_ACTIONS } from '../aws/secrets-manager.ts';
import { asServiceError, ServiceError } from '../errors.ts';
import { EVENTBRIDGE_ACTIONS } from '../eventbridge/actions.ts';
import type { JsonActions } from '../wire/json-action.ts';
import type { Answer, Exchange } from './exchange.ts';
import { type Outcome, type PipelineParts, runCall } from './pipeline.ts';

/** Prefix of x-amz-target → the service's name in the record and in fault rules, and its operations. */
const SERVICES: Readonly<Record<string, { readonly name: string; readonly actions: JsonActions }>> = {
  AWSEvents: { name: 'events', actions: EVENTBRIDGE_ACTIONS },
  secretsmanager: { name: 'secretsmanager', actions: SECRETS_MANAGER_ACTIONS },
  AmazonSSM: { name: 'ssm', actions: PARAMETER_STORE_ACTIONS },
};

/** The x-amz-target of a request for one of these services. */
export function jsonTarget({ path, headers }: Exchange): string | undefined {
  const target = headers['x-amz-target'];
  return path === '/' && typeof target === 'string' ? target : undefined;
}

export async function handleJson(parts: PipelineParts, exchange: Exchange, target: string): Promise<void> {
  const { simulator } = parts;
  const requestId = simulator.context.ids.uuid();
  const [prefix = '', operation = ''] = target.split('.');
  const service = Object.hasOwn(SERVICES, prefix) ? SERVICES[prefix] : undefined;
  const action =
    service !== undefined && Object.hasOwn(service.actions, operation) ? service.actions[operation] : undefined;
  const word = (outcome: Outcome): Answer => {
    const failed = 'error' in outcome;
    const body = failed ? { __type: outcome.error.name, message: outcome.error.message } : outcome.output;
    return {
      status: failed ? outcome.error.status : outcome.status,
      headers: { 'x-amzn-RequestId': requestId, 'content-type': 'application/x-amz-json-1.1' },
      body: body === undefined ? '' : JSON.stringify(body),
    };
  };
  if (service === undefined || action === undefined) {
    exchange.answer(word({ error: new ServiceError('UnknownOperationException', `${target} is not simulated`, 400) }));
    return;
  }
  await runCall(
    parts,
    exchange,
    { operation: `${service.name}:${operation}`, requestId },
    (plan) => {
      try {
        if (plan.error !== undefined) throw new ServiceError(plan.error.name, plan.error.message, plan.error.status);
        return { status: 200, output: action(parse(exchange.body), simulator) };
      } catch (error) {
        return { error: asServiceError(error) };
      }
    },
    word,
  );
}

function parse(body: string): unknown {
  if (body === '') return {};
  try {
    return JSON.parse(body);
  } catch {
    throw new ServiceError('SerializationException', 'The request body is not JSON', 400);
  }
}
