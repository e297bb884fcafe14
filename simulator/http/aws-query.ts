// AWS's query protocol (POST / with a form, XML answers): STS, next to IVS.

import { STS_ACTIONS, STS_NAMESPACE } from '../aws/sts.ts';
import { asServiceError, ServiceError } from '../errors.ts';
import type { Answer, Exchange } from './exchange.ts';
import { type Outcome, type PipelineParts, runCall } from './pipeline.ts';

/** The form of a request that belongs here. */
export function queryForm({ path, method, headers, body, query }: Exchange): URLSearchParams | undefined {
  if (path !== '/') return undefined;
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  const form = new URLSearchParams(method === 'POST' && isForm ? body : query);
  return form.has('Action') ? form : undefined;
}

export async function handleQuery(parts: PipelineParts, exchange: Exchange, form: URLSearchParams): Promise<void> {
  const { simulator } = parts;
  const requestId = simulator.context.ids.uuid();
  const operation = form.get('Action') ?? '';
  const action = Object.hasOwn(STS_ACTIONS, operation) ? STS_ACTIONS[operation] : undefined;
  const headers = { 'x-amzn-RequestId': requestId, 'content-type': 'text/xml' };
  const word = (outcome: Outcome): Answer => {
    if ('error' in outcome) {
      const { name, message, status } = outcome.error;
      const error = { Type: status < 500 ? 'Sender' : 'Receiver', Code: name, Message: message };
      return { status, headers, body: document('ErrorResponse', { Error: error, RequestId: requestId }) };
    }
    const body = { [`${operation}Result`]: outcome.output, ResponseMetadata: { RequestId: requestId } };
    return { status: outcome.status, headers, body: document(`${operation}Response`, body) };
  };
  if (action === undefined) {
    exchange.answer(
      word({ error: new ServiceError('InvalidAction', `The action ${operation} is not simulated`, 400) }),
    );
    return;
  }
  await runCall(
    parts,
    exchange,
    { operation: `sts:${operation}`, requestId },
    (plan) => {
      try {
        if (plan.error !== undefined) throw new ServiceError(plan.error.name, plan.error.message, plan.error.status);
        return { status: 200, output: action(form, simulator, signerOf(exchange)) };
      } catch (error) {
        return { error: asServiceError(error) };
      }
    },
    word,
  );
}

/** The access key id of a signed request. */
const signerOf = ({ headers }: Exchange): string | undefined =>
  /Credential=([^/,\s]+)\//.exec(headers.authorization ?? '')?.[1];

const document = (root: string, members: object): string =>
  `<${root} xmlns="${STS_NAMESPACE}">${xml(members)}</${root}>`;

function xml(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([name, member]) => `<${name}>${xml(member)}</${name}>`)
      .join('');
  }
  return String(value).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
