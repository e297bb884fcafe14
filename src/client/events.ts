// Server-sent events, as they come. https://html.spec.whatwg.org/multipage/server-sent-events.html

export interface ServerEvent {
  readonly name: string;
  readonly data: unknown;
}

/** Far more than the largest event, which is a screen of the page. */
const mostEventChars = 32 * 1024 * 1024;

/**
 * Reads events until the stream ends.
 * @param heard is called for each whole event or comment: bytes that never make one are as good as silence.
 * @throws Error for an event that does not end, and for data that is no JSON
 */
export async function* eventsOf(
  body: ReadableStream<Uint8Array>,
  heard: () => void = () => undefined,
): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    if (blocks.length > 0) heard();
    if (text.length > mostEventChars) throw new Error('an event of the stream does not end');
    for (const block of blocks) {
      const lines = block.split('\n');
      const valuesOf = (field: string) =>
        lines.flatMap((line) => (line.startsWith(`${field}: `) ? [line.slice(field.length + 2)] : []));
      const [name] = valuesOf('event');
      if (name !== undefined) yield { name, data: JSON.parse(valuesOf('data').join('\n')) };
    }
  }
}
