// Web addresses are often secrets: the path of a Slack or Teams webhook is all it takes to use it. What may be shown, and what must not.

/** An address that may be shown: its origin, and a mark that there is more. */
function shownAddress(address: string): string {
  const url = URL.parse(address);
  if (!url) return '[hidden]';
  const isOrigin = `${url.origin}/` === url.href;
  return isOrigin ? address : `${url.origin === 'null' ? url.protocol : url.origin}/[hidden]`;
}

/** Fields that are passed on unchanged: a `url` in them is no destination. */
const contents: ReadonlySet<string> = new Set(['payload', 'body', 'detail']);

/** The parameters of an action, or a value that contains them, with every `url` masked; everything else stays. */
export function maskAddresses(params: unknown): unknown {
  if (typeof params !== 'object' || params === null || Array.isArray(params)) return params;
  return Object.fromEntries(
    Object.entries(params).map(([key, value]: [string, unknown]) => {
      if (contents.has(key)) return [key, value];
      return [key, key === 'url' && typeof value === 'string' ? shownAddress(value) : maskAddresses(value)];
    }),
  );
}

const shortestSecret = 16;

/** The texts that would reveal an address: all of it, and each part that looks random. */
export function secretPartsOf(address: string): string[] {
  const url = URL.parse(address);
  if (!url || `${url.origin}/` === url.href) return [];
  const parts = [url.password, ...url.pathname.split('/'), ...url.searchParams.values(), url.hash.slice(1)];
  return [
    ...new Set([address, url.href]),
    ...parts.filter((part) => part.length >= shortestSecret && /\d/.test(part) && /[A-Za-z]/.test(part)),
  ];
}
