// One simulator on one port: IVS's protocol, those of a few related services, and the control API under /_simulator. Starting is cheap, so
// every test file can have its own; closing releases the port, every socket and every timer.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SimulatorClient } from './client.ts';
import { ServiceError } from './errors.ts';
import { handleJson, jsonTarget } from './http/aws-json.ts';
import { handleQuery, queryForm } from './http/aws-query.ts';
import { CONTROL_PREFIX, handleControl } from './http/control.ts';
import { exchange, readBody } from './http/exchange.ts';
import { IvsProtocol } from './http/ivs.ts';
import type { PipelineParts } from './http/pipeline.ts';
import type { SimulatorOptions } from './settings.ts';
import { createSimulator } from './simulator.ts';

export type { SimulatorOptions } from './settings.ts';

/** A running simulator. */
export interface SimulatorHandle extends AsyncDisposable {
  /** The endpoint to give to an SDK. */
  readonly url: string;
  readonly port: number;
  /** Repeats the run when passed as the option `seed`. */
  readonly seed: string;
  readonly control: SimulatorClient;
  close(): Promise<void>;
}

/** AWS refuses bodies far smaller; the control API takes bulk set-ups. */
const LARGEST_CALL = 1024 * 1024;
const LARGEST_CONTROL = 64 * 1024 * 1024;

/** Starts a simulator and resolves when it listens. Rejects if the port is taken. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<SimulatorHandle> {
  const simulator = createSimulator(options);
  const closing = new AbortController();
  const parts: PipelineParts = { simulator, pause: (ms) => sleep(ms, undefined, { signal: closing.signal }) };
  const ivs = new IvsProtocol(parts);

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const control = request.url?.startsWith(`${CONTROL_PREFIX}/`) === true;
    const body = await readBody(request, control ? LARGEST_CONTROL : LARGEST_CALL);
    if (body === undefined) return;
    if (body === 'too-large') {
      response.setHeader('connection', 'close');
      const error = new ServiceError(
        'RequestEntityTooLargeException',
        `The request is larger than ${LARGEST_CALL} bytes`,
      );
      ivs.refuse(exchange(request, response, ''), error);
      return;
    }
    const given = exchange(request, response, body);
    if (control) return handleControl(simulator, given);
    const target = jsonTarget(given);
    if (target !== undefined) return handleJson(parts, given, target);
    const form = queryForm(given);
    return form === undefined ? ivs.handle(given) : handleQuery(parts, given, form);
  };

  const server = createServer((request, response) => {
    serve(request, response).catch(() => {
      // Only an aborted pause at shutdown comes here: the caller's connection is being closed anyway.
      request.socket.destroy();
    });
  });
  // Longer than any SDK keeps an idle connection, so that a kept-alive socket is never closed under a request.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve);
  });

  const { address, port, family } = server.address() as AddressInfo;
  const host = address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address;
  const url = `http://${family === 'IPv6' && host.includes(':') ? `[${host}]` : host}:${port}`;
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    closing.abort();
    const stopped = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    server.closeAllConnections();
    await Promise.all([stopped, simulator.close()]);
  };
  const closeOnce = (): Promise<void> => {
    closed ??= close();
    return closed;
  };
  return {
    url,
    port,
    seed: simulator.seed,
    control: new SimulatorClient(url),
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}
