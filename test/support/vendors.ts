// Stand-ins for the services behind receivers, on loopback. Each checks what it gets against the schema that its vendor documents, and
// answers like the vendor: a message that the vendor would refuse is refused here.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Ajv } from 'ajv';

const text = { type: 'string' } as const;
const url = { type: 'string', pattern: '^https?://' } as const;
const object = <P extends object>(properties: P, required: readonly string[] = []) =>
  ({ type: 'object', properties, required, additionalProperties: false }) as const;

const plainText = (most: number) =>
  object({ type: { const: 'plain_text' }, text: { ...text, minLength: 1, maxLength: most } }, ['type', 'text']);
/** https://docs.slack.dev/reference/block-kit/block-elements/button-element and …/composition-objects/confirmation-dialog-object */
const slackButton = object(
  {
    type: { const: 'button' },
    action_id: { ...text, maxLength: 255 },
    text: plainText(75),
    value: { ...text, maxLength: 2000 },
    style: { enum: ['primary', 'danger'] },
    confirm: object({ title: plainText(100), text: plainText(300), confirm: plainText(30), deny: plainText(30) }, [
      'title',
      'text',
      'confirm',
      'deny',
    ]),
  },
  ['type', 'action_id', 'text'],
);
/** https://docs.slack.dev/reference/block-kit/blocks/actions-block */
const slackActions = object(
  {
    type: { const: 'actions' },
    block_id: { ...text, maxLength: 255 },
    elements: { type: 'array', minItems: 1, maxItems: 25, items: slackButton },
  },
  ['type', 'elements'],
);

/** https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments */
const slack = {
  ...object({
    text,
    channel: text,
    username: text,
    attachments: {
      type: 'array',
      maxItems: 100,
      items: object({
        fallback: text,
        color: { type: 'string', pattern: '^(good|warning|danger|#[0-9A-Fa-f]{6})$' },
        title: text,
        title_link: url,
        text: { type: 'string', maxLength: 40_000 },
        mrkdwn_in: { type: 'array', items: { enum: ['pretext', 'text', 'fields'] } },
        blocks: { type: 'array', minItems: 1, maxItems: 50, items: slackActions },
      }),
    },
  }),
  anyOf: [{ required: ['text'] }, { required: ['attachments'] }],
};

/** https://developer.pagerduty.com/docs/send-alert-event */
const pagerduty = {
  ...object(
    {
      routing_key: { type: 'string', minLength: 32, maxLength: 32 },
      event_action: { enum: ['trigger', 'acknowledge', 'resolve'] },
      dedup_key: { type: 'string', maxLength: 255 },
      client: text,
      client_url: url,
      links: { type: 'array', items: object({ href: url, text }, ['href']) },
      payload: object(
        {
          summary: { type: 'string', minLength: 1, maxLength: 1024 },
          source: { type: 'string', minLength: 1 },
          severity: { enum: ['critical', 'error', 'warning', 'info'] },
          timestamp: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT' },
          component: text,
          group: text,
          class: text,
          custom_details: { type: 'object' },
        },
        ['summary', 'source', 'severity'],
      ),
    },
    ['routing_key', 'event_action'],
  ),
  anyOf: [
    { properties: { event_action: { const: 'trigger' } }, required: ['payload'] },
    { properties: { event_action: { enum: ['acknowledge', 'resolve'] } }, required: ['dedup_key'] },
  ],
};

const textBlock = object(
  {
    type: { const: 'TextBlock' },
    text,
    weight: { enum: ['Default', 'Lighter', 'Bolder'] },
    size: { enum: ['Default', 'Small', 'Medium', 'Large', 'ExtraLarge'] },
    wrap: { type: 'boolean' },
    style: { enum: ['default', 'heading'] },
    color: { enum: ['Default', 'Dark', 'Light', 'Accent', 'Good', 'Warning', 'Attention'] },
  },
  ['type', 'text'],
);

/** https://adaptivecards.io/schemas/adaptive-card.json , as far as it is used, in the envelope of a workflow's trigger. */
const msteams = object(
  {
    type: { const: 'message' },
    attachments: {
      type: 'array',
      minItems: 1,
      items: object(
        {
          contentType: { const: 'application/vnd.microsoft.card.adaptive' },
          contentUrl: { type: 'null' },
          content: object(
            {
              $schema: { const: 'http://adaptivecards.io/schemas/adaptive-card.json' },
              type: { const: 'AdaptiveCard' },
              version: { enum: ['1.2', '1.3', '1.4', '1.5'] },
              body: { type: 'array', items: textBlock },
              actions: {
                type: 'array',
                items: object({ type: { const: 'Action.OpenUrl' }, title: text, url }, ['type', 'url']),
              },
              msteams: object({ width: { const: 'Full' } }),
            },
            ['type', 'version', 'body'],
          ),
        },
        ['contentType', 'content'],
      ),
    },
  },
  ['type', 'attachments'],
);

const labels = { type: 'object', additionalProperties: text } as const;
const time = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$' } as const;

/** https://prometheus.io/docs/alerting/latest/configuration/#webhook_config */
const alertmanager = object(
  {
    version: { const: '4' },
    groupKey: text,
    truncatedAlerts: { type: 'integer', minimum: 0 },
    status: { enum: ['firing', 'resolved'] },
    receiver: text,
    groupLabels: labels,
    commonLabels: labels,
    commonAnnotations: labels,
    externalURL: text,
    alerts: {
      type: 'array',
      items: object(
        {
          status: { enum: ['firing', 'resolved'] },
          labels,
          annotations: labels,
          startsAt: time,
          endsAt: time,
          generatorURL: text,
          fingerprint: text,
        },
        ['status', 'labels', 'annotations', 'startsAt', 'endsAt', 'generatorURL', 'fingerprint'],
      ),
    },
  },
  [
    'version',
    'groupKey',
    'truncatedAlerts',
    'status',
    'receiver',
    'groupLabels',
    'commonLabels',
    'commonAnnotations',
    'externalURL',
    'alerts',
  ],
);

const vendors = {
  slack: { schema: slack, status: 200, answer: 'ok', most: 1_000_000 },
  pagerduty: {
    schema: pagerduty,
    status: 202,
    answer: '{"status":"success","message":"Event processed"}',
    most: 524_288,
  },
  msteams: { schema: msteams, status: 202, answer: '', most: 28_672 },
  alertmanager: { schema: alertmanager, status: 200, answer: '', most: 10_000_000 },
  json: { schema: { type: 'object' }, status: 200, answer: '', most: 10_000_000 },
} as const;
type Vendor = keyof typeof vendors;

export interface Got {
  readonly vendor: Vendor;
  readonly body: any;
  readonly headers: IncomingMessage['headers'];
  readonly status: number;
  /** Why it was refused. */
  readonly problem: string | undefined;
}

/** Replaces the vendor's answer to a message that it would accept. */
export type Answer = (got: {
  readonly vendor: Vendor;
  readonly count: number;
}) => { readonly status: number; readonly headers?: Readonly<Record<string, string>> } | undefined;

export interface Vendors extends AsyncDisposable {
  /** The address of a vendor: `…/slack`. */
  url(vendor: Vendor): string;
  readonly got: readonly Got[];
  of(vendor: Vendor): readonly Got[];
}

/** Starts them all on one port. */
export async function startVendors(answer: Answer = () => undefined): Promise<Vendors> {
  const ajv = new Ajv({ strict: false });
  const checks = Object.fromEntries(
    Object.entries(vendors).map(([vendor, { schema }]) => [vendor, ajv.compile(schema)]),
  );
  const got: Got[] = [];
  const take = (vendor: Vendor, body: string, request: IncomingMessage, response: ServerResponse) => {
    const { status, answer: words, most } = vendors[vendor];
    const check = checks[vendor]!;
    const parsed: unknown = JSON.parse(body);
    const problem = body.length > most ? 'too large' : check(parsed) ? undefined : ajv.errorsText(check.errors);
    const count = got.filter((each) => each.vendor === vendor).length + 1;
    const own = answer({ vendor, count });
    const said = problem === undefined ? (own?.status ?? status) : 400;
    got.push({ vendor, body: parsed, headers: request.headers, status: said, problem });
    response.writeHead(said, own?.headers ?? {});
    response.end(words);
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const vendor = request.url?.slice(1) as Vendor;
      if (Object.hasOwn(vendors, vendor)) take(vendor, Buffer.concat(chunks).toString(), request, response);
      else response.writeHead(404).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: (vendor) => `http://127.0.0.1:${port}/${vendor}`,
    got,
    of: (vendor) => got.filter((each) => each.vendor === vendor),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
