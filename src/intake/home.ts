// Whose channels a listing shows. One of another account or Region says that the answer is not ours to conclude from: other
// credentials, or another endpoint, than those that the state was made with.
import { type ChannelArn, parseChannelArn } from '#domain/channel.ts';
import type { StateView } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';

export interface Home {
  readonly region: string;
  /** Twelve digits; undefined while neither the configuration nor the state tells. */
  readonly account: string | undefined;
}

/**
 * The account as it is configured, else that of any channel that IVS has listed. A stream's record tells nothing: an event can make
 * one, and before the account is known an event of another one is not told apart.
 */
export function homeOf(view: StateView, { region, account }: Home): Home {
  if (account !== undefined) return { region, account };
  for (const [arn] of view.entries(kinds.channel)) return { region, account: parseChannelArn(arn)?.account };
  return { region, account: undefined };
}

/** Those channels that are not of the account and Region. Without a known account, all of a listing that mixes several. */
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
    `lists ${first}${others}, which is not of ${expected}: nothing is concluded from it. Check the credentials, the Region and ` +
    'AWS_ENDPOINT_URL_IVS; if the account was changed on purpose, give it another name in the configuration'
  );
}
