// A Redis that refuses, hangs, or counts its commands: a proxy in front of a real one. A refused command is replaced on its way by a script
// that answers with the error, so that answers keep their order.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** The error text for a command; undefined: the real server answers. */
export type Refusal = (command: string, args: readonly string[]) => string | undefined;

export interface RefusingRedis extends AsyncDisposable {
  readonly url: string;
  refuse: Refusal;
  /** True: connections are accepted and nothing is ever answered. */
  hangs: boolean;
  /** Since the start, or the last `reset`. */
  readonly connections: number;
  readonly commands: ReadonlyMap<string, number>;
  reset(): void;
  /** Ends every connection. */
  cut(): void;
}

/** Everything except the handshake. */
export const afterHandshake = (text: string): Refusal => {
  const handshake = new Set(['hello', 'auth', 'select', 'client', 'info', 'quit']);
  return (command) => (handshake.has(command) ? undefined : text);
};

/** The address of a proxy in front of a Redis, whose credentials it takes. */
export function withPort(url: string, port: number): string {
  const address = new URL(url);
  address.port = String(port);
  return address.href;
}

/** Starts a proxy on a free port of loopback. Use with `await using`. */
export async function refusingRedis(upstreamUrl: string): Promise<RefusingRedis> {
  const { hostname, port } = new URL(upstreamUrl);
  const sockets = new Set<Socket>();
  let connections = 0;
  const commands = new Map<string, number>();
  const state = { refuse: (() => undefined) as Refusal, hangs: false };
  const server = createServer((client) => {
    connections += 1;
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    let waiting: Buffer = Buffer.alloc(0);
    client.on('data', (chunk) => {
      if (state.hangs) return;
      waiting = Buffer.concat([waiting, chunk]);
      for (let parsed = parse(waiting); parsed; parsed = parse(waiting)) {
        const [name = '', ...args] = parsed.words;
        const command = name.toLowerCase();
        commands.set(command, (commands.get(command) ?? 0) + 1);
        const text = state.refuse(command, args);
        upstream.write(text === undefined ? waiting.subarray(0, parsed.length) : errorScript(text));
        waiting = waiting.subarray(parsed.length);
      }
    });
    upstream.on('data', (chunk) => {
      if (!state.hangs) client.write(chunk);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: withPort(upstreamUrl, (server.address() as AddressInfo).port),
    get refuse() {
      return state.refuse;
    },
    set refuse(refuse) {
      state.refuse = refuse;
    },
    get hangs() {
      return state.hangs;
    },
    set hangs(hangs) {
      state.hangs = hangs;
    },
    get connections() {
      return connections;
    },
    commands,
    reset() {
      connections = 0;
      commands.clear();
    },
    cut,
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

function errorScript(text: string): string {
  const words = ['EVAL', 'return redis.error_reply(ARGV[1])', '0', `-${text}`];
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}

/** One request at the front: an array of bulk strings; undefined while it is incomplete. */
function parse(buffer: Buffer): { words: string[]; length: number } | undefined {
  let position = 0;
  const line = () => {
    const end = buffer.indexOf('\r\n', position);
    if (end === -1) return undefined;
    const text = buffer.toString('latin1', position, end);
    position = end + 2;
    return text;
  };
  const head = line();
  if (head === undefined) return undefined;
  const words: string[] = [];
  for (let count = Number(head.slice(1)); count > 0; count -= 1) {
    const size = line();
    if (size === undefined) return undefined;
    const bytes = Number(size.slice(1));
    if (buffer.length < position + bytes + 2) return undefined;
    words.push(buffer.toString('utf8', position, position + Math.min(bytes, 200)));
    position += bytes + 2;
  }
  return { words, length: position };
}
