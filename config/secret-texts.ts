// Secrets that a configuration spells out: webhook addresses that only their path protects, and keys of receivers.
import { secretPartsOf } from '#domain/address.ts';
import type { Config } from './load.ts';

/** `queue_url` and `external_url` are not secrets: they open nothing by themselves. */
const addresses = /^(?!queue_|external_)(\w+_)?url$/;
const secrets = /^(\w+_)?(password|secret|token|routing_key|service_key|api_key)$/;
/** Content that is passed on unchanged. */
const contents: ReadonlySet<string> = new Set(['payload', 'body', 'detail']);

/** What must not appear in a log line, an answer or a crash. A file (`url_file`) keeps an address out of the configuration altogether. */
export function secretTextsOf({ document }: Pick<Config, 'document'>): string[] {
  return [...textsIn(document)];
}

function* textsIn(value: unknown, key = ''): Iterable<string> {
  if (typeof value === 'string') {
    if (addresses.test(key)) yield* secretPartsOf(value);
    else if (secrets.test(key)) yield value;
  } else if (Array.isArray(value)) {
    for (const item of value) yield* textsIn(item, key);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, part] of Object.entries(value)) if (!contents.has(name)) yield* textsIn(part, name);
  }
}
