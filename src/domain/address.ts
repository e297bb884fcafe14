// Web addresses often are secrets: Slack's and Teams' webhooks are opened by their path alone. What may be seen of one, and what must not.

/** An address fit for looking at: its origin, and that there is more. */
function shownAddress(address: string): string {
  const url = URL.parse(address);
  if (!url) return '[hidden]';
  const isOrigin = `${url.origin}/` === url.href;
  return isOrigin ? address : `${url.origin === 'null' ? url.protocol : url.origin}/[hidden]`;
}

/** What is sent on as it is: a `url` in it is not where anything goes. */
const contents: ReadonlySet<string> = new Set(['payload', 'body', 'detail']);

/** The parameters of an action, or what holds them, with every `url` masked; all else stays. */
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

/** The texts by which an address would be given away: all of it, and each part that looks as if it was made to be unguessable. */
export function secretPartsOf(address: string): string[] {
  const url = URL.parse(address);
  if (!url || `${url.origin}/` === url.href) return [];
  const parts = [url.password, ...url.pathname.split('/'), ...url.searchParams.values(), url.hash.slice(1)];
  return [
    ...new Set([address, url.href]),
    ...parts.filter((part) => part.length >= shortestSecret && /\d/.test(part) && /[A-Za-z]/.test(part)),
  ];
}
