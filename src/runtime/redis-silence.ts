// A connection to Redis that stands and is silent: the server hangs, or somebody between us lost it and told nobody. ioredis waits
// for an answer for as long as the socket is open, so that a command could wait for ever.

/** What is watched of a connection of ioredis. */
interface Watched {
  readonly status: string;
  readonly stream?: { destroy(error: Error): unknown } | undefined;
  ping(): Promise<unknown>;
  on(event: 'connect' | 'end', listener: () => void): unknown;
}
/** Commands that were sent and not answered, in order: a member of ioredis' connection that its types hide. */
interface CommandQueue {
  peekFront(): { readonly command: { readonly name: string } } | undefined;
}

const probeEveryMs = 250;
/** A connection with nothing to do is asked so often, so that one that only listens is found out too. */
const askEveryMs = 5_000;
/** BullMQ blocks for 10 s at most. */
const mostBlockMs = 10_000;
const blocking = new Set(['bzpopmin', 'bzpopmax', 'brpoplpush', 'blpop', 'brpop', 'blmove', 'xread', 'xreadgroup']);

/**
 * Breaks the connection when its first command has had no complete answer for `patienceMs`; all that wait are then rejected or sent
 * again, as its role has it, and it reconnects. Watches for as long as the connection is wanted.
 */
export function breakWhenSilent(connection: Watched, patienceMs: () => number): void {
  let first: object | undefined;
  let since = 0;
  let askedAt = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const probe = () => {
    const now = performance.now();
    const waiting = queueOf(connection).peekFront();
    if (waiting === undefined) {
      first = undefined;
      if (connection.status !== 'ready' || now - askedAt < askEveryMs) return;
      askedAt = now;
      connection.ping().catch(() => undefined);
      return;
    }
    if (waiting !== first) {
      first = waiting;
      since = now;
      return;
    }
    const { name } = waiting.command;
    const boundMs = patienceMs() + (blocking.has(name) ? mostBlockMs : 0);
    if (now - since < boundMs) return;
    first = undefined;
    connection.stream?.destroy(
      new Error(`no answer to ${name.toUpperCase()} for ${Math.round(now - since)} ms on an open connection`),
    );
  };
  connection.on('connect', () => (timer ??= setInterval(probe, probeEveryMs).unref()));
  connection.on('end', () => {
    clearInterval(timer);
    timer = undefined;
  });
}

function queueOf(connection: Watched): CommandQueue {
  return (connection as unknown as { readonly commandQueue: CommandQueue }).commandQueue;
}
