// The shape of receivers, routes and the heartbeat in the configuration file. Names and meanings are Alertmanager's, so that a team can
// bring its own configuration along: https://prometheus.io/docs/alerting/latest/configuration/#receiver
import { z } from 'zod';
import { duration } from '#domain/action.ts';
import { parseDuration } from '#domain/duration.ts';
import { parseLabelMatcher, problemOfLabelName, routeLabelNames } from '#rules/label-matcher.ts';

export const receiverName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'expected up to 63 lower-case letters, digits, hyphens and underscores');

const file = (what: string) => z.string().min(1).max(1000).optional().describe(what);
const text = (what: string) => z.string().max(4000).optional().describe(what);
const template = 'a template of the notification';
const httpUrl = z.url({ protocol: /^https?$/ });
const resolved = (initial: boolean) =>
  z.boolean().default(initial).describe('Whether it also gets a message when the alert ends');

const httpConfig = z
  .strictObject({
    proxy_url: httpUrl.optional().describe('Proxy to use instead of the one in the environment'),
    authorization: z
      .strictObject({
        type: z.literal('Bearer').default('Bearer'),
        credentials_file: z
          .string()
          .min(1)
          .max(1000)
          .describe('File that contains the token for the header Authorization'),
      })
      .optional(),
  })
  .optional();

type Fields = Readonly<Record<string, unknown>>;

/** Exactly one of two settings. */
function oneOf(...names: readonly [string, ...string[]]) {
  const isOne = (value: Fields) => names.filter((each) => value[each] !== undefined).length === 1;
  return [isOne, `expected exactly one of ${names.join(', ')}`] as const;
}

const webhookConfig = z
  .strictObject({
    url: httpUrl.optional().describe('The address, if it is not a secret; exactly one of `url` and `url_file`'),
    url_file: file('File that contains the address; read for each message'),
    hmac_key_file: file('File that contains the key of the HMAC-SHA256 signature'),
    send_resolved: resolved(true),
    format: z
      .enum(['json', 'slack', 'alertmanager'])
      .default('json')
      .describe(
        '`json`: the whole notification; `slack`: {"text": …}; `alertmanager`: version 4 of Alertmanager’s webhook',
      ),
    max_alerts: z
      .number()
      .int()
      .min(0)
      .max(100)
      .default(0)
      .describe('Maximum number of alerts in one message, the worst first; 0: up to 100'),
    http_config: httpConfig,
  })
  .refine(...oneOf('url', 'url_file'));

const slackConfig = z
  .strictObject({
    api_url: httpUrl.optional().describe('Address of an incoming webhook; exactly one of `api_url` and `api_url_file`'),
    api_url_file: file('File that contains the address'),
    channel: z.string().max(80).optional().describe('Channel, for webhooks that can choose one'),
    username: z.string().max(80).optional(),
    title: text(`First line, ${template}`),
    title_link: text(`Its link, ${template}. Default: the page about the alert, with \`http.external_url\``),
    text: text(`The message, ${template}`),
    color: text('`good`, `warning`, `danger` or `#rrggbb`, or a template. Default: by status'),
    signing_secret_file: file(
      'File with the signing secret of the Slack app whose webhook this is: its messages have buttons, which the app sends to `/v1/slack/interactions`',
    ),
    send_resolved: resolved(false),
    http_config: httpConfig,
  })
  .refine(...oneOf('api_url', 'api_url_file'));

const pagerdutyConfig = z
  .strictObject({
    routing_key: z
      .string()
      .length(32, 'expected the 32 characters of an Events API v2 integration key')
      .optional()
      .describe('Integration key of the service; exactly one of `routing_key` and `routing_key_file`'),
    routing_key_file: file('File that contains it'),
    url: httpUrl.default('https://events.pagerduty.com/v2/enqueue').describe('Address of the Events API v2'),
    description: text(`Summary of the incident, ${template}`),
    severity: text(
      '`critical`, `error`, `warning` or `info`, or a template. Default: the worst label `severity`, else error',
    ),
    source: text('What is affected, or a template. Default: the channel, else the rule'),
    component: text('A name, or a template'),
    group: text('A name, or a template'),
    class: text('A name, or a template'),
    client: z.string().max(200).default('ivs-autopilot').describe('Name of the sender'),
    client_url: text('Default: `http.external_url`'),
    details: z
      .record(z.string().min(1).max(100), z.string().max(4000))
      .default({})
      .describe('Further details, each a template'),
    links: z
      .array(z.strictObject({ href: z.string().min(1).max(2000), text: z.string().max(200).optional() }))
      .max(10)
      .default([])
      .describe('Links besides the one to the page; templates'),
    send_resolved: resolved(true),
    http_config: httpConfig,
  })
  .refine(...oneOf('routing_key', 'routing_key_file'));

const msteamsConfig = z
  .strictObject({
    webhook_url: httpUrl
      .optional()
      .describe('Address of a workflow; exactly one of `webhook_url` and `webhook_url_file`'),
    webhook_url_file: file('File that contains the address'),
    title: text(`First line, ${template}`),
    text: text(`The message, ${template}`),
    send_resolved: resolved(true),
    http_config: httpConfig,
  })
  .refine(...oneOf('webhook_url', 'webhook_url_file'));

const emailConfig = z
  .strictObject({
    to: z.string().min(3).max(1000).describe('Addresses, separated by commas'),
    from: z.string().min(3).max(320),
    smarthost: z
      .string()
      .regex(/^(\[[0-9A-Fa-f:.]+\]|[^\s:/@[\]]+):([1-9]\d{0,4})$/, 'expected host:port, such as smtp.example.com:587')
      .describe('SMTP server and port'),
    hello: z.string().min(1).max(255).optional().describe('Host name to send in EHLO. Default: the machine’s'),
    auth_username: z.string().min(1).max(320).optional(),
    auth_password_file: file('File that contains the password'),
    require_tls: z.boolean().default(true).describe('Whether to refuse servers without TLS'),
    force_implicit_tls: z
      .boolean()
      .optional()
      .describe('Whether to use TLS from the first byte. Default: on port 465; STARTTLS on others'),
    headers: z
      .strictObject({ Subject: text(`Subject, ${template}`) })
      .default({})
      .describe('`Subject` only'),
    text: text(`The message, ${template}`),
    html: text(`The message as HTML, ${template}`),
    send_resolved: resolved(false),
  })
  .refine(
    (value) => (value.auth_username === undefined) === (value.auth_password_file === undefined),
    'expected auth_username and auth_password_file together',
  );

const snsConfig = z
  .strictObject({
    topic_arn: z
      .string()
      .startsWith('arn:')
      .max(512)
      .optional()
      .describe('Exactly one of `topic_arn`, `target_arn` and `phone_number`'),
    target_arn: z.string().startsWith('arn:').max(512).optional().describe('A mobile endpoint'),
    phone_number: z
      .string()
      .regex(/^\+[1-9]\d{1,14}$/, 'expected a number in the form of E.164, such as +15550100')
      .optional(),
    api_url: httpUrl.optional().describe('A stand-in for the service'),
    sigv4: z
      .strictObject({
        region: z.string().min(1).max(40).optional().describe('Default: that of the ARN, else that of the account'),
        role_arn: z.string().startsWith('arn:aws').max(512).optional().describe('Role to assume. Default: none'),
      })
      .default({}),
    subject: text(`Subject of e-mail, ${template}`),
    message: text(`The message, ${template}`),
    attributes: z.record(z.string().min(1).max(256), z.string().min(1).max(1000)).default({}),
    send_resolved: resolved(true),
  })
  .refine(...oneOf('topic_arn', 'target_arn', 'phone_number'));

/** The lists of a receiver, each with the shape of one entry. */
export const integrationSchemas = {
  webhook_configs: webhookConfig,
  slack_configs: slackConfig,
  pagerduty_configs: pagerdutyConfig,
  msteamsv2_configs: msteamsConfig,
  email_configs: emailConfig,
  sns_configs: snsConfig,
} as const;
export type IntegrationList = keyof typeof integrationSchemas;
export const integrationLists = Object.keys(integrationSchemas) as IntegrationList[];

const label = z
  .string()
  .min(1)
  .max(140)
  .superRefine((value, context) => {
    const message = value === '...' ? undefined : problemOfLabelName(value, routeLabelNames);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

/** A period of zero would send endlessly. */
const period = (least: string) =>
  duration.refine((value) => (parseDuration(value) ?? 0) >= parseDuration(least)!, `expected at least ${least}`);

const grouping = {
  group_by: z
    .array(label)
    .min(1)
    .max(10)
    .optional()
    .describe('Labels; alerts with the same values share a message. `[...]`: each alert gets its own message'),
  group_wait: duration.optional().describe('Time from the first alert of a new group to its first message'),
  group_interval: period('1s')
    .optional()
    .describe('Shortest time between a group’s message and the next one about changes'),
  repeat_interval: period('1m').optional().describe('Time until a message is repeated if nothing changes'),
} as const;

export const receiver = z
  .strictObject({
    name: receiverName.describe('The name that `notify` uses'),
    ...(Object.fromEntries(
      Object.entries(integrationSchemas).map(([list, schema]) => [list, z.array(schema).min(1).max(10).optional()]),
    ) as { [L in IntegrationList]: z.ZodOptional<z.ZodArray<(typeof integrationSchemas)[L]>> }),
    ...grouping,
    max_per_hour: z
      .number()
      .int()
      .positive()
      .optional()
      .describe(
        'Maximum number of messages in any hour; further alerts are collected in one message, which is sent when there is room. Default: no limit',
      ),
  })
  .refine(
    (value) => integrationLists.some((list) => value[list] !== undefined),
    `expected a destination, at least one of ${integrationLists.join(', ')}`,
  )
  .refine(
    (value) =>
      value.group_by !== undefined ||
      (value.group_wait === undefined && value.group_interval === undefined && value.repeat_interval === undefined),
    'group_wait, group_interval and repeat_interval need group_by',
  );

const routeMatcher = z.string().superRefine((value, context) => {
  const parsed = parseLabelMatcher(value, routeLabelNames);
  if (!parsed.ok) context.addIssue({ code: 'custom', message: parsed.message });
});

const routeFields = {
  receiver: receiverName.optional().describe('Default: the receiver of the route above'),
  ...grouping,
  matchers: z
    .array(routeMatcher)
    .max(20)
    .default([])
    .describe('All of them must match the labels of an alert, such as `severity="critical"`'),
  continue: z.boolean().default(false).describe('Whether the routes after this one are tried too'),
} as const;

/** Routes below routes, three deep. */
const innermost = z.strictObject(routeFields);
const inner = z.strictObject({ ...routeFields, routes: z.array(innermost).max(50).default([]) });

const { receiver: anyReceiver, matchers: _, continue: __, ...ofTheRoot } = routeFields;

export const route = z
  .strictObject({
    receiver: anyReceiver.unwrap().describe('Receiver of alerts that no route below matches'),
    ...ofTheRoot,
    routes: z.array(inner).max(50).default([]).describe('The first matching route is used'),
  })
  .optional()
  .describe('Where a `notify` without a receiver goes');

export const heartbeat = z
  .strictObject({
    receiver: receiverName,
    interval: period('10s').default('1m'),
  })
  .optional()
  .describe(
    'A message that is sent regularly while streams are polled and rules decide. If it stops, nobody is watching',
  );

export type ReceiverDocument = z.infer<typeof receiver>;
export type RouteDocument = NonNullable<z.infer<typeof route>>;
export type InnerRouteDocument = z.infer<typeof innermost> & { readonly routes?: readonly InnerRouteDocument[] };
