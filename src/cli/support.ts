// What every command shares: output, exit codes, and the client of the daemon's HTTP API.
import { readFileSync } from 'node:fs';
import { messageOf } from '#domain/errors.ts';

/** What a command needs of its surroundings. */
export interface CliIo {
  /** Writes one line to standard output. */
  readonly print: (line: string) => void;
  /** Writes one line to standard error. */
  readonly printError: (line: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted when the user wants the command to end. */
  readonly signal: AbortSignal;
}

/** Ends a command: one sentence on standard error, and its exit code (1: a problem was found, 2: wrong usage). */
export class CommandFailed extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.name = 'CommandFailed';
    this.exitCode = exitCode;
  }
}

const requestTimeoutMs = 30_000;

/** Requests to the daemon's API. Every failure is a CommandFailed that says what to do. */
export interface ApiClient {
  readonly get: (path: string) => Promise<unknown>;
  readonly send: (
    method: 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<unknown>;
  /** The data of the first server-sent event of this name. */
  readonly firstEvent: (path: string, event: string) => Promise<unknown>;
}

/** Where the daemon is: AUTOPILOT_URL, or this machine at AUTOPILOT_HTTP_PORT. */
export function daemonUrl(env: CliIo['env']): string {
  return (env['AUTOPILOT_URL'] ?? `http://127.0.0.1:${env['AUTOPILOT_HTTP_PORT'] ?? '8080'}`).replace(/\/+$/, '');
}

/** A client of the daemon (`daemonUrl`) with the token of AUTOPILOT_API_TOKEN or AUTOPILOT_API_TOKEN_FILE. */
export function apiClient({ env, signal }: Pick<CliIo, 'env' | 'signal'>): ApiClient {
  const base = daemonUrl(env);
  if (!URL.canParse(base) || !/^https?:/.test(base)) {
    throw new CommandFailed(`AUTOPILOT_URL is no http address: ${base}`, 2);
  }
  const token = readToken(env);
  const open = async (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) => {
    try {
      return await fetch(base + path, {
        method,
        headers: {
          accept: 'application/json, application/problem+json, text/event-stream',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]),
      });
    } catch (error) {
      throw noAnswer(base, error);
    }
  };
  const request = async (...args: Parameters<typeof open>) => {
    const response = await open(...args);
    return answerOf(response, await response.text().catch((error: unknown) => Promise.reject(noAnswer(base, error))));
  };
  return {
    get: (path) => request('GET', path),
    send: (method, path, body, headers) => request(method, path, body, headers),
    firstEvent: async (path, event) => {
      const response = await open('GET', path);
      if (!response.ok || !response.body) return answerOf(response, await response.text());
      try {
        return await firstEventOf(response.body, event);
      } catch (error) {
        throw noAnswer(base, error);
      }
    },
  };
}

function noAnswer(base: string, error: unknown): CommandFailed {
  const cause = error instanceof Error && error.cause ? error.cause : error;
  return new CommandFailed(
    `No daemon answers at ${base} (${messageOf(cause)}): start it with \`ivs-autopilot run\`, or set AUTOPILOT_URL.`,
  );
}

/** Reads a stream of events until one of this name has come, and leaves it. */
async function firstEventOf(body: ReadableStream<Uint8Array>, event: string): Promise<unknown> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const lines = block.split('\n');
      if (!lines.includes(`event: ${event}`)) continue;
      const data = lines.flatMap((line) => (line.startsWith('data: ') ? [line.slice(6)] : [])).join('\n');
      return JSON.parse(data);
    }
  }
  throw new Error(`the stream ended before an event ${event}`);
}

function readToken(env: CliIo['env']): string | undefined {
  const file = env['AUTOPILOT_API_TOKEN_FILE'];
  if (env['AUTOPILOT_API_TOKEN'] !== undefined) return env['AUTOPILOT_API_TOKEN'];
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new CommandFailed(`AUTOPILOT_API_TOKEN_FILE cannot be read: ${messageOf(error)}`);
  }
}

function answerOf(response: Response, text: string): unknown {
  let body: unknown;
  try {
    body = text === '' ? undefined : JSON.parse(text);
  } catch {
    throw new CommandFailed(
      `The answer is no JSON (HTTP ${response.status}): is AUTOPILOT_URL the address of ivs-autopilot?`,
    );
  }
  if (response.ok) return body;
  const problem = (body ?? {}) as {
    code?: string;
    title?: string;
    detail?: string;
    remedy?: string;
    problems?: readonly { path: string; message: string }[];
  };
  const places = (problem.problems ?? []).map(({ path, message }) => `\n  ${path}: ${message}`).join('');
  const remedy = problem.remedy === undefined ? '' : ` ${problem.remedy}`;
  const what = problem.detail ?? problem.title ?? `the daemon answered with HTTP ${response.status}`;
  throw new CommandFailed(
    `${problem.code ?? `HTTP_${response.status}`}: ${what}.${remedy}${places}`.replace('..', '.'),
  );
}

/** Prints data: as JSON, or as the lines made of it. */
export function printData(io: CliIo, json: boolean | undefined, data: unknown, lines: () => readonly string[]): void {
  if (json) io.print(JSON.stringify(data, null, 2));
  else for (const line of lines()) io.print(line);
}

/** Rows as aligned columns; the first row is the heading. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** The text of a file, or a CommandFailed that names it. */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandFailed(`${file} cannot be read: ${messageOf(error)}.`);
  }
}

/** `Example:` and the lines, for the end of a command's help. */
export function example(...lines: readonly string[]): string {
  return `\n${lines.length === 1 ? 'Example' : 'Examples'}:\n${lines.map((line) => `  $ ${line}\n`).join('')}`;
}
