// edit_playback_restriction: changes the countries and origins of a playback restriction policy, and with it every channel that the policy
// is attached to, including live ones. If the requester did not mean all of these channels, or one is on hold, the policy is not changed.
import type { ActionJob } from '#domain/action.ts';
import type { PolicyEdit } from '#domain/action-memory.ts';
import { isOnHold } from '#domain/controls-in-force.ts';
import { AppError } from '#domain/errors.ts';
import { kinds } from '#domain/state-registry.ts';
import { type Fence, withLease } from './lease.ts';
import { findPlaybackRestrictionPolicy } from './playback-restriction-policy.ts';
import type { ActionHandler, HandlerContext, HandlerResult, PlaybackRestrictionPolicy } from './ports.ts';
import { onlyIfFailsFresh, planned } from './preconditions.ts';

type Job = ActionJob<'edit_playback_restriction'>;
type Lists = Partial<Pick<PlaybackRestrictionPolicy, 'allowedCountries' | 'allowedOrigins'>>;

export const editPlaybackRestriction: ActionHandler<'edit_playback_restriction'> = async (job, context) => {
  const skip = await onlyIfFailsFresh(job, context);
  if (skip) return skip;
  await context.progress('find_policy', { policy: job.params.policy });
  const { arn, name } = await findPlaybackRestrictionPolicy(job.params.policy, context);
  const touched = await context.ivs.listChannelsByPlaybackRestrictionPolicy(arn, { signal: context.signal });
  const label = name === '' ? arn : `${name} (${arn})`;
  assertMeant(job, context, { label, touched });
  const held = heldAmong(job, context, touched);
  if (held) return held;
  if (job.dryRun) return edit(job, context, { arn, touched });
  return withLease(context, arn, (fence) => edit(job, context, { arn, touched, fence }));
};

/** The wanted lists; one that is not named stays as it is, and so does one that a later request has changed already. */
function wantedOf({ params, decidedAtMs }: Job, newest: PolicyEdit): Lists {
  const { allowed_countries: countries, allowed_origins: origins } = params;
  const isOvertaken = (list: keyof Lists) => (newest[list] ?? 0) > decidedAtMs;
  return {
    ...(countries === undefined || isOvertaken('allowedCountries')
      ? {}
      : { allowedCountries: [...new Set(countries)] }),
    ...(origins === undefined || isOvertaken('allowedOrigins') ? {} : { allowedOrigins: [...new Set(origins)] }),
  };
}

async function edit(
  job: Job,
  context: HandlerContext,
  { arn, touched, fence }: { readonly arn: string; readonly touched: readonly string[]; readonly fence?: Fence },
): Promise<HandlerResult> {
  const { ivs, signal } = context;
  const key = kinds.policyEdit.of(arn);
  const newest = context.state.view.get(key) ?? {};
  const wanted = wantedOf(job, newest);
  const isNewest = Object.keys(wanted).length > 0;
  const requests = { asked: { decidedAtMs: job.decidedAtMs }, found: { ...newest } };
  if (!context.check('newest_request', isNewest, requests)) return { outcome: 'skipped', reason: 'superseded' };
  const before = listsOf(await ivs.getPlaybackRestrictionPolicy(arn, { signal }));
  const isSet = holds(before, wanted);
  context.check('playback_restriction', !isSet, { asked: { other: wanted }, found: { ...before } });
  const channels = [...touched];
  if (job.dryRun) {
    const about = touched.length === 0 ? 'no channel has it' : `changes playback of ${touched.join(', ')}`;
    const update = `UpdatePlaybackRestrictionPolicy ${arn} ${JSON.stringify(wanted)}: ${about}`;
    return { ...planned(isSet ? [] : [update, `GetPlaybackRestrictionPolicy ${arn}`], before), channels };
  }
  const remember = async () =>
    fence?.commit((tx) => {
      const decided = Object.fromEntries(Object.keys(wanted).map((list) => [list, job.decidedAtMs]));
      tx.set(key, { ...tx.get(key), ...decided });
    });
  if (isSet) {
    await remember();
    return { outcome: 'already_done', reason: 'set', before, after: before, channels };
  }
  await context.progress('update_policy', { arn, ...wanted, channels: channels.length });
  await fence?.renew();
  await ivs.updatePlaybackRestrictionPolicy(arn, wanted, { signal });
  await context.progress('verify', { arn });
  const after = listsOf(await ivs.getPlaybackRestrictionPolicy(arn, { signal }));
  if (!holds(after, wanted))
    throw new AppError(
      'CHANNEL_SETTING_UNSETTLED',
      `${arn} was set to ${JSON.stringify(wanted)} and is now ${JSON.stringify(after)}`,
    );
  await remember();
  return { outcome: 'done', before, after, channels };
}

/**
 * A rule may change only the channels that its `match` selects, and a request for one channel only that one.
 * @throws AppError PLAYBACK_RESTRICTION_SHARED
 */
function assertMeant(
  job: Job,
  context: HandlerContext,
  { label, touched }: { readonly label: string; readonly touched: readonly string[] },
): void {
  const { match, channelArn, cause } = job;
  const isMeant = (arn: string): boolean => {
    if (cause.kind === 'operator') return channelArn === undefined || arn === channelArn;
    return match === undefined || context.selects(match, arn);
  };
  const others = touched.filter((arn) => !isMeant(arn));
  const asked = cause.kind === 'rule' ? { match: match ?? 'every channel' } : { channelArn: channelArn ?? 'any' };
  if (context.check('policy_shared', others.length === 0, { asked, found: { others: others.slice(0, 20) } })) return;
  const more = others.length > 5 ? ` and ${others.length - 5} more` : '';
  const meant = cause.kind === 'rule' ? `the rule ${cause.rule} does not select` : 'the request does not name';
  throw new AppError(
    'PLAYBACK_RESTRICTION_SHARED',
    `${label} is also the policy of channels that ${meant}: ${others.slice(0, 5).join(', ')}${more}; nothing was changed`,
    { details: { channelArns: others.slice(0, 100) } },
  );
}

/** Automation leaves every channel on hold alone, even when it would reach it only through a policy. */
function heldAmong(job: Job, context: HandlerContext, touched: readonly string[]): HandlerResult | undefined {
  if (job.cause.kind !== 'rule') return undefined;
  const { state } = context;
  const held = touched.filter((arn) => isOnHold(state.view, arn, state.nowMs()));
  const compared = { asked: { held: false }, found: { held: held.length > 0, channels: held.slice(0, 20) } };
  if (context.check('hold', held.length === 0, compared)) return undefined;
  return { outcome: 'skipped', reason: 'held', channelArn: held[0] };
}

function listsOf({ allowedCountries, allowedOrigins }: PlaybackRestrictionPolicy): Required<Lists> {
  return { allowedCountries, allowedOrigins };
}

function holds(found: Required<Lists>, wanted: Lists): boolean {
  const same = (left: readonly string[], right: readonly string[]) =>
    new Set(left).size === new Set(right).size && right.every((each) => left.includes(each));
  return (Object.entries(wanted) as [keyof Lists, readonly string[]][]).every(([list, texts]) =>
    same(found[list], texts),
  );
}
