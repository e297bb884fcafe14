// After a bulk action: compares what its jobs set with what IVS reports about the channels now, fifty at a time (BatchGetChannel). A
// difference means that somebody else changed it meanwhile, or that it never took effect: it is reported with the bulk, in the audit and as
// an alert.
import { isDeepStrictEqual } from 'node:util';
import type { ActionJob, ActionParams } from '#domain/action.ts';
import type { BulkCheck, BulkDifference, BulkVerification } from '#domain/action-memory.ts';
import type { SharedState, Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { audit } from '#journal/audit.ts';
import { noteFailedJob } from './alerts.ts';
import type { JobHandler } from './host.ts';
import type { ChannelSettings, IvsActions } from './ports.ts';

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_BatchGetChannel.html */
const mostInBatch = 50;
const mostNamed = 20;

/** Settings of a channel that actions change, and that BatchGetChannel returns. */
const settings = ['recordingConfigurationArn', 'adConfigurationArn', 'playbackRestrictionPolicyArn'] as const;

/** What the channel of a finished job should have now; undefined: nothing to compare. */
function expectedOf({ action, params }: ActionJob, after: unknown): BulkCheck['expected'] | undefined {
  if (action === 'tag') {
    const { set = {}, remove = [] } = params as ActionParams<'tag'>;
    return { tags: { ...set, ...Object.fromEntries(remove.map((key) => [key, null])) } };
  }
  if (typeof after !== 'object' || after === null) return undefined;
  const told = Object.entries(after).filter(([name]) => (settings as readonly string[]).includes(name));
  return told.length === 0 ? undefined : Object.fromEntries(told);
}

/** Remembers what to compare once the bulk has ended. */
export function noteExpected(tx: Transaction, job: ActionJob, after: unknown): void {
  const { bulkId, channelArn } = job;
  if (bulkId === undefined || channelArn === undefined || job.dryRun) return;
  const expected = expectedOf(job, after);
  if (expected) tx.set(kinds.bulkCheck.of(bulkId, channelArn), { bulkId, channelArn, expected });
}

/** The handler of the job `verify-bulk`. It may run again: a channel that was compared is not compared again. */
export function bindVerifyBulk({
  state,
  ivs,
}: {
  readonly state: SharedState;
  readonly ivs: Pick<IvsActions, 'getChannels'>;
}): JobHandler {
  return async (payload, { signal, jobId }) => {
    const { bulkId } = payload as { readonly bulkId: string };
    await state.refresh();
    for (;;) {
      const checks = Array.from(state.view.entries(kinds.bulkCheck), ([, check]) => check)
        .filter((check) => check.bulkId === bulkId)
        .slice(0, mostInBatch);
      if (checks.length === 0) break;
      const found = new Map(
        (
          await ivs.getChannels(
            checks.map(({ channelArn }) => channelArn),
            { signal },
          )
        ).map((channel) => [channel.arn, channel]),
      );
      await state.transact((tx) => {
        const differences = checks.flatMap((check) => differenceOf(check, found.get(check.channelArn)));
        for (const { channelArn } of checks) tx.delete(kinds.bulkCheck.of(bulkId, channelArn));
        noteCompared(tx, bulkId, checks.length, differences);
      });
    }
    const verification = await state.transact((tx) => conclude(tx, bulkId, jobId));
    return { outcome: 'done', bulkId, ...verification };
  };
}

/** A channel that is gone cannot differ, and what an answer leaves out is not known. */
function differenceOf({ channelArn, expected }: BulkCheck, found: ChannelSettings | undefined): BulkDifference[] {
  if (!found) return [];
  const told: Readonly<Record<string, unknown>> = { ...found, tags: tagsAsked(expected['tags'], found.tags) };
  const differing = Object.entries(expected).filter(
    ([name, value]) => told[name] !== undefined && !isDeepStrictEqual(told[name], value),
  );
  if (differing.length === 0) return [];
  return [
    {
      channelArn,
      expected: Object.fromEntries(differing),
      found: Object.fromEntries(differing.map(([name]) => [name, told[name]])),
    },
  ];
}

/** Those tags of the channel that the job set or removed: null where there is none. */
function tagsAsked(
  expected: unknown,
  tags: ChannelSettings['tags'],
): Readonly<Record<string, string | null>> | undefined {
  if (!tags || typeof expected !== 'object' || expected === null) return undefined;
  return Object.fromEntries(Object.keys(expected).map((key) => [key, Object.hasOwn(tags, key) ? tags[key]! : null]));
}

function noteCompared(tx: Transaction, bulkId: string, checked: number, differs: readonly BulkDifference[]): void {
  const bulk = tx.get(kinds.bulk.of(bulkId));
  if (!bulk) return;
  const before: BulkVerification = bulk.verification ?? { state: 'waiting', checked: 0, differing: 0, differs: [] };
  tx.set(kinds.bulk.of(bulkId), {
    ...bulk,
    verification: {
      ...before,
      checked: before.checked + checked,
      differing: before.differing + differs.length,
      differs: [...before.differs, ...differs].slice(0, mostNamed),
    },
  });
}

function conclude(tx: Transaction, bulkId: string, jobId: string): BulkVerification | undefined {
  const bulk = tx.get(kinds.bulk.of(bulkId));
  if (!bulk?.verification || bulk.verification.state === 'done') return bulk?.verification;
  const verification = { ...bulk.verification, state: 'done' as const };
  tx.set(kinds.bulk.of(bulkId), { ...bulk, verification });
  const { differing, checked, differs } = verification;
  const [example] = differs;
  if (!example) return verification;
  const reason = `${differing} of ${checked} channels are not as ${bulk.action} left them, such as ${example.channelArn}: expected ${JSON.stringify(example.expected)}, found ${JSON.stringify(example.found)}`;
  audit(tx, {
    who: bulk.cause.who,
    what: `verify ${bulk.action}`,
    outcome: 'differs',
    why: bulk.cause.reason,
    jobId: bulkId,
    params: { channels: differs.map(({ channelArn }) => channelArn) },
    reason,
  });
  noteFailedJob(tx, {
    jobId,
    action: bulk.action,
    code: 'CHANNELS_DIFFER',
    message: reason,
    who: bulk.cause.who,
    channelArn: example.channelArn,
  });
  return verification;
}
