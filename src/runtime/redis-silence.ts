// Detects a connection to Redis that is open but silent: the server hangs, or something in between lost the connection without closing it.
// ioredis waits for an answer as long as the socket is open, so a command could wait forever.

/** The parts of an ioredis connection that are watched. */
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
/** How often an idle connection is tested, so that one that only listens is checked too. */
const askEveryMs = 5_000;
/** BullMQ blocks for 10 s at most. */
const mostBlockMs = 10_000;
const blocking = new Set(['bzpopmin', 'bzpopmax', 'brpoplpush', 'blpop', 'brpop', 'blmove', 'xread', 'xreadgroup']);

/**
 * Closes the connection when its first command has had no complete answer for `patienceMs`; all waiting commands are then rejected or sent
 * again, depending on its role, and it reconnects. Watches until the connection is closed permanently.
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
