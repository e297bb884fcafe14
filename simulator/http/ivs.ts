// IVS's wire protocol (restJson1): finds the operation, lets faults strike, counts the call, runs the action, writes the
// answer and the record. Everything between reading the body and answering is synchronous unless a fault adds latency.

import type { ActionContext } from '../context.ts';
import { invalid, ServiceError } from '../errors.ts';
import type { FaultPlan, Faults } from '../faults.ts';
import { OPERATIONS, type Operation } from '../operations.ts';
import type { Store } from '../store.ts';
import type { Refusal, Throttle } from '../throttle/throttle.ts';
import type { Exchange } from './exchange.ts';

interface Parts {
  readonly context: ActionContext;
  readonly throttle: Throttle;
  readonly faults: Faults;
  readonly pause: (ms: number) => Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body?: string;
  readonly error?: string;
}

const TAGS = '/tags/';
const BY_ROUTE = new Map(OPERATIONS.map((operation) => [`${operation.method} ${operation.path}`, operation]));

/** The operation of a raw method and path. */
function route({ method, path }: Exchange): Operation | undefined {
  return BY_ROUTE.get(`${method} ${path.startsWith(TAGS) ? '/tags/{resourceArn}' : path}`);
}

/** The raw input: the JSON body, joined by what the route carries in its path and query. */
function rawInput(operation: Operation, { path, query, body }: Exchange): unknown {
  let input: unknown = {};
  if (operation.method === 'POST' && body !== '') {
    try {
      input = JSON.parse(body);
    } catch {
      throw invalid('Could not parse request body into json');
    }
  }
  if (!path.startsWith(TAGS)) return input;
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return input;
  const tagKeys = operation.method === 'DELETE' ? { tagKeys: new URLSearchParams(query).getAll('tagKeys') } : {};
  return { ...input, ...tagKeys, resourceArn: decode(path.slice(TAGS.length)) };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw invalid('The resource ARN in the path is not percent-encoded correctly');
  }
}

/** The channel a call is about, before its input is checked: what limits, faults and the record go by. */
function channelOf(raw: unknown, store: Store): string | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  const { channelArn, arn, resourceArn } = raw as Readonly<Record<string, unknown>>;
  const key = typeof arn === 'string' ? store.streamKeys.get(arn) : undefined;
  if (key !== undefined) return key.channelArn;
  const found = [channelArn, arn, resourceArn].find(
    (value) => typeof value === 'string' && value.includes(':channel/'),
  );
  return typeof found === 'string' && found.length <= 128 ? found : undefined;
}

/** Answers the IVS requests of one simulator. */
export class IvsProtocol {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async handle(exchange: Exchange): Promise<void> {
    const { context, faults, pause } = this.#parts;
    const requestId = context.ids.uuid();
    const operation = route(exchange);
    if (operation === undefined) {
      const unknown = new ServiceError(
        'UnknownOperationException',
        `Unknown operation: ${exchange.method} ${exchange.path}`,
      );
      this.#send(exchange, requestId, this.#failure(unknown));
      return;
    }
    let raw: unknown;
    let broken: unknown;
    try {
      raw = rawInput(operation, exchange);
    } catch (error) {
      broken = error;
    }
    const channelArn = channelOf(raw, context.store);
    const plan = faults.plan(operation.name, channelArn);
    if (plan.latencyMs > 0) await pause(plan.latencyMs);
    const call = { operation: operation.name, requestId, ...(channelArn === undefined ? {} : { channelArn }) };
    if (plan.reset === 'before-effect') {
      context.recorder.call({
        ...call,
        at: context.clock.now(),
        outcome: 'ConnectionReset',
        status: 0,
        fault: 'reset',
      });
      exchange.cut();
      return;
    }
    const at = context.clock.now();
    const answer = this.#perform(operation, raw, broken, channelArn, plan);
    const fault = plan.reset === 'after-effect' ? 'lost-answer' : plan.error === undefined ? undefined : 'error';
    const outcome = answer.error ?? 'ok';
    context.recorder.call({ ...call, at, outcome, status: answer.status, ...(fault === undefined ? {} : { fault }) });
    if (plan.answerLatencyMs > 0) await pause(plan.answerLatencyMs);
    if (plan.reset === 'after-effect') exchange.cut();
    else this.#send(exchange, requestId, answer);
  }

  /** An error as this service words it, for what goes wrong before there is an operation. */
  refuse(exchange: Exchange, error: ServiceError): void {
    this.#send(exchange, this.#parts.context.ids.uuid(), this.#failure(error));
  }

  #perform(
    operation: Operation,
    raw: unknown,
    broken: unknown,
    channelArn: string | undefined,
    plan: FaultPlan,
  ): Answer {
    const { context, throttle } = this.#parts;
    try {
      const refusal = throttle.admit(operation.name, channelArn, context.clock.now());
      if (refusal !== undefined) throw this.#throttled(operation.name, refusal, channelArn);
      if (plan.error !== undefined) throw new ServiceError(plan.error.name, plan.error.message, plan.error.status);
      if (broken !== undefined) throw broken;
      const output = operation.run(raw, context);
      return operation.status === 204 ? { status: 204 } : { status: operation.status, body: JSON.stringify(output) };
    } catch (error) {
      if (error instanceof ServiceError) return this.#failure(error);
      const text = error instanceof Error ? error.message : String(error);
      return this.#failure(new ServiceError('InternalFailure', `The simulator failed: ${text}`));
    }
  }

  #throttled(operation: string, { scope, limit }: Refusal, channelArn: string | undefined): ServiceError {
    const { settings } = this.#parts.context;
    const what = scope === 'channel' ? `resource: ${channelArn}` : `account: ${settings.accountId}`;
    const text = `Operation: ivs:${operation} exceeded call rate: ${limit} for ${what}`;
    return new ServiceError(settings.switches.throttleError, text);
  }

  #failure(error: ServiceError): Answer {
    const both = this.#parts.context.settings.switches.errorBody === 'both';
    const body = { exceptionMessage: error.message, ...(both ? { message: error.message } : {}) };
    return { status: error.status, body: JSON.stringify(body), error: error.name };
  }

  #send(exchange: Exchange, requestId: string, answer: Answer): void {
    exchange.answer(
      answer.status,
      {
        'x-amzn-RequestId': requestId,
        ...(answer.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(answer.error === undefined ? {} : { 'x-amzn-ErrorType': answer.error }),
      },
      answer.body,
    );
  }
}
