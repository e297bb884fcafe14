// Who did something, as people read it. Stored are `rule <name>`, `token <name>`, `user <name>` of whom a proxy signed in or a Slack user
// is mapped to, a person's name as the request said it, or `loopback`.

/** What a caller is called that came without a token and said no name. */
export const withoutToken = 'loopback';

/** A stored caller in words: whoever said no name is nobody's name. */
export function callerText(who: string): string {
  return who === withoutToken ? 'somebody on this machine who gave no name' : who;
}

/** The same, for people: `token mara` and `user mara` are mara. */
export function personText(who: string): string {
  return callerText(who).replace(/^(token|user) /, '');
}

/** Whether two stored callers are one person: by whichever door they came, and however their name is written. */
export function isSamePerson(one: string, other: string): boolean {
  const name = (who: string) => personText(who).normalize('NFKC').toLowerCase();
  return name(one) === name(other);
}
