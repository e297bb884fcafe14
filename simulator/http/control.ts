// Carries the control API over HTTP: JSON in, JSON out, problems as one sentence.

import { ControlProblem } from '../control/problem.ts';
import { assertParams, ROUTES } from '../control/routes.ts';
import type { Simulator } from '../parts.ts';
import type { Exchange } from './exchange.ts';

export const CONTROL_PREFIX = '/_simulator';

export async function handleControl(simulator: Simulator, exchange: Exchange): Promise<void> {
  const reply = (status: number, body: unknown): void =>
    exchange.answer({ status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const handler = ROUTES[`${exchange.method} ${exchange.path.slice(CONTROL_PREFIX.length)}`];
  if (handler === undefined) {
    reply(404, { error: `the control API has no ${exchange.method} ${exchange.path}` });
    return;
  }
  try {
    const query = new URLSearchParams(exchange.query);
    assertParams(handler, query);
    const body: unknown = exchange.body === '' ? {} : JSON.parse(exchange.body);
    reply(200, await handler({ simulator, query, body }));
  } catch (error) {
    if (error instanceof ControlProblem) reply(error.status, { error: error.message });
    else if (error instanceof SyntaxError) reply(400, { error: `the body is not JSON: ${error.message}` });
    else reply(500, { error: error instanceof Error ? error.message : String(error) });
  }
}
