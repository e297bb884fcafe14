// Ads, playback restrictions and revoked viewers, through the real client and shared state, against the simulator.
import { expect, test } from 'vitest';
import type { ActionJob } from '#domain/action.ts';
import { kinds } from '#domain/state-registry.ts';
import type { StreamChange } from '#domain/stream-record.ts';
import { hold } from '#rules/controls.ts';
import { startSimulator } from '#simulator/server.ts';
import { actionRig, operatorJob } from '#test/support/action-rig.ts';
import { eventually } from '#test/support/quiet.ts';
import { redisScope } from '#test/support/redis.ts';
import { ivsFor, sender } from '#test/support/simulator-sdk.ts';
import { intentsDue, intentsOf } from '#workers/intents.ts';

async function setup() {
  const resources = new AsyncDisposableStack();
  const timings = { sessionToStartMs: 0, sessionEndToStreamEndMs: 20, encoderReconnectMs: 150 };
  const simulator = resources.use(await startSimulator({ enforcement: 'off', timings }));
  const scope = resources.use(await redisScope());
  const rig = resources.use(await actionRig({ simulatorUrl: simulator.url, redis: scope.redis, prefix: scope.prefix }));
  const aws = ivsFor(simulator.url);
  resources.defer(() => aws.destroy());
  const send = sender(aws);
  const { control } = simulator;
  const channel = await control.createChannel({ name: 'studio-a', tags: { tier: 'gold' } });
  const playbackConfigurationArn = 'arn:aws:mediatailor:us-west-2:111122223333:playbackConfiguration/ads';
  const mediaTailorPlaybackConfigurations = [{ playbackConfigurationArn }];
  const know = (arn: string, name: string, tags: Record<string, string>) =>
    rig.state.transact((tx) =>
      tx.set(kinds.channel.of(arn), {
        arn: arn as never,
        name,
        type: 'STANDARD',
        latencyMode: 'LOW',
        recordingConfigurationArn: '',
        tags,
      }),
    );
  await know(channel.arn, 'studio-a', { tier: 'gold' });
  return {
    rig,
    control,
    send,
    know,
    arn: channel.arn,
    ads: async (name: string): Promise<string> =>
      (await send('CreateAdConfiguration')({ name, mediaTailorPlaybackConfigurations }))['adConfiguration'].arn,
    policy: async (name: string): Promise<string> =>
      (await send('CreatePlaybackRestrictionPolicy')({ name, allowedCountries: ['GB'] }))['playbackRestrictionPolicy']
        .arn,
    channelNow: async (arn = channel.arn) => (await send('GetChannel')({ arn }))['channel'],
    policyNow: async (arn: string) =>
      (await send('GetPlaybackRestrictionPolicy')({ arn }))['playbackRestrictionPolicy'],
    changes: async (operation: string) => (await control.calls({ operation, outcome: 'ok' })).length,
    live: async () => {
      const [streamId] = await control.goLive(channel.arn, { viewers: 100 });
      await eventually(async () => (await control.channels(channel.arn))[0]?.phase === 'live');
      return streamId!;
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

const rule = { kind: 'rule', rule: 'cup', decisionId: 'd-1' } as const;

function ended(channelArn: string, streamId: string): StreamChange {
  const after = { channelArn, streamId, state: 'ended' };
  return { kind: 'stream', channelArn, before: undefined, after, atMs: Date.now() } as unknown as StreamChange;
}

test('ads and a playback restriction are found by name or ARN, set, left unchanged if already set, and removed', async () => {
  await using t = await setup();
  const ads = await t.ads('show');
  const policy = await t.policy('europe');
  const { arn: channelArn } = t;
  const setAds = (id: string, configuration: string, rest: object = {}) =>
    t.rig.run(id, operatorJob('set_ad_configuration', { configuration }, { channelArn, ...rest }));
  const restrict = (id: string, name: string) =>
    t.rig.run(id, operatorJob('set_playback_restriction', { policy: name }, { channelArn }));

  const dry = await setAds('dry', 'show', { dryRun: true });
  expect(dry).toMatchObject({
    reason: 'dry_run',
    calls: [`UpdateChannel ${channelArn} adConfigurationArn="${ads}"`, `GetChannel ${channelArn}`],
  });
  expect(await t.changes('UpdateChannel')).toBe(0);
  const before = { adConfigurationArn: '' };
  expect(await setAds('on', 'show')).toMatchObject({ outcome: 'done', before, after: { adConfigurationArn: ads } });
  expect(await setAds('again', ads)).toMatchObject({ outcome: 'already_done' });
  expect(await restrict('under', policy)).toMatchObject({
    outcome: 'done',
    after: { playbackRestrictionPolicyArn: policy },
  });
  expect(await t.channelNow()).toMatchObject({ adConfigurationArn: ads, playbackRestrictionPolicyArn: policy });
  expect(await setAds('off', 'none')).toMatchObject({ outcome: 'done', after: before });
  expect(await restrict('free', 'none')).toMatchObject({ outcome: 'done' });
  expect(await t.channelNow()).toMatchObject({ adConfigurationArn: '', playbackRestrictionPolicyArn: '' });
});

test('an invalid name or channel is reported before anything is changed', async () => {
  await using t = await setup();
  await t.ads('show');
  await t.ads('twice');
  await t.ads('twice');
  await t.policy('europe');
  const packaged = await t.control.createChannel({ name: 'multi' });
  await t.send('UpdateChannel')({ arn: packaged.arn, containerFormat: 'FRAGMENTED_MP4' });
  const updates = await t.changes('UpdateChannel');
  const setAds = (configuration: string, channelArn = t.arn) =>
    t.rig.run(
      `ads-${configuration}-${channelArn}`,
      operatorJob('set_ad_configuration', { configuration }, { channelArn }),
    );
  const restrict = (policy: string) =>
    t.rig.run(`policy-${policy}`, operatorJob('set_playback_restriction', { policy }, { channelArn: t.arn }));

  await expect(setAds('shaw')).rejects.toMatchObject({
    code: 'AD_CONFIGURATION_UNKNOWN',
    message: expect.stringContaining('show'),
  });
  await expect(setAds('twice')).rejects.toMatchObject({ code: 'AD_CONFIGURATION_AMBIGUOUS' });
  await expect(setAds(t.arn)).rejects.toMatchObject({ code: 'AD_CONFIGURATION_UNKNOWN' });
  await expect(setAds('show', packaged.arn)).rejects.toMatchObject({
    code: 'AD_CONFIGURATION_IMPOSSIBLE',
    message: expect.stringContaining('FRAGMENTED_MP4'),
  });
  await expect(restrict('asia')).rejects.toMatchObject({
    code: 'PLAYBACK_RESTRICTION_UNKNOWN',
    message: expect.stringContaining('europe'),
  });
  expect(await t.changes('UpdateChannel')).toBe(updates);
});

test('on a live channel each does as if_live says, or waits on its own and is applied when the stream has ended', async () => {
  await using t = await setup();
  const ads = await t.ads('show');
  const policy = await t.policy('europe');
  const { arn: channelArn, rig } = t;
  const streamId = await t.live();
  const skip = { configuration: 'show', if_live: 'skip' } as const;
  const fail = { policy: 'europe', if_live: 'fail' } as const;
  expect(await rig.run('skip', operatorJob('set_ad_configuration', skip, { channelArn }))).toMatchObject({
    outcome: 'skipped',
    reason: 'live',
  });
  await expect(rig.run('fail', operatorJob('set_playback_restriction', fail, { channelArn }))).rejects.toMatchObject({
    code: 'CHANNEL_LIVE',
  });
  const waiting = await rig.run('ads', operatorJob('set_ad_configuration', { configuration: 'show' }, { channelArn }));
  expect(waiting).toMatchObject({ outcome: 'deferred', until: 'Stream End', streamId });
  await rig.run('policy', operatorJob('set_playback_restriction', { policy: 'europe' }, { channelArn }));
  expect(intentsOf(rig.state.view).map(({ summary }) => summary)).toEqual(['ads of show', 'playback under europe']);

  await t.control.end(channelArn);
  await eventually(async () => !['live', 'ending'].includes((await t.control.channels(channelArn))[0]?.phase ?? ''));
  await rig.state.transact((tx) => intentsDue(tx, ended(channelArn, streamId)));
  const jobs = Array.from(rig.state.view.entries(kinds.job), ([, job]) => job);
  expect(jobs).toHaveLength(2);
  for (const { jobId, payload } of jobs) await rig.settle(jobId, payload as unknown as ActionJob);

  expect(await t.channelNow()).toMatchObject({ adConfigurationArn: ads, playbackRestrictionPolicyArn: policy });
  expect(intentsOf(rig.state.view)).toEqual([]);
});

test('restart stops the stream, so that the encoder comes back with the ads', async () => {
  await using t = await setup();
  const ads = await t.ads('show');
  await t.control.goLive(t.arn, { autoReconnect: true, reconnectMs: 30_000 });
  await eventually(async () => (await t.control.channels(t.arn))[0]?.phase === 'live');

  const params = { configuration: 'show', if_live: 'restart' } as const;
  const result = await t.rig.settle('restart', operatorJob('set_ad_configuration', params, { channelArn: t.arn }));

  expect(result).toMatchObject({ outcome: 'done', after: { adConfigurationArn: ads } });
  expect(await t.changes('StopStream')).toBeGreaterThan(0);
});

test('editing a policy names every affected channel, changes it once, and says when there is nothing to do', async () => {
  await using t = await setup();
  const policy = await t.policy('europe');
  const other = await t.control.createChannel({ name: 'studio-b' });
  for (const arn of [t.arn, other.arn]) await t.send('UpdateChannel')({ arn, playbackRestrictionPolicyArn: policy });
  const params = {
    policy: 'europe',
    allowed_countries: ['IE', 'GB', 'IE'],
    allowed_origins: ['https://www.example.com'],
  };
  const edit = (id: string, rest: object = {}) => t.rig.run(id, operatorJob('edit_playback_restriction', params, rest));

  const dry = await edit('dry', { dryRun: true });
  expect(dry).toMatchObject({ reason: 'dry_run', channels: expect.arrayContaining([t.arn, other.arn]) });
  expect(dry.calls?.[0]).toContain(t.arn);
  expect(dry.calls?.[0]).toContain(other.arn);
  expect(await t.changes('UpdatePlaybackRestrictionPolicy')).toBe(0);
  // For one channel, but another one has the policy too.
  await expect(edit('one', { channelArn: t.arn })).rejects.toMatchObject({
    code: 'PLAYBACK_RESTRICTION_SHARED',
    message: expect.stringContaining(other.arn),
  });
  expect(await edit('all')).toMatchObject({
    outcome: 'done',
    before: { allowedCountries: ['GB'], allowedOrigins: [] },
    after: { allowedCountries: ['IE', 'GB'], allowedOrigins: ['https://www.example.com'] },
  });
  expect(await edit('again')).toMatchObject({ outcome: 'already_done' });
  expect(await t.changes('UpdatePlaybackRestrictionPolicy')).toBe(1);
  const open = { policy: 'europe', allowed_countries: [] };
  await t.rig.run('open', operatorJob('edit_playback_restriction', open));
  expect(await t.policyNow(policy)).toMatchObject({
    allowedCountries: [],
    allowedOrigins: ['https://www.example.com'],
  });
});

test('a late edit of a policy does not undo a later request, list by list', async () => {
  await using t = await setup();
  const policy = await t.policy('europe');
  const edit = (decidedAtMs: number, lists: object) => {
    const params = { policy: 'europe', ...lists };
    return t.rig.run(`edit-${decidedAtMs}`, operatorJob('edit_playback_restriction', params, { decidedAtMs }));
  };
  const origins = { allowed_origins: ['https://www.example.com'] };

  await edit(2, { allowed_countries: ['IE'] });
  // Its first run failed, and it is retried.
  expect(await edit(1, { allowed_countries: ['FR'], ...origins })).toMatchObject({ outcome: 'done' });
  expect(await edit(1, { allowed_countries: ['FR'] })).toMatchObject({ outcome: 'skipped', reason: 'superseded' });

  expect(await t.policyNow(policy)).toMatchObject({
    allowedCountries: ['IE'],
    allowedOrigins: ['https://www.example.com'],
  });
  expect(await edit(3, { allowed_countries: ['FR'] })).toMatchObject({ outcome: 'done' });
});

test('a rule edits a policy only if its match selects all channels that have it, and none of them is on hold', async () => {
  await using t = await setup();
  const policy = await t.policy('europe');
  const other = await t.control.createChannel({ name: 'studio-b' });
  await t.know(other.arn, 'studio-b', { tier: 'silver' });
  for (const arn of [t.arn, other.arn]) await t.send('UpdateChannel')({ arn, playbackRestrictionPolicyArn: policy });
  const params = { policy: 'europe', allowed_countries: ['IE'] };
  const edit = (id: string, match: object | undefined) =>
    t.rig.run(
      id,
      operatorJob('edit_playback_restriction', params, {
        channelArn: t.arn,
        cause: rule,
        ...(match ? { match } : {}),
      } as never),
    );

  await expect(edit('gold', { tags: { tier: ['gold'] } })).rejects.toMatchObject({
    code: 'PLAYBACK_RESTRICTION_SHARED',
    message: expect.stringContaining(other.arn),
  });
  await t.rig.state.transact((tx) => hold(tx, { channelArn: other.arn, who: 'mara', reason: 'tests' }));
  expect(await edit('held', { tags: { tier: ['gold', 'silver'] } })).toMatchObject({
    outcome: 'skipped',
    reason: 'held',
  });
  expect(await t.changes('UpdatePlaybackRestrictionPolicy')).toBe(0);
  await t.rig.state.transact((tx) => tx.delete(kinds.hold.of(other.arn)));
  expect(await edit('both', { tags: { tier: ['gold', 'silver'] } })).toMatchObject({ outcome: 'done' });
});

test('revokes viewers twenty per call, each once', async () => {
  await using t = await setup();
  const viewers = Array.from({ length: 45 }, (_, index) => `viewer-${index}`);
  const job = operatorJob(
    'revoke_viewers',
    { viewers: [...viewers, 'viewer-0'], versions_up_to: 3 },
    { channelArn: t.arn },
  );

  const dry = await t.rig.run('dry', { ...job, dryRun: true });
  expect(dry.calls).toHaveLength(3);
  expect(JSON.stringify(dry)).not.toContain('viewer-1');
  expect(await t.rig.run('revoke', job)).toMatchObject({ outcome: 'done', viewers: 45 });

  expect(await t.changes('BatchStartViewerSessionRevocation')).toBe(3);
  const revoked = await t.control.revocations({ channelArn: t.arn });
  expect(revoked.map(({ viewerId, version }) => [viewerId, version])).toEqual(viewers.map((id) => [id, 3]));
});

test('reports a viewer that IVS refuses with code and message, and revokes the others; a temporary failure is retried', async () => {
  await using t = await setup();
  const viewers = ['ann', 'ben', 'cyd'];
  const errors = (code: string, viewerId: string) => ({
    members: { errors: [{ channelArn: t.arn, viewerId, code, message: `not ${viewerId}` }] },
  });
  const steps: object[] = [];
  const run = (id: string) => {
    const job = operatorJob('revoke_viewers', { viewers }, { channelArn: t.arn });
    return t.rig.run(id, job, { progress: async (step, detail) => void steps.push({ step, ...detail }) });
  };

  await t.control.addFault({
    operation: 'BatchStartViewerSessionRevocation',
    answer: errors('ThrottlingException', 'ben'),
    times: 1,
  });
  expect(await run('later')).toMatchObject({ outcome: 'done', viewers: 3 });
  expect(await t.changes('BatchStartViewerSessionRevocation')).toBe(2);

  await t.control.addFault({
    operation: 'BatchStartViewerSessionRevocation',
    answer: errors('ValidationException', 'ben'),
    times: 1,
  });
  const failure = await run('refused').then(
    () => undefined,
    (error: unknown) => error as Error & { code: string },
  );
  expect(failure).toMatchObject({ code: 'VIEWERS_NOT_REVOKED', message: expect.stringContaining('1 of 3 viewers') });
  expect(failure?.message).not.toContain('ben');
  expect(steps.at(-1)).toEqual({
    step: 'not_revoked',
    errors: [{ viewerId: 'ben', code: 'ValidationException', message: 'not ben' }],
  });

  await t.control.addFault({
    operation: 'BatchStartViewerSessionRevocation',
    error: 'ValidationException',
    message: 'Value ben is odd',
    times: 1,
  });
  const whole = await run('whole').then(
    () => undefined,
    (error: unknown) => error as Error & { code: string },
  );
  expect(whole).toMatchObject({ code: 'IVS_REQUEST_INVALID' });
  expect(`${whole?.message} ${String(whole?.cause)}`).not.toContain('ben');
});
