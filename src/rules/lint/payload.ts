// How large the payload of a put_metadata can become: its templates are filled with the longest values that IVS allows.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/service-quotas.html
import type { TemplateContext } from '#domain/documents.ts';
import { type DetailField, type IvsEventType, ivsEvents } from '#domain/ivs-events.ts';
import type { Rule, Step } from '#domain/rule.ts';
import { isTemplate, variablesOf } from '../template.ts';

/** The longest assumed text where AWS does not document a limit. */
const longestUnknown = 256;
const allTypes: readonly IvsEventType[] = Object.values(ivsEvents);

/** The largest value of each documented field of `detail`, over all detail types. */
const longestFields = new Map<string, unknown>();
for (const [name, field] of allTypes.flatMap(({ detail }) => Object.entries(detail))) {
  const value = longestValue(field);
  const known = longestFields.get(name);
  if (known === undefined || bytesOf(value) > bytesOf(known)) longestFields.set(name, value);
}

function longestValue({ type, longest, values }: DetailField): unknown {
  if (type === 'number') return Number.MAX_SAFE_INTEGER;
  const length = longest ?? (values ? Math.max(...values.map((value) => value.length)) : longestUnknown);
  const text = 'x'.repeat(length);
  // A recording that continues over reconnects merges several streams.
  return type === 'texts' ? Array.from({ length: 10 }, () => text) : text;
}

/** Two bytes each in UTF-8: a tag's value may contain letters of any alphabet. */
const wideLetter = 'ж';

export interface PayloadSize {
  /** UTF-8 bytes as sent. */
  readonly bytes: number;
  /** Whether it depends on the output of templates. */
  readonly varies: boolean;
}

/** The most bytes that this step's payload can have; undefined for other actions and if it cannot be determined. */
export function worstPayload(rule: Rule, step: Step): PayloadSize | undefined {
  if (!('payload' in step.params)) return undefined;
  const texts = stringsIn(step.params.payload).filter(isTemplate);
  if (texts.length === 0) return { bytes: bytesOf(step.params.payload), varies: false };
  const rendered = step.render(longestContext(rule, texts.flatMap(variablesOf)));
  if (!rendered.ok || !('payload' in rendered.params)) return undefined;
  return { bytes: bytesOf(rendered.params.payload), varies: true };
}

function bytesOf(payload: unknown): number {
  return Buffer.byteLength(typeof payload === 'string' ? payload : JSON.stringify(payload));
}

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

/** Everything at its longest; free fields exist where the templates use them. */
function longestContext(rule: Rule, variables: readonly (readonly unknown[])[]): TemplateContext {
  const word = (length: number) => 'x'.repeat(length);
  const longArn = (resource: string) => `arn:aws:ivs:ap-northeast-1:111122223333:${resource}/${word(24)}`;
  const arn = longArn('channel');
  const time = '2026-11-20T10:15:04.000Z';
  const detail: Record<string, unknown> = {};
  const tags: Record<string, string> = {};
  const body: Record<string, unknown> = {};
  for (const [root, field, ...rest] of variables) {
    const path = [field, ...rest].filter((part) => typeof part === 'string');
    if (root === 'event' && (field === undefined || (field === 'detail' && rest.length === 0))) {
      Object.assign(detail, longestDetail);
    }
    if (root === 'event' && field === 'detail') put(detail, path.slice(1));
    if (root === 'http' && field === 'body') put(body, path.slice(1));
    if (root === 'channel' && field === 'tags' && path[1] !== undefined) tags[path[1]] = wideLetter.repeat(256);
  }
  return {
    rule: { name: rule.name, mode: rule.mode },
    firing: { since: time, duration: '13d23h59m59s', durationSeconds: 9_999_999, group: word(256), resolved: false },
    channel: {
      arn,
      id: word(24),
      region: 'ap-northeast-1',
      account: '111122223333',
      name: word(128),
      type: 'ADVANCED_HD',
      latencyMode: 'NORMAL',
      recordingConfigurationArn: arn,
      authorized: false,
      insecureIngest: false,
      preset: 'CONSTRAINED_BANDWIDTH_DELIVERY',
      playbackRestrictionPolicyArn: longArn('playback-restriction-policy'),
      adConfigurationArn: longArn('ad-configuration'),
      containerFormat: 'FRAGMENTED_MP4',
      multitrackInputConfiguration: { enabled: false, policy: 'REQUIRE', maximumResolution: 'FULL_HD' },
      tags,
    },
    stream: {
      live: false,
      state: 'offline',
      streamId: word(26),
      startTime: time,
      ageSeconds: 9_999_999,
      adBreak: false,
      health: 'STARVING',
      viewerCount: 1_000_000,
      recording: 'recording',
      failureReason: word(64),
    },
    session: { id: word(26), startedAt: time, endedAt: time, duration: '13d23h59m59s' },
    event: {
      version: '0',
      id: word(36),
      'detail-type': longestOf(Object.keys(ivsEvents)),
      source: 'aws.ivs',
      account: '111122223333',
      time,
      region: 'ap-northeast-1',
      resources: [arn],
      detail: { channel_name: word(128), stream_id: word(26), ...detail },
    },
    aggregate: { count: 10_000, live: 10_000, percent: 33.333333333333336, channels: Array(10).fill(word(128)) },
    threshold: { field: 'viewerCount', value: 1_000_000, observed: 1_000_000 },
    http: { name: word(63), requestId: word(64), body },
  };
}

/** The largest detail that any documented detail type has. */
const longestDetail: Readonly<Record<string, unknown>> = allTypes
  .map(({ detail }) => Object.fromEntries(Object.entries(detail).map(([name, field]) => [name, longestValue(field)])))
  .reduce((left, right) => (bytesOf(left) < bytesOf(right) ? right : left));

function longestOf(texts: readonly string[]): string {
  return texts.reduce((left, right) => (left.length < right.length ? right : left));
}

/** Puts a longest value at a path of names. */
function put(target: Record<string, unknown>, path: readonly string[]): void {
  const [name, ...rest] = path;
  if (name === undefined) return;
  if (rest.length === 0) target[name] ??= longestFields.get(name) ?? 'x'.repeat(longestUnknown);
  else {
    const inner = target[name];
    const next = typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {};
    target[name] = next;
    put(next, rest);
  }
}
