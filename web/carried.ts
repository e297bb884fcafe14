// Who carries an account, in words.
import type { AccountLine } from '#api/account-lines.ts';

/** Who carries an account, and where its actions are requested: `Carried by web-2: request its actions and metadata there`. */
export function carriedText({ state, here, carriers }: Pick<AccountLine, 'state' | 'here' | 'carriers'>): string {
  if (state === 'unknown') return 'Who carries it is not known.';
  const who = carriers.map(({ id, host }) => host ?? id).join(', ');
  if (who === '') return here ? 'Carried by this process.' : 'Carried by nobody.';
  if (state === 'not_carried') return `Carried by nobody; for the API alone by ${who}.`;
  return `${state === 'partly' ? 'Carried in part' : 'Carried'} by ${who}${here ? '' : ': request its actions and metadata there'}.`;
}
