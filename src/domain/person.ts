// Who did something, in readable form. Stored callers are `rule <name>`, `token <name>`, `user <name>` for a person whom a proxy signed in
// or to whom a Slack user is mapped, a person's name as the request claimed it, or `loopback`.

/** The stored name of a caller without a token who gave no name. */
export const withoutToken = 'loopback';

/** A stored caller in words; a caller without a name gets a description. */
export function callerText(who: string): string {
  return who === withoutToken ? 'somebody on this machine who gave no name' : who;
}

/** The same, for people: `token mara` and `user mara` become mara. */
export function personText(who: string): string {
  return callerText(who).replace(/^(token|user) /, '');
}

/** Whether two stored callers are the same person, however they signed in and however their name is spelled. */
export function isSamePerson(one: string, other: string): boolean {
  const name = (who: string) => personText(who).normalize('NFKC').toLowerCase();
  return name(one) === name(other);
}
