// Routes of the API behind the real server with a token, called without a socket.
import { pino } from 'pino';
import { type TokenRole } from '#api/auth.ts';
import { type HttpRoutes, HttpServer } from '#api/server.ts';
import { Secret } from '#domain/secret.ts';
import { testMetrics } from './quiet.ts';

/** Calls a route by its path below `/v1`; `body` is its parsed answer. */
export type AskRoute = (
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  payload?: object,
) => Promise<{ readonly status: number; readonly body: any }>;

/** Serves `plugin` under `/v1` for one token, `ann`, with the given role. */
export function askedRoutes(plugin: HttpRoutes['plugin'], role: TokenRole = 'viewer'): AskRoute {
  const value = `${Math.random()}`.padEnd(20, 'x');
  const { app } = new HttpServer({
    host: '127.0.0.1',
    port: 0,
    tokens: [{ name: 'ann', role, value: new Secret(value) }],
    routes: [{ prefix: '/v1', plugin }],
    checks: {},
    maxBodyBytes: 10_000,
    requestsPerMinute: 1000,
    version: '0.0.0',
    metrics: testMetrics(),
    logger: pino({ level: 'silent' }),
  });
  return async (method, path, payload) => {
    const headers = { authorization: `Bearer ${value}` };
    const answer = await app.inject({ method, url: `/v1${path}`, headers, ...(payload ? { payload } : {}) });
    return { status: answer.statusCode, body: answer.json() };
  };
}
