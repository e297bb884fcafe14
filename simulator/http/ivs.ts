// IVS's wire protocol (restJson1): finds the operation, counts the call against its quota, checks the input, runs the action and formats
// the answer. The pipeline handles faults and the record.

import { asServiceError, invalid, ServiceError } from '../errors.ts';
import type { FaultPlan } from '../faults.ts';
import { OPERATIONS, type Operation } from '../operations.ts';
import type { Store } from '../store.ts';
import type { Refusal } from '../throttle/throttle.ts';
import type { Answer, Exchange } from './exchange.ts';
import { type Outcome, type PipelineParts, runCall } from './pipeline.ts';

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

/** The channel a call is about, before its input is checked: limits, faults and the record use it. */
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
  readonly #parts: PipelineParts;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
  }

  async handle(exchange: Exchange): Promise<void> {
    const { context } = this.#parts.simulator;
    const requestId = context.ids.uuid();
    const operation = route(exchange);
    if (operation === undefined) {
      const unknown = new ServiceError(
        'UnknownOperationException',
        `Unknown operation: ${exchange.method} ${exchange.path}`,
      );
      exchange.answer(this.#word(requestId, { error: unknown }));
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
    await runCall(
      this.#parts,
      exchange,
      { operation: operation.name, channelArn, requestId },
      (plan, at) => this.#perform(operation, { raw, broken, channelArn, at }, plan),
      (outcome) => this.#word(requestId, outcome),
    );
  }

  /** An error in this service's format, for what goes wrong before there is an operation. */
  refuse(exchange: Exchange, error: ServiceError): void {
    exchange.answer(this.#word(this.#parts.simulator.context.ids.uuid(), { error }));
  }

  /** Counting comes first: a call that then turns out invalid has used its slot, a throttled one has not. */
  #perform(operation: Operation, { raw, broken, channelArn, at }: Given, plan: FaultPlan): Outcome {
    const { context, throttle } = this.#parts.simulator;
    try {
      const refusal = throttle.admit(operation.name, channelArn, at);
      if (refusal !== undefined) throw this.#throttled(operation.name, refusal, channelArn);
      if (plan.error !== undefined) throw new ServiceError(plan.error.name, plan.error.message, plan.error.status);
      if (broken !== undefined) throw broken;
      const { pages } = plan.answer ?? {};
      if (pages === undefined) return { status: operation.status, output: operation.run(raw, context) };
      return { status: operation.status, output: this.#endless(pages, operation, raw) };
    } catch (error) {
      return { error: asServiceError(error) };
    }
  }

  /** A list that never ends: the first page again, whatever token was sent. */
  #endless(pages: 'same-token' | 'new-tokens', { run }: Operation, raw: unknown): unknown {
    const { context } = this.#parts.simulator;
    const { nextToken: _, ...first } = Object(raw) as Readonly<Record<string, unknown>>;
    const nextToken = pages === 'same-token' ? 'the-same-page-again' : context.ids.uuid();
    return { ...(run(first, context) as object), nextToken };
  }

  #throttled(operation: string, { scope, limit }: Refusal, channelArn: string | undefined): ServiceError {
    const { settings } = this.#parts.simulator;
    const what = scope === 'channel' ? `resource: ${channelArn}` : `account: ${settings.accountId}`;
    const text = `Operation: ivs:${operation} exceeded call rate: ${limit} for ${what}`;
    return new ServiceError(settings.switches.throttleError, text);
  }

  #word(requestId: string, outcome: Outcome): Answer {
    if ('error' in outcome) {
      const { name, status, message } = outcome.error;
      const both = this.#parts.simulator.settings.switches.errorBody === 'both';
      const body = { exceptionMessage: message, ...(both ? { message } : {}) };
      const headers = { 'x-amzn-RequestId': requestId, 'x-amzn-ErrorType': name, 'content-type': 'application/json' };
      return { status, headers, body: JSON.stringify(body) };
    }
    if (outcome.status === 204) return { status: 204, headers: { 'x-amzn-RequestId': requestId } };
    const headers = { 'x-amzn-RequestId': requestId, 'content-type': 'application/json' };
    return { status: outcome.status, headers, body: JSON.stringify(outcome.output) };
  }
}

interface Given {
  readonly raw: unknown;
  readonly broken: unknown;
  readonly channelArn: string | undefined;
  readonly at: number;
}
