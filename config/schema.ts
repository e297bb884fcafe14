// The shape of the configuration file: the rules and the daemon's settings (settings.ts), one YAML document. Strict: what is not
// named here is an error. Checks over more than one field are in compile.ts; docs and the editors' schema are generated from this.
import { IANAZone } from 'luxon';
import { z } from 'zod';
import { actionSchemas, duration } from '#domain/action.ts';
import { approverRoles } from '#domain/approval-terms.ts';
import { parseDuration } from '#domain/duration.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import { ruleModes } from '#domain/rule.ts';
import { parseLabelMatcher, problemOfLabelName } from '#rules/label-matcher.ts';
import { compilePattern } from '#rules/pattern.ts';
import { channelFields, streamFields } from '#rules/pattern-fields.ts';
import { schemaOfEventPattern, schemaOfPattern } from './pattern-schema.ts';
import { heartbeat, receiver, receiverName, route } from './receiver-schema.ts';
import { settingsShape, timeOfDay } from './settings.ts';

/** For rules, receivers and time intervals. */
const name = receiverName;

/** A pattern, as in EventBridge; problems are reported at their place inside it. */
const pattern = z.record(z.string(), z.unknown()).superRefine((value, context) => {
  const compiled = compilePattern(value);
  if (compiled.ok) return;
  for (const { path, message } of compiled.problems) context.addIssue({ code: 'custom', path: [...path], message });
});

const eventPattern = pattern.meta(schemaOfEventPattern());
const streamPattern = pattern.meta(schemaOfPattern(streamFields));
const channelPattern = pattern.meta(schemaOfPattern(channelFields));

/** The list of values of one field of a pattern. */
const values = z.array(z.unknown()).superRefine((value, context) => {
  const compiled = compilePattern({ value });
  if (compiled.ok) return;
  for (const { path, message } of compiled.problems) {
    context.addIssue({ code: 'custom', path: path.slice(1), message });
  }
});

const labelMatcher = z.string().superRefine((value, context) => {
  const parsed = parseLabelMatcher(value);
  if (!parsed.ok) context.addIssue({ code: 'custom', message: parsed.message });
});

const label = z
  .string()
  .min(1)
  .max(140)
  .superRefine((value, context) => {
    const message = problemOfLabelName(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

const percentage = z.number().gt(0).max(100);

const guards = z.strictObject({
  cooldown: duration
    .optional()
    .describe('The rule does not fire again for the same group within this time. Default: 5m'),
  min_gap: duration
    .optional()
    .describe(
      'The rule inserts no ad break within this time after the end of the channel’s last one, whoever inserted it. Default: 5m',
    ),
  max_per_hour: z
    .number()
    .int()
    .positive()
    .optional()
    .describe(
      'How often the rule may fire in any hour. Default: no cap; a destructive action needs one of the two caps',
    ),
  max_event_age: duration
    .optional()
    .describe('The rule does not act on older events; the journal records them. Default: 10m'),
  max_live_percent: percentage
    .optional()
    .describe(
      'If the rule would act on more than this share of the live channels, it stops and tells a person. Default: no cap',
    ),
  group_by: z
    .array(z.string().min(1).max(200))
    .min(1)
    .max(5)
    .optional()
    .describe('What shares one cooldown: `channel`, `tags.<key>`, or a field of the event. Default: channel'),
  on_data_gap: z
    .enum(['freeze', 'ignore'])
    .optional()
    .describe(
      'Whether timers stop (`freeze`) or continue (`ignore`) while polls or events are missing. Default: freeze',
    ),
});

/** What an approval can show: a field of the stream or the channel, or a tag. */
const approvalField = z
  .string()
  .min(1)
  .max(140)
  .superRefine((text, context) => {
    if (/^tags\.[^\s]/.test(text)) return;
    const known = [...Object.keys(streamFields), ...Object.keys(channelFields).filter((field) => field !== 'tags')];
    if (known.includes(text)) return;
    context.addIssue({
      code: 'custom',
      message: `unknown field ${JSON.stringify(text)}${didYouMean(text, known)}; there are ${known.join(', ')} and tags.<key>`,
    });
  });

const mode = z
  .enum(ruleModes)
  .describe('`enforce` acts, `dry_run` only records what it would have done, `off` does nothing');

const actions = Object.fromEntries(
  Object.entries(actionSchemas).map(([action, schema]) => [action, schema.optional()]),
) as { [N in keyof typeof actionSchemas]: z.ZodOptional<(typeof actionSchemas)[N]> };

const onlyIf = streamPattern
  .optional()
  .describe(
    'A pattern on the stream, read from IVS right before the call; if it does not match, the action is skipped',
  );

const approval = z
  .strictObject({
    by: z.enum(approverRoles).default('operator').describe('The lowest token role that may approve or reject'),
    count: z.number().int().min(1).max(10).default(1).describe('How many different people must approve'),
    not_by_author: z
      .boolean()
      .default(true)
      .describe('Whoever caused it (the caller of an `http` trigger) cannot approve it'),
    timeout: duration
      .refine((text) => {
        const ms = parseDuration(text) ?? 0;
        return ms >= 10_000 && ms <= 7 * 86_400_000;
      }, 'expected 10s to 7d')
      .default('10m')
      .describe('How long the action waits'),
    on_timeout: z.literal('cancel').default('cancel').describe('A timeout never approves'),
    show: z
      .array(approvalField)
      .max(10)
      .default(['health', 'viewerCount'])
      .describe('Fields of the stream or the channel that the message shows, such as viewerCount or tags.tier'),
    receiver: receiverName
      .optional()
      .describe(
        'Receiver of the message. Default: the one the rule notifies, else the one the route selects, else the first receiver',
      ),
  })
  .optional()
  .describe('Waits until a person approves. Everything is then checked again before the action runs');

const hasOneAction = (step: object) =>
  Object.entries(step).filter(([key, value]) => Object.hasOwn(actionSchemas, key) && value !== undefined).length === 1;
const oneAction = `expected exactly one action: ${Object.keys(actionSchemas).join(', ')}`;

const step = z
  .strictObject({
    after: duration.optional().describe('Delay after firing; the action is cancelled if the rule resolves first'),
    only_if: onlyIf,
    approval,
    ...actions,
  })
  .refine(hasOneAction, oneAction);

const resolveStep = z.strictObject({ only_if: onlyIf, approval, ...actions }).refine(hasOneAction, oneAction);

const threshold = z
  .strictObject({
    field: z.literal('viewerCount').describe('What is measured'),
    rises_to: z.array(z.number().int().nonnegative()).min(1).max(50).optional(),
    falls_to: z.array(z.number().int().nonnegative()).min(1).max(50).optional(),
  })
  .refine(
    (value) => (value.rises_to === undefined) !== (value.falls_to === undefined),
    'expected exactly one of rises_to, falls_to',
  );

const aggregate = z
  .strictObject({
    health: values.optional().describe('Counts live channels whose health matches'),
    viewerCount: values.optional().describe('… whose number of viewers matches'),
    recording: values.optional().describe('… whose recording matches'),
    percent_of_live: values.optional().describe('Fires when the share of the live channels, in percent, matches'),
    count: values.optional().describe('Fires when the number of channels matches'),
    min_live: z.number().int().positive().default(1).describe('With fewer live channels it does not fire'),
  })
  .refine(
    (value) => value.health !== undefined || value.viewerCount !== undefined || value.recording !== undefined,
    'expected what to count: health, viewerCount or recording',
  )
  .refine(
    (value) => value.percent_of_live !== undefined || value.count !== undefined,
    'expected when to fire: percent_of_live or count',
  );

const schedule = z
  .strictObject({
    active_time_intervals: z
      .array(name)
      .min(1)
      .max(20)
      .optional()
      .describe('Fires at the start of a time interval, resolves at its end'),
    every: duration.optional().describe('Fires repeatedly for each live channel; at least 10s'),
    from: z.literal('stream_start').optional().describe('With `every`: what it counts from'),
    at: z.array(timeOfDay).min(1).max(100).optional().describe('Fires at these times of the day'),
    location: z.string().max(64).optional().describe('With `at`: IANA time zone, such as Europe/London. Default: UTC'),
  })
  .superRefine((value, context) => {
    const issue = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    const forms = [value.active_time_intervals, value.every, value.at].filter((form) => form !== undefined);
    if (forms.length !== 1) issue([], 'expected exactly one of active_time_intervals, every, at');
    if (value.every !== undefined && value.from === undefined) issue([], 'every needs a start: add from: stream_start');
    if (value.from !== undefined && value.every === undefined && forms.length === 1)
      issue(['from'], 'from belongs to every');
    if (value.location !== undefined && value.at === undefined && forms.length === 1)
      issue(['location'], 'location belongs to at; a time interval has its own');
    if (value.every !== undefined && (parseDuration(value.every) ?? 0) < 10_000)
      issue(['every'], 'expected at least 10s');
    if (value.location !== undefined && !IANAZone.isValidZone(value.location))
      issue(
        ['location'],
        `unknown time zone ${JSON.stringify(value.location)}; expected an IANA name such as Europe/London`,
      );
  });

const trigger = z
  .strictObject({
    event: eventPattern.optional().describe('An EventBridge pattern, matched against the whole event'),
    state: streamPattern.optional().describe('A pattern on the state of a channel’s stream, from polls and events'),
    aggregate: aggregate.optional().describe('A condition on how many of the live channels match'),
    threshold: threshold.optional().describe('Fires when a number crosses a threshold'),
    schedule: schedule
      .optional()
      .describe('Fires by the clock: time intervals, times of the day, or the age of a stream'),
    key_age: values
      .optional()
      .describe(
        'A condition on the age of the channel’s stream key in days, such as `[{numeric: [">", 90]}]`; it ends when the channel has another key',
      ),
    http: z
      .strictObject({ name: name.describe('The name in the path of the request'), body: pattern.optional() })
      .optional()
      .describe('Fires when a request arrives at POST /v1/triggers/<name>'),
  })
  .refine(
    (value) => Object.values(value).filter((part) => part !== undefined).length === 1,
    'expected exactly one of event, state, aggregate, threshold, schedule, key_age, http',
  );

const rule = z.strictObject({
  name: name.describe('Unique; appears in the journal, metrics and job ids'),
  description: z.string().max(1000).optional(),
  mode: mode.optional(),
  trigger,
  match: channelPattern.optional().describe('A pattern on the channel: name, tags, type, … Default: every channel'),
  while: streamPattern
    .optional()
    .describe('A pattern on the stream that must match when the trigger comes and until the rule fires'),
  for: duration.optional().describe('The condition must last this long. Default: 0s'),
  keep_firing_for: duration
    .optional()
    .describe('The condition must be gone this long before the rule resolves. Default: 0s'),
  once_per: z.literal('session').optional().describe('At most once in each stream session'),
  actions: z.array(step).min(1).max(20).describe('What to do, in this order'),
  on_resolve: z.array(resolveStep).min(1).max(20).optional().describe('What to do when the condition is over'),
  guards: guards.optional(),
});

const rangeText = (what: string) => z.array(z.string().max(40)).min(1).max(50).optional().describe(what);

const timeInterval = z.strictObject({
  name,
  time_intervals: z
    .array(
      z.strictObject({
        times: z
          .array(z.strictObject({ start_time: z.string(), end_time: z.string() }))
          .min(1)
          .max(50)
          .optional()
          .describe('From `start_time` to just before `end_time` (up to 24:00). Default: the whole day'),
        weekdays: rangeText('`friday`, `monday:thursday`, `friday:sunday`'),
        days_of_month: rangeText('`1:5`, `-3:-1` for the last three days'),
        months: rangeText('`december`, `june:august`, `1:3`'),
        years: rangeText('`2026`, `2026:2028`'),
        location: z.string().max(64).default('UTC').describe('IANA time zone, such as Europe/London'),
      }),
    )
    .min(1)
    .max(50),
});

const inhibitRule = z.strictObject({
  source_matchers: z.array(labelMatcher).min(1).max(20).describe('While something that matches all of these fires …'),
  target_matchers: z.array(labelMatcher).min(1).max(20).describe('… what matches all of these is held back'),
  equal: z.array(label).max(10).default([]).describe('Labels that must be the same on both sides'),
});

/** The rules part of the file; settings.ts has the rest. */
export const rulesShape = {
  version: z.literal(1).describe('Version of this format'),
  defaults: z
    .strictObject({
      mode: mode.optional(),
      guards: guards.optional().describe('They override the built-in guards; a rule’s own guards override them'),
    })
    .prefault({})
    .describe('Values for every rule that does not set its own'),
  receivers: z.array(receiver).max(100).default([]).describe('Where notifications go'),
  route,
  heartbeat,
  time_intervals: z.array(timeInterval).max(200).default([]).describe('Named times, as in Alertmanager'),
  inhibit_rules: z.array(inhibitRule).max(200).default([]).describe('What to hold back while something else fires'),
  rules: z.array(rule).max(1000).default([]),
} as const;

/** The whole configuration file. */
export const configSchema = z.strictObject({ ...rulesShape, ...settingsShape });

/** The file after parsing, defaults filled in. */
export type ConfigDocument = z.infer<typeof configSchema>;
export type RuleDocument = ConfigDocument['rules'][number];
export type GuardsDocument = NonNullable<RuleDocument['guards']>;
export type StepDocument = RuleDocument['actions'][number];
export type TimeIntervalDocument = ConfigDocument['time_intervals'][number];
