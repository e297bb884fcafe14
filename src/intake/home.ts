// Whose channels a listing shows. A channel of another account or Region means that no conclusion may be drawn: the listing was made with
// other credentials, or another endpoint, than the state.
import { type ChannelArn, parseChannelArn } from '#domain/channel.ts';
import type { StateView } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';

export interface Home {
  readonly region: string;
  /** Twelve digits; undefined while neither the configuration nor the state contains it. */
  readonly account: string | undefined;
}

/**
 * The configured account, or else that of any channel that IVS has listed. Stream records are not used: an event can create one, and
 * before the account is known, events of another account are not recognised.
 */
export function homeOf(view: StateView, { region, account }: Home): Home {
  if (account !== undefined) return { region, account };
  for (const [arn] of view.entries(kinds.channel)) return { region, account: parseChannelArn(arn)?.account };
  return { region, account: undefined };
}

/** The channels that do not belong to the account and Region. Without a known account: all channels of a listing that mixes several. */
export function strangersOf(home: Home | undefined, arns: readonly ChannelArn[]): readonly ChannelArn[] {
  if (!home) return [];
  const parsed = arns.map(parseChannelArn);
  const mixed = home.account === undefined && new Set(parsed.map((arn) => arn?.account)).size > 1;
  return arns.filter((_, index) => {
    const { region, account } = parsed[index] ?? {};
    return mixed || region !== home.region || (home.account !== undefined && account !== home.account);
  });
}

/** The sentence for a failed listing. */
export function strangersText(home: Home, [first, ...more]: readonly ChannelArn[]): string {
  const others = more.length === 0 ? '' : ` and ${more.length} more`;
  const expected = `account ${home.account ?? '(not known yet, so all must be of one)'} in ${home.region}`;
  return (
    `lists ${first}${others}, which does not belong to ${expected}: the listing is not used. Check the credentials, the Region and ` +
    'AWS_ENDPOINT_URL_IVS; if the account was changed on purpose, give it another name in the configuration'
  );
}
