// rotate_playback_key_pair: creates an EC P-384 pair, imports the public half, delivers the private half, keeps the old pair for a grace
// period (tokens signed with it stay valid), then deletes it.
//
// The pair is imported before the private half is delivered, so that signatures with the new key can be verified at once. IVS never returns
// a private key, so a pair whose delivery is not recorded is an orphan: the next run deletes it and creates another.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/private-channels-create-key.html
import { createHash, generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import type { ActionJob } from '#domain/action.ts';
import type { PlaybackKeyRecord } from '#domain/action-memory.ts';
import { durationMs } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import { Secret } from '#domain/secret.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { jobIdOf } from '#jobs/job-id.ts';
import { mayPass, pauseBefore } from './in-place.ts';
import { type Fence, withLease } from './lease.ts';
import type { ActionHandler, HandlerContext, HandlerResult, PlaybackKeyPair } from './ports.ts';
import { isCode, onlyIfFailsFresh, planned, putOffByControls } from './preconditions.ts';

type Job = ActionJob<'rotate_playback_key_pair'>;

const defaultGrace = '24h';
/** The beginning of the ids of jobs that a rotation leaves for the end of the grace period. */
const laterId = 'retire-playback-key';
const makeKeyPair = promisify(generateKeyPair);

export const rotatePlaybackKeyPair: ActionHandler<'rotate_playback_key_pair'> = async (job, context) => {
  const { name } = job.params;
  if (context.jobId.startsWith(`${laterId}-`)) {
    putOffByControls(job, context);
    return withLease(context, `playback-key|${name}`, async (fence) => {
      // Possibly from a later rotation, which has taken over what is still to be deleted.
      const record = context.state.view.get(kinds.playbackKey.of(name));
      return record ? retireDue({ job, context, fence }, record) : { outcome: 'already_done', reason: 'rotated' };
    });
  }
  const skip = await onlyIfFailsFresh(job, context);
  if (skip) return skip;
  if (job.dryRun) return plan(job, context);
  return withLease(context, `playback-key|${name}`, async (fence) => {
    const rotationId = rotationIdOf(job);
    const record = context.state.view.get(kinds.playbackKey.of(name));
    if (record?.rotationId === rotationId && record.deliveredAtMs !== undefined)
      return retireDue({ job, context, fence }, record);
    return rotate({ job, context, fence }, rotationId);
  });
};

interface Run {
  readonly job: Job;
  readonly context: HandlerContext;
  readonly fence: Fence;
}

async function rotate({ job, context, fence }: Run, rotationId: string): Promise<HandlerResult> {
  const { ivs, signal } = context;
  const { name, grace_period: grace = defaultGrace } = job.params;
  const key = kinds.playbackKey.of(name);
  const sink = context.sink(job);
  await context.progress('check_sink', { sink: sink.description });
  await sink.check(signal);
  const known = context.state.view.get(key);
  const pairName = `${name.slice(0, 116)}-${rotationId.slice(0, 10)}`;
  await deleteOrphans(context, [pairName, ...(known && known.deliveredAtMs === undefined ? [known.pairName] : [])]);
  const before = (await ivs.listPlaybackKeyPairs({ signal })).filter((pair) => isOurs(pair, name));
  await fence.commit((tx) => tx.set(key, { rotationId, pairName, retiring: known?.retiring ?? [] }));
  const { publicKey, privateKey } = await makeKeyPair('ec', {
    namedCurve: 'P-384',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const value = new Secret(privateKey);
  using _hidden = context.hide(value);
  const pair = await importPair(context, pairName, publicKey);
  await checkFingerprint(context, pair);
  await context.progress('deliver', { keyArn: pair.arn, sink: sink.description });
  await sink.deliver({ kind: 'playback_private_key', value, keyArn: pair.arn }, signal);
  const graceMs = durationMs(grace);
  await fence.commit((tx) => {
    const due = new Map((known?.retiring ?? []).map((entry) => [entry.arn, entry.deleteAtMs]));
    const retiring = before.map(({ arn }) => ({
      arn,
      deleteAtMs: Math.min(due.get(arn) ?? Infinity, tx.nowMs + graceMs),
    }));
    tx.set(key, { rotationId, pairName, arn: pair.arn, deliveredAtMs: tx.nowMs, retiring });
    enqueueNext(tx, job, retiring, rotationId);
  });
  context.nudge();
  await context.progress('verify', { keyArn: pair.arn });
  const after = await ivs.listPlaybackKeyPairs({ signal });
  if (!after.some(({ arn }) => arn === pair.arn))
    throw new AppError(
      'KEY_UNSETTLED',
      `playback key pair ${pair.arn} was deleted by somebody else right after its import`,
    );
  return {
    outcome: 'done',
    keyArn: pair.arn,
    fingerprint: pair.fingerprint,
    deliveredTo: sink.description,
    retiring: before.map(({ arn }) => arn),
    gracePeriod: grace,
    before: { keyArns: before.map(({ arn }) => arn) },
    after: { keyArns: after.filter((each) => isOurs(each, name)).map(({ arn }) => arn) },
  };
}

/**
 * Imports the public half. After a lost answer a pair with this name may exist. Only the answer of its import would say whether it has this
 * key, so it is deleted and imported again.
 */
async function importPair(context: HandlerContext, name: string, publicKeyMaterial: string): Promise<PlaybackKeyPair> {
  const { ivs, signal } = context;
  for (let failures = 0; ; ) {
    try {
      await context.progress('import_playback_key_pair', { name });
      return await ivs.importPlaybackKeyPair({ name, publicKeyMaterial }, { signal });
    } catch (error) {
      failures += 1;
      const pairs = await ivs.listPlaybackKeyPairs({ signal });
      const isImported = pairs.some((pair) => pair.name === name);
      if (isImported) await deleteOrphans(context, [name]);
      else if (isCode(error, 'IVS_QUOTA_EXCEEDED')) {
        const list = pairs.map((pair) => `${pair.name || 'unnamed'} (${pair.arn})`).join(', ');
        throw new AppError(
          'PLAYBACK_KEY_QUOTA',
          `there is no room for another playback key pair: there are already ${list}`,
        );
      }
      if (failures > 3 || !(isImported || mayPass(error)) || signal.aborted) throw error;
      await pauseBefore(context, failures - 1);
    }
  }
}

/**
 * Checks that the pair under this ARN in IVS is the one that was just imported: only then is its private half delivered.
 * https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_GetPlaybackKeyPair.html
 * @throws AppError KEY_UNSETTLED after the pair was deleted
 */
async function checkFingerprint(context: HandlerContext, { arn, fingerprint }: PlaybackKeyPair): Promise<void> {
  await context.progress('check_fingerprint', { keyArn: arn });
  const found = await context.ivs.getPlaybackKeyPair(arn, { signal: context.signal });
  const isSame = fingerprint !== undefined && found.fingerprint === fingerprint;
  const compared = { asked: { fingerprint: fingerprint ?? null }, found: { fingerprint: found.fingerprint ?? null } };
  if (context.check('fingerprint', isSame, compared)) return;
  await deletePair(context, arn);
  throw new AppError(
    'KEY_UNSETTLED',
    `playback key pair ${arn} has the fingerprint ${found.fingerprint ?? 'none'}, and that of its import is ${fingerprint ?? 'none'}: it was deleted, and nothing was delivered`,
  );
}

/** Pairs whose private half nobody has. */
async function deleteOrphans(context: HandlerContext, names: readonly string[]): Promise<void> {
  const { ivs, signal } = context;
  for (const pair of await ivs.listPlaybackKeyPairs({ signal })) {
    if (!names.includes(pair.name)) continue;
    await context.progress('delete_orphan', { keyArn: pair.arn });
    await deletePair(context, pair.arn);
  }
}

/** Deletes the pairs whose grace period is over; the job runs again for the others. */
async function retireDue({ job, context, fence }: Run, record: PlaybackKeyRecord): Promise<HandlerResult> {
  const nowMs = context.state.nowMs();
  const due = record.retiring.filter(({ deleteAtMs }) => deleteAtMs <= nowMs);
  for (const { arn } of due) {
    await context.progress('delete_playback_key_pair', { keyArn: arn });
    await fence.renew();
    await deletePair(context, arn);
  }
  const retiring = record.retiring.filter((entry) => !due.includes(entry));
  await fence.commit((tx) => {
    tx.set(kinds.playbackKey.of(job.params.name), { ...record, retiring });
    if (due.length > 0) enqueueNext(tx, job, retiring, record.rotationId);
  });
  context.nudge();
  if (due.length === 0) return { outcome: 'already_done', reason: 'rotated', keyArn: record.arn, retiring };
  return {
    outcome: 'done',
    reason: 'grace_period_over',
    keyArn: record.arn,
    before: { retired: due.map(({ arn }) => arn) },
  };
}

/** Lets this job run again when the next pair is due; it finds out by itself that only this is left. */
function enqueueNext(tx: Transaction, job: Job, retiring: PlaybackKeyRecord['retiring'], rotationId: string): void {
  const next = Math.min(...retiring.map(({ deleteAtMs }) => deleteAtMs));
  if (!Number.isFinite(next)) return;
  tx.enqueue({
    jobId: jobIdOf(laterId, rotationId, next),
    name: job.action,
    payload: { ...job },
    delayMs: Math.max(0, next - tx.nowMs) + 50,
  });
}

async function deletePair({ ivs, signal }: HandlerContext, arn: string): Promise<void> {
  await ivs.deletePlaybackKeyPair(arn, { signal }).catch((error: unknown) => {
    if (!isCode(error, 'IVS_NOT_FOUND')) throw error;
  });
}

async function plan(job: Job, context: HandlerContext): Promise<HandlerResult> {
  const { name, grace_period: grace = defaultGrace } = job.params;
  const pairs = (await context.ivs.listPlaybackKeyPairs({ signal: context.signal })).filter((pair) =>
    isOurs(pair, name),
  );
  return planned(
    [
      `ImportPlaybackKeyPair ${name}-…`,
      'GetPlaybackKeyPair: its fingerprint is that of the import',
      `deliver the private key to ${context.sink(job).description}`,
      ...pairs.map(({ arn }) => `after ${grace}: DeletePlaybackKeyPair ${arn}`),
    ],
    { keyArns: pairs.map(({ arn }) => arn) },
  );
}

/** Pairs with this name, and those that earlier rotations made. */
function isOurs(pair: PlaybackKeyPair, name: string): boolean {
  const base = name.slice(0, 116);
  return (
    pair.name === name || (pair.name.startsWith(`${base}-`) && /^[0-9a-f]{10}$/.test(pair.name.slice(base.length + 1)))
  );
}

function rotationIdOf(job: Job): string {
  return createHash('sha256')
    .update(JSON.stringify([job.cause, job.decidedAtMs, job.params]))
    .digest('hex')
    .slice(0, 24);
}
