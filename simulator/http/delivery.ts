// How an answer reaches the caller: whole, or as a fault requires: changed, in small pieces, or never completely.

import type { FalseAnswer, FaultPlan } from '../faults.ts';
import type { Answer, Exchange } from './exchange.ts';

/** What a fault did to the answer, as the record calls it; undefined if it is sent unchanged. */
export function answerFault({ answer, reset, hang, drip }: FaultPlan): string | undefined {
  if (reset === 'after-effect') return 'lost-answer';
  if (reset === 'half-way') return 'cut-answer';
  if (hang !== undefined) return 'hung-answer';
  if (answer !== undefined) return 'false-answer';
  return drip === undefined ? undefined : 'dripped-answer';
}

/** The answer that is sent instead of the real one. `pages` was handled where the answer was made. */
export function falsify(real: Answer, { status, headers, text, json, members, pages }: FalseAnswer): Answer {
  const { 'x-amzn-ErrorType': errorType, ...plain } = real.headers;
  const asked = { 'content-type': 'application/json', ...plain, ...headers };
  if (members === undefined && pages === undefined) {
    return { status: status ?? 200, headers: asked, body: text ?? (json === undefined ? '' : JSON.stringify(json)) };
  }
  if (errorType !== undefined) return real;
  const body = JSON.stringify({ ...(JSON.parse(real.body || '{}') as object), ...members });
  return { status: status ?? (real.status === 204 ? 200 : real.status), headers: asked, body };
}

/** Sends an answer as planned. Resolves when nothing more will be sent. */
export async function deliver(
  exchange: Exchange,
  answer: Answer,
  { reset, hang, drip }: FaultPlan,
  pause: (ms: number) => Promise<void>,
): Promise<void> {
  const body = Buffer.from(answer.body ?? '');
  const partial = reset === 'half-way' || hang === 'half-way' || hang === 'after-headers';
  if (reset === 'after-effect' || (reset === 'half-way' && body.length === 0)) return exchange.cut();
  if (hang === 'no-answer' || (partial && body.length === 0)) return;
  if (drip === undefined && !partial) return exchange.answer(answer);
  exchange.begin(answer);
  const end = hang === 'after-headers' ? 0 : partial ? Math.ceil(body.length / 2) : body.length;
  const step = drip === undefined ? Math.max(end, 1) : (drip.bytes ?? 1);
  for (let at = 0; at < end; at += step) {
    if (drip !== undefined) await pause(drip.everyMs);
    const to = Math.min(at + step, end);
    if (!exchange.piece(body.subarray(at, to), to === body.length)) return;
  }
  if (body.length === 0) exchange.piece(body, true);
  // Lets the sent half leave before the connection is closed.
  if (reset === 'half-way') {
    await pause(20);
    exchange.cut();
  }
}
