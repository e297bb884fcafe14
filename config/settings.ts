// The settings of the daemon in the configuration file, next to the rules (schema.ts), each with its description and default;
// docs/configuration.md is generated from here.
import { IANAZone } from 'luxon';
import { z } from 'zod';
import { duration } from '#domain/action.ts';
import { parseDuration } from '#domain/duration.ts';
import { ivsOperations } from '#domain/ivs-operations.ts';
import { problemOfNetwork } from '#domain/network.ts';
import { defaultControlLimits } from '#rules/controls.ts';
import { receiverName } from './receiver-schema.ts';

const account = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'expected lower-case letters, digits and hyphens')
    .describe('Short name of this (account, region); part of the Redis keys'),
  region: z.string().min(1).describe('AWS Region, for example us-west-2'),
  assume_role_arn: z
    .string()
    .startsWith('arn:aws:iam::')
    .optional()
    .describe(
      'Role to assume for every call to this account; `{account}` in it stands for `account_id`, so that all entries can have the same text',
    ),
  external_id: z
    .string()
    .regex(/^[\w+=,.@:/-]{2,1224}$/, 'expected 2 to 1224 letters, digits and + = , . @ : / _ -')
    .optional()
    .describe('External id that the trust policy of `assume_role_arn` requires'),
  account_id: z
    .string()
    .regex(/^\d{12}$/, 'expected the 12 digits of an AWS account, in quotes')
    .optional()
    .describe(
      'Account whose channels and events belong here. Default: the account of `assume_role_arn`; without a role, the account of the listed channels',
    ),
  queue_url: z
    .string()
    .min(1)
    .optional()
    .describe(
      'URL of the SQS queue that receives the IVS events. Entries with the same one share it: their events are told apart by account and Region',
    ),
  redis_url_file: z
    .string()
    .min(1)
    .max(1000)
    .optional()
    .describe(
      'File with the address of the Redis that keeps everything of this account, in the form of REDIS_URL. Default: that of REDIS_URL',
    ),
});

const operationLimit = z.strictObject({
  account: z.number().int().positive().optional().describe('Calls per second for the account'),
  channel: z.number().int().positive().optional().describe('Calls per second for one channel (PutMetadata)'),
});

/** Without an upper limit a permit would end before its call; an invalid duration has its own finding. */
const requestTimeout = duration.refine((text) => {
  const ms = parseDuration(text);
  return ms === undefined || (ms >= 100 && ms <= 60_000);
}, 'expected a duration from 100ms to 60s');

/** Headers that a client or a proxy sets for other reasons. */
const takenHeaders =
  /^(accept.*|authorization|connection|content-.*|cookie|date|expect|forwarded|host|idempotency-key|keep-alive|origin|proxy-.*|range|referer|sec-.*|te|trailer|transfer-encoding|upgrade.*|user-agent|via|x-autopilot-.*|x-forwarded-(for|host|port|prefix|proto)|x-real-ip)$/i;

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,100}$/, 'expected the name of a header: letters, digits and hyphens')
  .refine((name) => !takenHeaders.test(name), 'expected a header that has no other use');

const roleValues = z.array(z.string().min(1).max(200)).min(1).max(100).optional();

/** The names of Grafana's `auth.proxy`. */
const authProxy = z.strictObject({
  header_name: headerName
    .default('X-WEBAUTH-USER')
    .describe('Header with the name or mail address of the person who is signed in'),
  headers: z
    .strictObject({ role: headerName.optional().describe('Header with the role, or with groups that `roles` names') })
    .prefault({})
    .describe('Further headers, as `{role: X-WEBAUTH-ROLE}`'),
  roles: z
    .strictObject({ viewer: roleValues, operator: roleValues, admin: roleValues })
    .optional()
    .describe(
      'Which values of the role header mean a role, as `{operator: [video-oncall]}`; several values are separated by commas, and the highest role counts. Default: the value is viewer, operator or admin',
    ),
  default_role: z
    .enum(['viewer', 'operator', 'admin', 'none'])
    .default('viewer')
    .describe('Role of a person without a role in a header; `none`: they are refused'),
});

/** `20:15` */
export const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time of the day such as 20:15');

const approver = z.strictObject({
  name: z
    .string()
    .regex(
      /^(?!(token|user|rule)(\s|$)|loopback)[\p{L}\p{N}][\p{L}\p{N}\p{M} ._@'’+-]{0,63}$/iu,
      'expected up to 64 letters, digits, spaces and . _ @ \' + -, and not "token …", "user …", "rule …" or "loopback"',
    )
    .describe('The person’s name in audit and approvals: that of their token, or the one that the proxy sends'),
  slack_user_id: z
    .string()
    .regex(/^[UW][A-Z0-9]{2,30}$/, 'expected the member ID of Slack’s profile, such as U012AB3CD')
    .describe('Who they are in Slack'),
  role: z.enum(['operator', 'admin']).default('operator').describe('What they may say yes to'),
});

/** Relative ones would depend on where the daemon was started. */
const absoluteFolder = z.string().max(1000).startsWith('/', 'expected an absolute path');

/** One (account, region) with limiters, queues and keys of its own. */
export type AccountSettings = z.infer<typeof account>;

/** Top-level keys of the configuration file that set up the daemon itself. */
export const settingsShape = {
  accounts: z
    .array(account)
    .min(1)
    .optional()
    .describe(
      'One shard for each (account, region); `run --accounts` picks those that a process carries. Default: one, `main`, from AWS_REGION and `events.queue_url`',
    ),
  events: z
    .strictObject({
      queue_url: z
        .string()
        .min(1)
        .optional()
        .describe(
          'URL of the SQS queue with IVS events, if `accounts` does not name it. Environment: AUTOPILOT_QUEUE_URL',
        ),
      silent_after: duration
        .default('15m')
        .describe('Events count as missing after the queue could not be read for this long; at least 4s'),
    })
    .prefault({}),
  polling: z
    .strictObject({
      starving_interval: duration.default('5s').describe('How often ListStreams is called for starving streams'),
      full_interval: duration
        .default('15s')
        .describe('How often every live stream is listed; for a large fleet set it longer, to stay within the quota'),
      inventory_interval: duration.default('5m').describe('How often channels, names and tags are listed'),
      silent_after: duration
        .default('1m')
        .describe(
          'Polls count as missing this long after the last complete sweep began; at least twice the interval in force plus the time of one sweep',
        ),
    })
    .prefault({}),
  lint: z
    .strictObject({
      unknown_fields: z
        .enum(['error', 'warn'])
        .default('error')
        .describe(
          'What an unknown field of `detail` is: an `error`, or a warning (`warn`) if you use fields that are newer than the built-in table',
        ),
    })
    .prefault({}),
  limits: z
    .strictObject({
      share: z
        .number()
        .gt(0)
        .max(1)
        .default(1)
        .describe(
          'The share of every account quota that the daemon may use; the rest is for other software. The quotas of single channels are not affected',
        ),
      operations: z
        .partialRecord(z.enum(ivsOperations), operationLimit)
        .default({})
        .describe('Quotas that differ from the documented ones, by operation'),
      on_redis_down: z
        .enum(['wait', 'fail'])
        .default('wait')
        .describe('What a call does while the shared limiter is unreachable; it is never made without a limit'),
      request_timeout: requestTimeout
        .default('5s')
        .describe('How long one call to IVS may take, from the request to the last byte of the answer: 100ms to 60s'),
    })
    .prefault({}),
  metadata: z
    .strictObject({
      max_bytes: z
        .number()
        .int()
        .min(64)
        .max(1024)
        .default(1024)
        .describe('Maximum size of one PutMetadata payload, in UTF-8 bytes'),
      packing: z.enum(['on', 'off']).default('on').describe('Whether waiting items share one call, in an envelope'),
      reconnect_window: duration.default('0s').describe('How long items wait for a channel that is not broadcasting'),
      max_items_per_channel: z
        .number()
        .int()
        .positive()
        .default(1000)
        .describe(
          'Maximum number of items that wait for one channel; a batch skips a channel whose queue is full, and says so',
        ),
      max_items_total: z
        .number()
        .int()
        .positive()
        .default(500_000)
        .describe(
          'Maximum number of items that wait for all channels of an account; further batches are refused with 429',
        ),
      default_expires: duration.default('5m').describe('Items without an expiry of their own expire after this long'),
    })
    .prefault({}),
  alerts: z
    .strictObject({
      escalate: z
        .strictObject({
          after: duration.default('15m').describe('How long after the alert began'),
          receiver: receiverName.describe('Receiver of the message'),
          severity: z
            .enum(['critical', 'warning'])
            .default('critical')
            .describe('The lowest severity that is escalated'),
        })
        .optional()
        .describe('Which alerts are sent if nobody has acknowledged them. Default: none'),
      endings: z
        .strictObject({ receiver: receiverName.describe('Receiver of the message') })
        .optional()
        .describe('Who is notified before a silence or a hold ends. Default: nobody'),
      shift_summary: z
        .strictObject({
          receiver: receiverName.describe('Receiver of the summary; choose one that wakes nobody'),
          at: z.array(timeOfDay).min(1).max(24).describe('Times of day, such as `["08:00", "20:00"]`'),
          location: z
            .string()
            .max(64)
            .refine((zone) => IANAZone.isValidZone(zone), 'expected an IANA time zone such as Europe/London')
            .default('UTC')
            .describe('Time zone of these times'),
        })
        .optional()
        .describe(
          'A message about what happened since the last one: incidents, actions, approvals, and who works on open alerts. Default: none',
        ),
    })
    .prefault({}),
  approvers: z
    .array(approver)
    .max(200)
    .default([])
    .superRefine((list, context) => {
      for (const [index, { slack_user_id: id }] of list.entries())
        if (list.findIndex((other) => other.slack_user_id === id) < index)
          context.addIssue({ code: 'custom', path: [index, 'slack_user_id'], message: `${id} is two people` });
    })
    .describe(
      'Who may press buttons in Slack’s messages (`signing_secret_file` of `slack_configs`), and who that is here. Default: nobody',
    ),
  controls: z
    .strictObject({
      max_silences: z
        .number()
        .int()
        .positive()
        .default(defaultControlLimits.max_silences)
        .describe('Maximum number of silences that have not ended'),
      max_regex_steps: z
        .number()
        .int()
        .positive()
        .default(defaultControlLimits.max_regex_steps)
        .describe(
          'Maximum number of steps (about one per character) in the regular expressions of all silences together; every action of a rule is compared with all of them',
        ),
      max_holds: z
        .number()
        .int()
        .positive()
        .default(defaultControlLimits.max_holds)
        .describe('Maximum number of channels on hold by command'),
      max_bulk_actions: z
        .number()
        .int()
        .positive()
        .default(defaultControlLimits.max_bulk_actions)
        .describe('Maximum number of running bulk actions of an account'),
    })
    .prefault({}),
  http: z
    .strictObject({
      max_body_bytes: z
        .number()
        .int()
        .positive()
        .default(1_048_576)
        .describe('Maximum size of an API request body in bytes; about 15,000 channel ARNs fit into the default'),
      requests_per_minute: z
        .number()
        .int()
        .positive()
        .default(3000)
        .describe('Maximum number of API requests per token, minute and replica, over all routes'),
      external_url: z
        .url({ protocol: /^https?$/ })
        .max(500)
        .optional()
        .describe(
          'Address at which people reach the page, for links in messages. Default: none, so messages have no links',
        ),
      trusted_proxies: z
        .array(
          z.string().superRefine((text, context) => {
            const message = problemOfNetwork(text);
            if (message !== undefined) context.addIssue({ code: 'custom', message });
          }),
        )
        .max(100)
        .default([])
        .describe(
          'Addresses and networks of the proxies in front, such as 10.0.0.0/8. Only their headers are believed: X-Forwarded-For (the client’s address), X-Forwarded-Prefix (the path of the daemon) and X-Forwarded-Proto (whether https is used). Default: none',
        ),
      auth_proxy: authProxy
        .optional()
        .describe(
          'People whom a proxy of `http.trusted_proxies` has signed in: they need no token. Each of those proxies must replace these headers of its clients. Default: the headers are not read',
        ),
      max_connections: z
        .number()
        .int()
        .min(16)
        .max(50_000)
        .default(2_000)
        .describe(
          'Maximum number of open connections to one replica, including event streams; above it only health and metrics are answered',
        ),
      max_half_open: z
        .number()
        .int()
        .min(4)
        .max(50_000)
        .default(200)
        .describe('Maximum number of connections that have not sent a request yet; new ones replace the oldest'),
      allow_private_webhooks: z
        .boolean()
        .default(false)
        .describe('Whether webhooks may go to this machine and to private networks'),
      allow_link_local_webhooks: z
        .boolean()
        .default(false)
        .describe(
          'Whether webhooks may go to link-local addresses, where metadata services hand out the machine’s credentials',
        ),
      proxy_resolves_names: z
        .boolean()
        .default(false)
        .describe(
          'Whether a proxy (HTTPS_PROXY) resolves the host names of webhooks. By default the daemon resolves and checks each name and gives the proxy the address. Set it only if this machine cannot resolve public names',
        ),
    })
    .prefault({}),
  secrets: z
    .strictObject({
      delivery_folders: z
        .array(absoluteFolder)
        .max(20)
        .default([])
        .describe(
          'Folders below which a request may deliver a key into a file. Default: none. A rule may name any path',
        ),
      read_folders: z
        .array(absoluteFolder)
        .max(20)
        .optional()
        .describe(
          'Folders below which a request may name files as `url_file` or `hmac_key_file`. Default: for `url_file`, /run/secrets and the folder of this file; for `hmac_key_file`, only the keys there that a rule or receiver names together with the same `url_file` or `url`',
        ),
      delivery_names: z
        .array(z.string().min(1).max(2048))
        .max(100)
        .optional()
        .describe(
          'Names to which a request may deliver a key as `secrets_manager` or `ssm_parameter`; `*` stands for any characters. Names and ARNs are compared as the request spells them. Default: any. A rule may name any',
        ),
    })
    .prefault({}),
  retention: z
    .strictObject({
      sessions: duration
        .default('60d')
        .describe(
          'How long ended stream sessions are kept: at most the last hundred of each channel, plus those of the last half day',
        ),
      samples: duration
        .default('14d')
        .describe('How long the samples of each live session (viewers and health, once a minute) are kept'),
      journal: duration.default('30d').describe('How long decisions that led to an action are kept'),
      journal_quiet: duration.default('2d').describe('How long decisions not to act are kept'),
    })
    .prefault({}),
  redis: z
    .strictObject({
      wait_replicas: z
        .number()
        .int()
        .min(0)
        .max(5)
        .default(0)
        .describe(
          'How many replicas of Redis must have a write before the daemon confirms it or deletes the event from SQS. With 0, only a pause, hold or silence waits for one replica, if there is one',
        ),
    })
    .prefault({}),
  on_empty_state: z
    .enum(['pause', 'start'])
    .optional()
    .describe(
      'What a replica does when it starts and Redis has no state: `pause` all automation until a person resumes, or `start`. Default: `pause` if something shows that there was a state before (keys of queues and journal, the file in AUTOPILOT_DATA_DIR), else `start`',
    ),
  shutdown_window: duration
    .default('25s')
    .describe('How long a stop may take; keep it below the limit of the container'),
  worker_concurrency: z
    .number()
    .int()
    .min(1)
    .max(200)
    .default(20)
    .describe('Number of action jobs that one replica runs at the same time'),
} as const;

const settings = z.object(settingsShape);
/** The settings after parsing, defaults filled in. */
export type Settings = z.infer<typeof settings>;
