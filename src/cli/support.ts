// What every command shares: output, exit codes, and the client of the daemon's HTTP API.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, createClient, eventsOf, type ServerEvent } from '#client/client.ts';
import { messageOf } from '#domain/errors.ts';
import { visibleLine } from '#domain/visible-text.ts';
import { type Cell, type Line, type Piece, plainText, type TableRoom, table as tableOf } from './terminal.ts';

/** What a command needs from its environment. */
export interface CliIo {
  /** Writes one line to standard output; every control character in it, including line ends, is made visible. */
  readonly print: (line: string) => void;
  /** The same, to standard error. */
  readonly printError: (line: string) => void;
  /** Writes one line to standard output in the colours of its pieces; only if that is a terminal with colours. */
  readonly paint?: ((line: readonly Piece[]) => void) | undefined;
  /** How many characters fit on a line of the terminal; undefined: standard output is no terminal. */
  readonly columns?: number | undefined;
  /** Replaces the line of the cursor; only if standard error is a terminal. */
  readonly redraw?: ((line: string) => void) | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The name of the person, for holds, silences and the audit; undefined: the system has none, and --as was not given. */
  readonly person?: (() => string | undefined) | undefined;
  /** Asks a person at a terminal; undefined without a terminal. */
  readonly ask?: ((question: string) => Promise<string>) | undefined;
  /** Reads standard input to its end. */
  readonly readInput?: (() => Promise<string>) | undefined;
  /** Aborted when the user wants the command to end. */
  readonly signal: AbortSignal;
}

/** Ends a command: one sentence (or preformatted lines) on standard error, and its exit code (1: a problem was found, 2: wrong usage). */
export class CommandFailed extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.name = 'CommandFailed';
    this.exitCode = exitCode;
  }
}

/** A request that the daemon refused, or did not answer. */
export class RequestFailed extends CommandFailed {
  /** After how long a retry may help; undefined: never. */
  readonly retryInMs: number | undefined;
  /** The code of the daemon's error; undefined: there was no answer, or one without a code. */
  readonly code: string | undefined;

  constructor(message: string, retryInMs: number | undefined, code?: string) {
    super(message);
    this.name = 'RequestFailed';
    this.retryInMs = retryInMs;
    this.code = code;
  }
}

export interface ApiPatience {
  /** Limit for a whole answer, or for the awaited event. Default 30 s. */
  readonly requestMs?: number;
  /** Limit without a whole event. Default 40 s, because the daemon sends something every 15. */
  readonly silentMs?: number;
}

const retryMs = 1000;

/** Requests to the daemon's API. Every failure is a RequestFailed that says what to do. */
export interface ApiClient {
  /** Requests typed by the API document; `dataOf` returns the body of the response. */
  readonly client: Client;
  readonly get: (path: string) => Promise<unknown>;
  /** As `get`, for an answer that is text. */
  readonly text: (path: string) => Promise<string>;
  readonly send: (
    method: 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<unknown>;
  /** Server-sent events as they arrive, until the daemon ends them or the caller leaves. */
  readonly events: (path: string) => AsyncGenerator<ServerEvent>;
  /** The data of the first server-sent event of this name. */
  readonly firstEvent: (path: string, event: string) => Promise<unknown>;
}

/** Where the daemon is: AUTOPILOT_URL, or this machine at AUTOPILOT_HTTP_PORT. */
export function daemonUrl(env: CliIo['env']): string {
  return (env['AUTOPILOT_URL'] ?? `http://127.0.0.1:${env['AUTOPILOT_HTTP_PORT'] ?? '8080'}`).replace(/\/+$/, '');
}

/** A client of the daemon (`daemonUrl`) with the token of AUTOPILOT_API_TOKEN or AUTOPILOT_API_TOKEN_FILE. */
export function apiClient(
  { env, signal, person, printError }: Pick<CliIo, 'env' | 'signal' | 'person'> & Partial<Pick<CliIo, 'printError'>>,
  { requestMs = 30_000, silentMs = 40_000 }: ApiPatience = {},
): ApiClient {
  const base = checkedUrl(daemonUrl(env));
  const token = readToken(env);
  const name = person?.();
  /** A list of several pages is about one moment. */
  const told = new Set<string>();
  /** @throws RequestFailed if no answer arrives in time */
  const open = async (request: Request, timeout: AbortSignal) => {
    request.headers.set('accept', 'application/json, application/problem+json, text/event-stream');
    if (token !== undefined) request.headers.set('authorization', `Bearer ${token}`);
    if (name !== undefined) request.headers.set('x-autopilot-as', encodeURIComponent(name));
    try {
      return await fetch(request, { signal: AbortSignal.any([signal, timeout]) });
    } catch (error) {
      throw noAnswer(base, error);
    }
  };
  /** @throws RequestFailed for a refusal, and for an answer that is not JSON */
  const read = async (response: Response): Promise<{ text: string; value: unknown }> => {
    const text = await response.text().catch((error: unknown) => Promise.reject(noAnswer(base, error)));
    const value = answerOf(response, text);
    for (const line of [...oldLines(value), ...unaskedLines(value)].filter((each) => !told.has(each))) {
      told.add(line);
      printError?.(line);
    }
    return { text, value };
  };
  const client = createClient({
    url: base,
    fetch: async (request) => {
      const response = await open(request, AbortSignal.timeout(requestMs));
      const { text } = await read(response);
      return new Response(text === '' ? null : text, { status: response.status, headers: response.headers });
    },
  });
  const request = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<unknown> => {
    const asked = new Request(base + path, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return (await read(await open(asked, AbortSignal.timeout(requestMs)))).value;
  };
  const eventsUntil = async function* (path: string, end?: AbortSignal): AsyncGenerator<ServerEvent> {
    const silence = new AbortController();
    const watchdog = setTimeout(() => silence.abort(new Error('it no longer answers')), silentMs);
    try {
      const until = end ? AbortSignal.any([silence.signal, end]) : silence.signal;
      const response = await open(new Request(base + path), until);
      if (!response.ok || !response.body) await read(response);
      else yield* eventsOf(response.body, () => void watchdog.refresh());
    } catch (error) {
      throw error instanceof CommandFailed ? error : noAnswer(base, error);
    } finally {
      clearTimeout(watchdog);
    }
  };
  return {
    client,
    get: (path) => request('GET', path),
    text: async (path) => {
      const response = await open(new Request(base + path), AbortSignal.timeout(requestMs));
      if (!response.ok) await read(response);
      return response.text().catch((error: unknown) => Promise.reject(noAnswer(base, error)));
    },
    send: (method, path, body, headers) => request(method, path, body, headers),
    events: (path) => eventsUntil(path),
    firstEvent: async (path, event) => {
      const late = AbortSignal.timeout(requestMs);
      for await (const { name, data } of eventsUntil(path, late)) if (name === event) return data;
      throw noAnswer(base, new Error(`the stream ended before an event ${event}`));
    },
  };
}

/** Redis cannot be used, so that the answer is a picture of the past. */
function oldLines(answer: unknown): string[] {
  const { stale } = (answer ?? {}) as { stale?: { text?: unknown } | null };
  return typeof stale?.text === 'string' ? [`Out of date: ${stale.text}.`] : [];
}

/** Accounts that an answer leaves out, or that were not reached: a partial answer must never be taken for a complete one. */
function unaskedLines(answer: unknown): string[] {
  const { unasked } = (answer ?? {}) as { unasked?: unknown };
  if (!Array.isArray(unasked)) return [];
  return unasked.map((each: unknown) => {
    const { account, reason } = each as Record<string, unknown>;
    return `${String(account)} could not be reached, and is left out: ${String(reason)}`;
  });
}

/**
 * Repeats a safe operation while that may help, waiting as long as Retry-After says, and prints the reason once.
 * @param attempt calls `heard` when it made progress, which resets the count of failures
 * @param mostTries how many failures in a row are allowed
 */
export async function repeatedly<T>(
  { printError, signal }: Pick<CliIo, 'printError' | 'signal'>,
  mostTries: number,
  attempt: (heard: () => void) => Promise<T>,
): Promise<T> {
  let failures = 0;
  for (;;) {
    try {
      return await attempt(() => (failures = 0));
    } catch (error) {
      failures += 1;
      const retryInMs = error instanceof RequestFailed ? error.retryInMs : undefined;
      if (retryInMs === undefined || failures >= mostTries || signal.aborted) throw error;
      if (failures === 1) printError(`${messageOf(error)} Trying again in ${Math.ceil(retryInMs / 1000)} s.`);
      await delay(retryInMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

function noAnswer(base: string, error: unknown): RequestFailed {
  const cause = error instanceof Error && error.cause ? error.cause : error;
  return new RequestFailed(
    `No daemon answers at ${base} (${messageOf(cause)}): start it with \`ivs-autopilot run\`, or name another with --url or AUTOPILOT_URL.`,
    retryMs,
  );
}

/** @throws CommandFailed for an invalid daemon address; the message contains no password */
function checkedUrl(text: string): string {
  if (/^[\w.-]+:\d+(\/|$)/.test(text))
    throw new CommandFailed(`--url or AUTOPILOT_URL is not an http address: ${text} (did you mean http://${text}?)`, 2);
  if (!URL.canParse(text) || !/^https?:/.test(text))
    throw new CommandFailed(`--url or AUTOPILOT_URL is not an http address: ${text.replace(/\/\/.*@/, '//…@')}`, 2);
  const { username, password, search, hash } = new URL(text);
  if (username !== '' || password !== '')
    throw new CommandFailed('--url or AUTOPILOT_URL contains a user or a password: use --token-file for the token.', 2);
  if (search !== '' || hash !== '')
    throw new CommandFailed(`--url or AUTOPILOT_URL must end before ${search}${hash}.`, 2);
  return text;
}

/** @throws CommandFailed if the file cannot be read, or its content cannot be a token */
function readToken(env: CliIo['env']): string | undefined {
  // An empty value means unset, as in compose files.
  const given = env['AUTOPILOT_API_TOKEN'] || undefined;
  const file = env['AUTOPILOT_API_TOKEN_FILE'] || undefined;
  if (given === undefined && file === undefined) return undefined;
  const place = given === undefined ? `the token file ${file}` : 'AUTOPILOT_API_TOKEN';
  let token = given;
  try {
    token ??= readFileSync(file!, 'utf8').trim();
  } catch (error) {
    throw new CommandFailed(
      `The token file ${file} (--token-file or AUTOPILOT_API_TOKEN_FILE) cannot be read: ${messageOf(error)}.`,
    );
  }
  // A value that a header cannot carry would fail later, with an error that prints it.
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new CommandFailed(
    token === ''
      ? `There is no token in ${place}: it is empty.`
      : `There is no token in ${place}: a token is one word of visible ASCII characters.`,
    2,
  );
}

function answerOf(response: Response, text: string): unknown {
  let body: unknown;
  try {
    body = text === '' ? undefined : JSON.parse(text);
  } catch {
    throw new RequestFailed(
      `The answer is not JSON (HTTP ${response.status}): is ${response.url.split('/v1/')[0]} the address of ivs-autopilot?`,
      retryAfterOf(response),
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
  const places = (problem.problems ?? [])
    .map(({ path, message }) => `\n  ${visibleLine(`${path}: ${message}`)}`)
    .join('');
  const remedy = problem.remedy === undefined ? '' : ` ${visibleLine(problem.remedy)}`;
  const what = visibleLine(problem.detail ?? problem.title ?? `the daemon answered with HTTP ${response.status}`);
  throw new RequestFailed(
    `${visibleLine(problem.code ?? `HTTP_${response.status}`)}: ${what}.${remedy}${places}`.replace('..', '.'),
    retryAfterOf(response),
    problem.code,
  );
}

/** When a refused request may be sent again, in milliseconds; undefined: the request itself is wrong. */
function retryAfterOf({ status, headers }: Response): number | undefined {
  if (status !== 429 && status < 500) return undefined;
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1000 : retryMs;
}

/** Prints text with our own line ends, line by line. */
export function printLines(print: CliIo['print'], text: string): void {
  for (const line of text.split('\n')) print(line);
}

/** Prints data as JSON: line ends are layout, and those within texts are escaped. */
export function printJson(io: CliIo, data: unknown): void {
  printLines(io.print, JSON.stringify(data, null, 2));
}

/** Prints data as JSON, or as lines for people. */
export function printData(io: CliIo, json: boolean | undefined, data: unknown, lines: () => readonly Line[]): void {
  if (json) printJson(io, data);
  else for (const line of lines()) printLine(io, line);
}

/** Prints a line, in colours if available. */
export function printLine(io: Pick<CliIo, 'print' | 'paint'>, line: Line): void {
  if (io.paint && typeof line !== 'string')
    io.paint(line.map((cell) => (typeof cell === 'string' ? { text: cell } : cell)));
  else io.print(plainText(line));
}

/** Rows as aligned columns that fit the terminal `io`; the first row is the heading. */
export function table(cells: readonly (readonly Cell[])[], room: TableRoom = {}): Line[] {
  return tableOf(cells, room);
}

/** The text of a file, or a CommandFailed that names it. */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandFailed(`${file} cannot be read: ${messageOf(error)}.`);
  }
}

/** `Example:` and its lines, for the end of a command's help. */
export function example(...lines: readonly string[]): string {
  return `\n${lines.length === 1 ? 'Example' : 'Examples'}:\n${lines.map((line) => `  $ ${line}\n`).join('')}`;
}
