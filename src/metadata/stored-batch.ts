// A batch: as it is passed to the outbox, and as the outbox keeps it in Redis. What cannot be read of a stored one is left out.

import { type Lane, lanes } from '#domain/action.ts';
import type { ChannelArn } from '#domain/channel.ts';
import type { BatchJob, HeadStart } from '#domain/job.ts';
import type { Traceparent } from '#domain/trace.ts';
import { type BatchProgress, type Content, type Outcome, outcomes, type Skipped } from './batch.ts';
import { payloadOf } from './envelope.ts';

export interface OutboxItem {
  readonly id: string;
  /** As it appears in an envelope, or the payload itself. */
  readonly text: string;
  readonly mode: 'packed' | 'plain';
  readonly key: string | undefined;
  readonly acceptedAtMs: number;
  readonly expiresInMs: number;
}

export interface OutboxBatch {
  readonly batchId: string;
  readonly lane: Lane;
  readonly channels: readonly ChannelArn[];
  readonly items: readonly OutboxItem[];
  /** Who sent it, for people. */
  readonly who: string;
  readonly callsPerChannel: number;
  /** Who was left out already. */
  readonly skipped: readonly Skipped[];
  readonly idempotency: IdempotencyKey | undefined;
  /** The job that it comes from, if any. */
  readonly job?: BatchJob | undefined;
  /** The sender's place in a trace. */
  readonly trace?: Traceparent | undefined;
  /** For a job that is not in its queue yet: accepted only if it overtakes nothing. */
  readonly headStart?: HeadStart | undefined;
}

export interface IdempotencyKey {
  readonly key: string;
  /** Empty: any request with the key counts as the same. */
  readonly requestHash: string;
}

/** A batch as the outbox keeps it. */
export interface StoredBatch extends Omit<BatchProgress, 'etaSeconds'> {
  readonly job?: BatchJob | undefined;
  readonly callsPerChannel: number;
  /** Channels where items waited already when the batch was accepted. */
  readonly channelsBefore: number;
}

/** Channels whose queues had no room. */
export interface Full {
  readonly count: number;
  readonly examples: readonly string[];
}

/** A batch keeps this many bytes of its items, for as long as the batch itself is known. */
const keptContentBytes = 4_096;

/** What a batch remembers of its items, for people. */
export function contentsOf(items: readonly OutboxItem[]): readonly Content[] {
  const contents: Content[] = [];
  let bytes = 0;
  for (const { text, mode, key } of items) {
    bytes += Buffer.byteLength(text);
    if (bytes > keptContentBytes) break;
    contents.push({ payload: mode === 'packed' ? payloadOf(text) : text, ...(key === undefined ? {} : { key }) });
  }
  return contents;
}

/** Reads a batch's hash. */
export function storedBatch(batchId: string, fields: Readonly<Record<string, string>>): StoredBatch {
  const number = (name: string) => {
    const value = Number(fields[name] ?? 0);
    return Number.isFinite(value) ? value : 0;
  };
  const counts = { pending: number('pending') } as Record<'pending' | Outcome, number>;
  for (const outcome of outcomes) counts[outcome] = number(outcome);
  const finished = fields['finishedAt'] !== undefined;
  const cancelled = fields['cancelledAt'] !== undefined;
  const failures = Object.entries(fields).flatMap(([name, value]) =>
    name.startsWith('reason:') ? [[name.slice('reason:'.length), Number(value)] as const] : [],
  );
  return {
    batchId,
    who: fields['who'] ?? '',
    state: finished ? (cancelled ? 'cancelled' : 'finished') : cancelled ? 'cancelling' : 'running',
    lane: lanes.find((lane) => lane === fields['lane']) ?? 'normal',
    channels: number('channels'),
    items: number('itemCount'),
    total: number('total'),
    contents: listIn<Content>(fields['contents']),
    counts,
    failures: Object.fromEntries(failures),
    skipped: withFull(listIn<Skipped>(fields['skipped']), {
      count: number('full'),
      examples: fields['fullExamples']?.split(' ') ?? [],
    }),
    startedAtMs: number('startedAt'),
    finishedAtMs: finished ? number('finishedAt') : undefined,
    callsPerChannel: number('callsPerChannel'),
    channelsBefore: number('channelsBefore'),
    job: jobIn(fields['job']),
  };
}

/** Parses JSON from Redis; undefined for what cannot be read. */
function parsed(stored: string | undefined): unknown {
  try {
    return JSON.parse(stored ?? '');
  } catch {
    return undefined;
  }
}

function listIn<T>(stored: string | undefined): T[] {
  const list = parsed(stored);
  return Array.isArray(list) ? (list as T[]) : [];
}

function jobIn(stored: string | undefined): BatchJob | undefined {
  const job = parsed(stored) as BatchJob | null | undefined;
  if (typeof job?.jobId !== 'string') return undefined;
  const { members, ...rest } = job;
  if (members === undefined) return job;
  return Array.isArray(members) ? { ...rest, members: members.filter(isMember) } : rest;
}

function isMember(member: unknown): member is NonNullable<BatchJob['members']>[number] {
  if (!Array.isArray(member)) return false;
  const [channelArn, place, decisionId] = member as readonly unknown[];
  return typeof channelArn === 'string' && typeof place === 'number' && typeof decisionId === 'string';
}

/** Who was left out, including the channels that turned out to be full. */
export function withFull(skipped: readonly Skipped[], full: Full): readonly Skipped[] {
  return full.count === 0 ? skipped : [...skipped, { reason: 'queue_full', ...full }];
}
