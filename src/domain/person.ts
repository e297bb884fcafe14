// Who did something, as people read it. Stored are `rule <name>`, `token <name>`, a person's name, or `loopback`.

/** What a caller is called that came without a token and said no name. */
export const withoutToken = 'loopback';

/** A stored caller in words: whoever said no name is nobody's name. */
export function callerText(who: string): string {
  return who === withoutToken ? 'somebody on this machine who gave no name' : who;
}

/** The same, for people: `token mara` is mara. */
export function personText(who: string): string {
  return callerText(who).replace(/^token /, '');
}
