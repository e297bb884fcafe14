// The one event stream: `GET /v1/live` read with fetch, so that the token is sent in a header. Reconnects by itself.
import { below, headers } from './api.ts';

/** A stream that ends after this long was ended on purpose: it is requested again, and nothing was lost. */
const longMs = 60_000;
/** After this much silence the connection is closed; the daemon sends something every second. */
const silentMs = 20_000;

export interface Follower {
  event(name: string, data: unknown): void;
  /** 'denied' ends it. `why`: the daemon's message to somebody it knows. */
  state(connection: 'open' | 'lost' | 'denied', why?: string): void;
}

/** Follows the stream. Returns a function that stops this. */
export function follow(on: Follower): () => void {
  const stopping = new AbortController();
  const run = async (): Promise<void> => {
    for (let failures = 0; !stopping.signal.aborted; ) {
      const abort = new AbortController();
      let watchdog: ReturnType<typeof setTimeout> | undefined;
      const alive = () => {
        clearTimeout(watchdog);
        watchdog = setTimeout(() => abort.abort(), silentMs);
      };
      try {
        alive();
        const answer = await fetch(below('/v1/live'), {
          headers: headers(),
          signal: AbortSignal.any([abort.signal, stopping.signal]),
          cache: 'no-store',
        });
        if (answer.status === 401 || answer.status === 403) {
          const { detail = '' } = (await answer.json().catch(() => ({}))) as { detail?: string };
          on.state('denied', answer.status === 403 ? detail : '');
          return;
        }
        if (!answer.ok || !answer.body) throw new Error(`the daemon answered ${answer.status}`);
        on.state('open');
        failures = 0;
        const openedAt = performance.now();
        await read(answer.body, (name, data) => on.event(name, data), alive);
        if (performance.now() - openedAt > longMs) continue;
      } catch {
        // Lost: the page says so, and tries again.
      } finally {
        clearTimeout(watchdog);
      }
      if (stopping.signal.aborted) return;
      on.state('lost');
      failures += 1;
      await new Promise((done) => setTimeout(done, Math.min(5000, 250 * 2 ** failures)));
    }
  };
  void run();
  return () => stopping.abort();
}

/** Reads server-sent events. https://html.spec.whatwg.org/multipage/server-sent-events.html */
async function read(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  onEvent: (name: string, data: unknown) => void,
  alive: () => void,
): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    alive();
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      let name = 'message';
      const data: string[] = [];
      for (const line of block.split('\n')) {
        if (line.startsWith('event: ')) name = line.slice(7);
        else if (line.startsWith('data: ')) data.push(line.slice(6));
      }
      if (data.length > 0) onEvent(name, JSON.parse(data.join('\n')));
    }
  }
}
