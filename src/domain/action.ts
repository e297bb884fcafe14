// Everything the daemon can do, in the form that the rules file, the API and the jobs share: one schema for all three.
// An action is an object with one key, its name; the name is also the job's name, its file in workers/ and its heading in the docs.
import { z } from 'zod';
import { isChannelArn } from './channel.ts';
import { countryCodes } from './countries.ts';
import { parseDuration } from './duration.ts';
import { type AlertContext, type GroupMessage, severities } from './notification.ts';
import type { Traceparent } from './trace.ts';

/** For editors; the documentation also recognises a duration by it. */
export const durationPattern = '^(?=.)(\\d+w)?(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?(\\d+ms)?$';

/** `30s`, `5m`, … ; read it with `durationMs`. */
export const duration = z
  .string('expected a duration such as 30s, 5m or 1h30m')
  .refine((text) => parseDuration(text) !== undefined, 'expected a duration such as 30s, 5m or 1h30m')
  .meta({ pattern: durationPattern });

export const channelArn = z
  .string()
  .refine(isChannelArn, 'expected a channel ARN: arn:aws:ivs:<region>:<account>:channel/<id>');

/** Where a new key is delivered: exactly one sink. */
export const delivery = z
  .strictObject({
    secrets_manager: z.string().min(1).max(512).optional().describe('Name or ARN of an AWS Secrets Manager secret'),
    ssm_parameter: z.string().min(1).max(2048).optional().describe('Name of an SSM SecureString parameter'),
    webhook: z
      .strictObject({
        url_file: z.string().min(1).describe('File that contains the HTTPS address'),
        hmac_key_file: z.string().min(1).describe('File that contains the key of the HMAC-SHA256 signature'),
      })
      .optional(),
    file: z.string().min(1).optional().describe('Path of a file written atomically with mode 0600'),
  })
  .refine(
    (sink) => Object.values(sink).filter((value) => value !== undefined).length === 1,
    'expected exactly one of secrets_manager, ssm_parameter, webhook, file',
  );

/** `urgent` is served first, then `normal`, then `bulk`; a lower lane still gets a small share. */
export const lanes = ['urgent', 'normal', 'bulk'] as const;
export type Lane = (typeof lanes)[number];

export const reportFormats = ['md', 'html', 'json'] as const;
export type ReportFormat = (typeof reportFormats)[number];

/** Which channels: by ARN, every live one, or by tags (all keys must match, any value of a key). */
export const targets = z
  .strictObject({
    channelArns: z.array(channelArn).min(1).max(10_000).optional().describe('These channels'),
    live: z.literal(true).optional().describe('Every channel with a live stream'),
    tags: z
      .record(z.string().min(1).max(128), z.array(z.string().max(256)).min(1))
      .refine((tags) => Object.keys(tags).length > 0, 'expected at least one tag; live: true means every live channel')
      .meta({ minProperties: 1 })
      .optional()
      .describe('Live channels that have, for each of these tag keys, one of its values; at least one key'),
  })
  .refine(
    (value) => Object.values(value).filter((part) => part !== undefined).length === 1,
    'expected exactly one of channelArns, live, tags',
  );

const longestAdBreakMs = 300_000;
const adBreakDurations = 'expected whole seconds from 1s to 5m';
/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_InsertAdBreak.html */
const adBreakDuration = z
  .string(adBreakDurations)
  .refine((text) => {
    const ms = parseDuration(text) ?? 0;
    return ms >= 1_000 && ms <= longestAdBreakMs && ms % 1_000 === 0;
  }, adBreakDurations)
  .meta({ pattern: durationPattern });

const ifLive = z.enum(['defer', 'skip', 'fail', 'restart']).optional().describe('Default: defer');

/** A text that must have this form after its templates are filled in. @param problem says what is wrong, or returns undefined */
function filledIn(problem: (text: string) => string | undefined) {
  return z.string().superRefine((text, context) => {
    const message = /\{\{|\{%/.test(text) ? undefined : problem(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

/** In the form that AWS accepts: https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_UpdatePlaybackRestrictionPolicy.html */
const country = filledIn((text) => {
  if (countryCodes.has(text)) return undefined;
  const capitals = text.toUpperCase();
  if (countryCodes.has(capitals)) return `write ${capitals}, in capital letters`;
  return `${JSON.stringify(text.slice(0, 20))} is no country: expected a two-letter code of ISO 3166-1, such as GB`;
});

const longestOrigin = 128;

/** As a browser sends it in the header Origin: scheme, host and port. */
const origin = filledIn((text) => {
  if (text.length > longestOrigin) return `an origin has at most ${longestOrigin} characters`;
  if (text === 'null') return undefined;
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@*]+$/i.test(text))
    return 'expected an origin, such as https://www.example.com: scheme, host and port, without a path; an empty list allows every origin';
  if (!/^https?:/i.test(text)) return undefined;
  const sent = URL.canParse(text) ? new URL(text).origin : undefined;
  if (sent === undefined) return 'expected an origin, such as https://www.example.com';
  return sent === text ? undefined : `a browser sends it as ${sent}: write that`;
});

const viewerId = filledIn((text) =>
  text.length >= 1 && text.length <= 40 ? undefined : 'the id of a viewer has 1 to 40 characters',
);

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_CreateChannel.html */
const resourceName = filledIn((text) =>
  /^[A-Za-z0-9_-]{1,128}$/.test(text) ? undefined : 'expected 1 to 128 letters, digits, hyphens and underscores',
);

/** Below the limit of 50 that a resource can have, because the daemon sets some itself. */
const mostTags = 45;

const newTags = z.record(z.string().min(1).max(128), z.string().max(256)).superRefine((tags, context) => {
  const keys = Object.keys(tags);
  const reserved = keys.find((key) => /^aws:|^ivs-autopilot:/i.test(key));
  if (reserved !== undefined)
    context.addIssue({
      code: 'custom',
      path: [reserved],
      message: 'tags that begin with aws: or ivs-autopilot: are reserved',
    });
  if (keys.length > mostTags) context.addIssue({ code: 'custom', message: `at most ${mostTags} tags` });
});

const bucketName = filledIn((text) =>
  /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(text)
    ? undefined
    : 'expected the name of an S3 bucket: 3 to 63 lower-case letters, digits, dots and hyphens',
);

export const actionSchemas = {
  put_metadata: z.strictObject({
    payload: z
      .union([z.string().min(1), z.record(z.string(), z.unknown())])
      .describe('Text, or an object that is sent as JSON'),
    targets: targets.optional().describe('Default: the channel that the rule fired for'),
    expires: duration.optional().describe('Not sent after this long'),
    key: z.string().min(1).max(128).optional().describe('A newer item with the same key replaces an unsent older one'),
    lane: z.enum(lanes).optional().describe('Which items go first when the quota is short'),
    if_no_channel: z.enum(['skip', 'fail']).optional().describe('What to do if the event names no channel'),
  }),
  rotate_stream_key: z.strictObject({
    when: z.enum(['offline', 'now', 'now_and_stop']).optional().describe('Default: offline, deferred until Stream End'),
    deliver: delivery,
  }),
  set_recording: z.strictObject({
    configuration: z.string().max(128).describe('Name, ARN or bucket of a recording configuration, or none'),
    if_live: ifLive,
  }),
  set_ad_configuration: z.strictObject({
    configuration: z.string().min(1).max(128).describe('Name or ARN of an ad configuration, or none'),
    if_live: ifLive,
  }),
  set_playback_restriction: z.strictObject({
    policy: z.string().min(1).max(128).describe('Name or ARN of a playback restriction policy, or none'),
    if_live: ifLive,
  }),
  edit_playback_restriction: z
    .strictObject({
      policy: z.string().min(1).max(128).describe('Name or ARN of the policy'),
      allowed_countries: z
        .array(country)
        .max(200)
        .optional()
        .describe('Two-letter codes of ISO 3166-1; empty: every country. Omitted: unchanged'),
      allowed_origins: z
        .array(origin)
        .max(5)
        .optional()
        .describe('Such as https://www.example.com; empty: every origin. Omitted: unchanged'),
    })
    .refine(
      ({ allowed_countries: countries, allowed_origins: origins }) => countries !== undefined || origins !== undefined,
      'expected allowed_countries, allowed_origins or both',
    ),
  revoke_viewers: z.strictObject({
    viewers: z.array(viewerId).min(1).max(1_000).describe('Viewer ids, the aws:viewer-id of their playback tokens'),
    versions_up_to: z
      .number()
      .int()
      .min(0)
      .max(Number.MAX_SAFE_INTEGER)
      .optional()
      .describe('Revokes sessions with this aws:viewer-session-version or a lower one. Default: 0'),
  }),
  provision_channel: z.strictObject({
    name: resourceName.describe(
      'Name of the new channel. An existing channel of this name must have the same settings',
    ),
    type: z.enum(['BASIC', 'STANDARD', 'ADVANCED_SD', 'ADVANCED_HD']).optional().describe('Default: STANDARD'),
    latency_mode: z.enum(['NORMAL', 'LOW']).optional().describe('Default: LOW'),
    authorized: z.boolean().optional().describe('Whether playback needs a token. Default: false'),
    tags: newTags.optional(),
    recording: z.string().min(1).max(128).optional().describe('Name, ARN or bucket of a recording configuration'),
    ad_configuration: z.string().min(1).max(128).optional().describe('Name or ARN'),
    playback_restriction: z.string().min(1).max(128).optional().describe('Name or ARN of a policy'),
    pool: resourceName.optional().describe('Makes it one of the channels that lease_channel lends'),
    deliver: delivery.optional().describe('Where its stream key goes. Omitted: the key stays in IVS'),
  }),
  lease_channel: z.strictObject({
    pool: resourceName.describe('Pool to take a free channel from'),
    deliver: delivery.describe('Where its stream key goes'),
    for: duration.optional().describe('The lease ends by itself after this long'),
  }),
  return_channel: z.strictObject({
    lease: z.string().min(1).max(64).optional().describe('Returns the channel only if it has this leaseId'),
  }),
  ensure_recording_configuration: z.strictObject({
    name: resourceName,
    bucket: bucketName.describe('In the same Region and account'),
    reconnect_window_seconds: z
      .number()
      .int()
      .min(0)
      .max(300)
      .optional()
      .describe('A stream that reconnects within this time continues the same recording. Default: 0'),
    tags: newTags.optional(),
  }),
  stop_stream: z.strictObject({ revoke_key: z.boolean().optional() }),
  insert_ad_break: z.strictObject({
    duration: adBreakDuration.describe('How long ads are played: whole seconds, at most 5m'),
  }),
  notify: z.strictObject({
    receiver: z.string().min(1).optional().describe('Default: as `route` says'),
    text: z.string().min(1).max(4000),
    severity: z.enum(severities).optional().describe('A label that routes and receivers use'),
  }),
  webhook: z.strictObject({
    url_file: z.string().min(1).optional().describe('File that contains the address'),
    url: z.url().optional(),
    method: z.enum(['POST', 'PUT']).optional(),
    body: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
    hmac_key_file: z.string().min(1).optional(),
  }),
  emit_event: z.strictObject({
    source: z.string().min(1).max(256).optional().describe('Not aws.*, which AWS reserves. Default: ivs-autopilot'),
    detail_type: z.string().min(1).max(128),
    detail: z.record(z.string(), z.unknown()),
    bus: z.string().min(1).max(1600).optional(),
  }),
  tag: z.strictObject({
    set: z.record(z.string().min(1).max(128), z.string().max(256)).optional(),
    remove: z.array(z.string().min(1).max(128)).optional(),
  }),
  capture_session: z.strictObject({ notify: z.string().optional().describe('Receiver that gets the hints') }),
  report: z
    .strictObject({
      receiver: z.string().min(1).optional().describe('Receiver that gets it'),
      file: z
        .string()
        .min(1)
        .max(1000)
        .optional()
        .describe('Path without an extension: each format adds its own (`.md`, `.html`, `.json`)'),
      formats: z.array(z.enum(reportFormats)).min(1).max(3).optional().describe('Default: [md]'),
    })
    .refine(
      ({ receiver, file }) => receiver !== undefined || file !== undefined,
      'expected where it goes: receiver, file or both',
    ),
  rotate_playback_key_pair: z.strictObject({
    name: z.string().min(1).max(128),
    deliver: delivery,
    grace_period: duration.optional(),
  }),
  retire_recording_configuration: z.strictObject({ configuration: z.string().min(1).max(128) }),
  retire_channel: z.strictObject({ confirm: z.literal(true) }),
} as const;

export type ActionName = keyof typeof actionSchemas;
export const actionNames = Object.keys(actionSchemas) as ActionName[];

/** The parameters of one action. */
export type ActionParams<N extends ActionName = ActionName> = z.infer<(typeof actionSchemas)[N]>;

/** A file that an action's parameters name. */
export interface NamedFile {
  /** Its place in the parameters. */
  readonly place: readonly string[];
  readonly path: string;
  /** `write`: a key is delivered into it; `read`: it contains an address or a key. */
  readonly use: 'read' | 'write';
}

/** Fields that are passed on unchanged: the names in them mean nothing here. */
const contents: ReadonlySet<string> = new Set(['payload', 'body', 'detail']);

/** Every file that the parameters name: `file` is written, `…_file` is read. */
export function namedFiles(params: object, place: readonly string[] = []): NamedFile[] {
  return Object.entries(params).flatMap(([key, value]: [string, unknown]): NamedFile[] => {
    if (place.length === 0 && contents.has(key)) return [];
    const at = [...place, key];
    if (typeof value === 'object' && value !== null) return namedFiles(value, at);
    if (typeof value !== 'string' || !(key === 'file' || key.endsWith('_file'))) return [];
    return [{ place: at, path: value, use: key === 'file' ? 'write' : 'read' }];
  });
}

/** Actions on the channel that a rule fired for, or that a request names. */
export const channelActions: ReadonlySet<ActionName> = new Set([
  'put_metadata',
  'rotate_stream_key',
  'set_recording',
  'set_ad_configuration',
  'set_playback_restriction',
  'revoke_viewers',
  'return_channel',
  'stop_stream',
  'insert_ad_break',
  'tag',
  'capture_session',
  'report',
  'retire_channel',
]);

/** Actions whose effect cannot be undone: they need a cap and carry the stream they were decided for. */
export const destructiveActions: ReadonlySet<ActionName> = new Set([
  'stop_stream',
  'rotate_stream_key',
  'set_recording',
  'set_ad_configuration',
  'set_playback_restriction',
  'edit_playback_restriction',
  'revoke_viewers',
  'return_channel',
  'rotate_playback_key_pair',
  'retire_recording_configuration',
  'retire_channel',
]);

/** An EventBridge-style pattern: field name → array of values and matchers, or a nested pattern. */
export type Pattern = { readonly [field: string]: unknown };

/** What a job of an action carries. Ids and settings only; never a secret. */
export interface ActionJob<N extends ActionName = ActionName> {
  readonly action: N;
  readonly params: ActionParams<N>;
  readonly channelArn?: string | undefined;
  /** The live stream it was decided for; a destructive action does nothing if another one is live. */
  readonly streamId?: string | undefined;
  /** Who requested it: a rule's decision, or an operator. */
  readonly cause:
    | { readonly kind: 'rule'; readonly rule: string; readonly decisionId: string }
    | { readonly kind: 'operator'; readonly who: string; readonly reason: string };
  readonly decidedAtMs: number;
  /** Compared with fresh data from IVS right before the call; the action is skipped if it does not match. */
  readonly onlyIf?: Pattern | undefined;
  /** Shows the calls it would make, and makes none. */
  readonly dryRun?: boolean | undefined;
  /** For an action that affects more than its channel: what the rule's `match` selects. */
  readonly match?: Pattern | undefined;
  /** Set if it waited for the end of a stream: it does nothing if that intent was cancelled or replaced. */
  readonly intentId?: string | undefined;
  /**
   * Set if a rule's delivery has a path with a template: the fixed folder before the template. The file must be below it, wherever links
   * lead.
   */
  readonly deliveryFolder?: string | undefined;
  /** For a rule that inserts ad breaks: the minimum time since the end of the channel's last one. */
  readonly minGapMs?: number | undefined;
  /** For a rule's `notify`: what it reports. */
  readonly alert?: AlertContext | undefined;
  /** Set on a message of the daemon itself about a rule, which is not one of the rule's actions. */
  readonly isNotice?: true | undefined;
  /** For a test message to a receiver: it is neither grouped nor retried. */
  readonly isTest?: true | undefined;
  /** For a `notify` about a group: the message. */
  readonly group?: GroupMessage | undefined;
  /** Set on the jobs of a bulk action: the bulk action that the job belongs to. */
  readonly bulkId?: string | undefined;
  /** Places in traces that it follows from. The job's host reads them; handlers do not. */
  readonly follows?: readonly Traceparent[] | undefined;
}
