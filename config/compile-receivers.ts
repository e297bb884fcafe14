// Receivers and routes of the file → what the daemon sends with: templates compiled, defaults filled in, unknown names found.

import type { z } from 'zod';
import { durationMs } from '#domain/duration.ts';
import type { LabelMatcher } from '#domain/labels.ts';
import type { Grouping, HttpConfig, Integration, Receiver, Route, TextOf } from '#domain/receiver.ts';
import { parseLabelMatcher, routeLabelNames } from '#rules/label-matcher.ts';
import { notificationTemplate } from '#rules/notification-template.ts';
import type { TemplateMode } from '#rules/template.ts';
import { hashOf } from './hash.ts';
import type { PathPart } from './problem.ts';
import type { InnerRouteDocument, integrationSchemas, ReceiverDocument, RouteDocument } from './receiver-schema.ts';

/** https://prometheus.io/docs/alerting/latest/configuration/#route */
const builtInGrouping = {
  by: [],
  waitMs: 30_000,
  intervalMs: 300_000,
  repeatMs: 14_400_000,
} as const satisfies Grouping;

type Report = (path: readonly PathPart[], message: string) => void;
type Config<L extends keyof typeof integrationSchemas> = z.infer<(typeof integrationSchemas)[L]>;
type Templates = (
  name: string | readonly PathPart[],
  text: string | undefined,
  mode: TemplateMode,
) => TextOf | undefined;

type Without<I, K extends string> = I extends unknown ? Omit<I, K> : never;
type Unnamed = Without<Integration, 'key'>;

/** The destination of an integration. */
function targetOf(made: Unnamed): object {
  switch (made.kind) {
    case 'webhook':
    case 'msteamsv2':
      return made.address;
    case 'slack':
      return { ...made.address, channel: made.channel };
    case 'pagerduty':
      return { url: made.url, routingKey: made.routingKey, file: made.routingKeyFile };
    case 'email':
      return { smarthost: made.smarthost, to: made.to };
    case 'sns':
      return { topic: made.topicArn, target: made.targetArn, phone: made.phoneNumber };
  }
}

interface Place {
  readonly place: string;
  readonly text: Templates;
}

/** One receiver. @param error called for each invalid template */
export function compileReceiver(receiver: ReceiverDocument, path: readonly PathPart[], error: Report): Receiver {
  const integrations: Integration[] = [];
  const add = <D extends object>(
    list: string,
    documents: readonly D[] | undefined,
    compile: (document: D, place: Place) => Unnamed,
  ) => {
    for (const [index, document] of (documents ?? []).entries()) {
      const text: Templates = (name, source, mode) => {
        if (source === undefined) return undefined;
        const compiled = notificationTemplate(source, mode);
        if (compiled.ok) return compiled.textOf;
        error([...path, list, index, ...[name].flat()], `template: ${compiled.message}`);
        return undefined;
      };
      const made = compile(document, { place: `${list}[${index}]`, text });
      const key = `${made.kind}-${hashOf(targetOf(made)).slice(0, 12)}`;
      const same = integrations.filter((each) => each.key === key || each.key.startsWith(`${key}-`)).length;
      integrations.push({ ...made, key: same === 0 ? key : `${key}-${same + 1}` });
    }
  };
  add('webhook_configs', receiver.webhook_configs, webhook);
  add('slack_configs', receiver.slack_configs, slack);
  add('pagerduty_configs', receiver.pagerduty_configs, pagerduty);
  add('msteamsv2_configs', receiver.msteamsv2_configs, msteams);
  add('email_configs', receiver.email_configs, email);
  add('sns_configs', receiver.sns_configs, sns);
  return {
    name: receiver.name,
    integrations,
    grouping: receiver.group_by === undefined ? undefined : groupingOf(receiver, builtInGrouping),
    maxPerHour: receiver.max_per_hour,
  };
}

function webhook(config: Config<'webhook_configs'>, { place }: Place): Unnamed {
  const { url, url_file: urlFile, hmac_key_file: hmacKeyFile, format, max_alerts: maxAlerts } = config;
  const address = { url, urlFile };
  return {
    kind: 'webhook',
    place,
    sendResolved: config.send_resolved,
    address,
    hmacKeyFile,
    format,
    maxAlerts,
    http: httpOf(config),
  };
}

function slack(config: Config<'slack_configs'>, { place, text }: Place): Unnamed {
  const { channel, username } = config;
  return {
    kind: 'slack',
    place,
    sendResolved: config.send_resolved,
    address: { url: config.api_url, urlFile: config.api_url_file },
    channel,
    username,
    title: text('title', config.title, 'slack'),
    titleLink: text('title_link', config.title_link, 'message'),
    text: text('text', config.text, 'slack'),
    color: text('color', config.color, 'message'),
    signingSecretFile: config.signing_secret_file,
    http: httpOf(config),
  };
}

function pagerduty(config: Config<'pagerduty_configs'>, { place, text }: Place): Unnamed {
  const plain = (name: 'description' | 'severity' | 'source' | 'component' | 'group' | 'class') =>
    text(name, config[name], 'message');
  const always = (name: readonly PathPart[], source: string): TextOf =>
    text(name, source, 'message') ?? (() => undefined);
  return {
    kind: 'pagerduty',
    place,
    sendResolved: config.send_resolved,
    url: config.url,
    routingKey: config.routing_key,
    routingKeyFile: config.routing_key_file,
    description: plain('description'),
    severity: plain('severity'),
    source: plain('source'),
    component: plain('component'),
    group: plain('group'),
    class: plain('class'),
    client: config.client,
    clientUrl: text('client_url', config.client_url, 'message'),
    details: Object.fromEntries(
      Object.entries(config.details).map(([name, source]) => [name, always(['details', name], source)]),
    ),
    links: config.links.map((link, index) => ({
      href: always(['links', index, 'href'], link.href),
      text: text(['links', index, 'text'], link.text, 'message'),
    })),
    http: httpOf(config),
  };
}

function msteams(config: Config<'msteamsv2_configs'>, { place, text }: Place): Unnamed {
  return {
    kind: 'msteamsv2',
    place,
    sendResolved: config.send_resolved,
    address: { url: config.webhook_url, urlFile: config.webhook_url_file },
    title: text('title', config.title, 'markdown'),
    text: text('text', config.text, 'markdown'),
    http: httpOf(config),
  };
}

function email(config: Config<'email_configs'>, { place, text }: Place): Unnamed {
  const { to, from, smarthost } = config;
  return {
    kind: 'email',
    place,
    sendResolved: config.send_resolved,
    to,
    from,
    smarthost,
    hello: config.hello,
    authUsername: config.auth_username,
    authPasswordFile: config.auth_password_file,
    requireTls: config.require_tls,
    implicitTls: config.force_implicit_tls ?? smarthost.endsWith(':465'),
    subject: text(['headers', 'Subject'], config.headers.Subject, 'message'),
    text: text('text', config.text, 'message'),
    html: text('html', config.html, 'html'),
  };
}

function sns(config: Config<'sns_configs'>, { place, text }: Place): Unnamed {
  const { sigv4 } = config;
  return {
    kind: 'sns',
    place,
    sendResolved: config.send_resolved,
    topicArn: config.topic_arn,
    targetArn: config.target_arn,
    phoneNumber: config.phone_number,
    apiUrl: config.api_url,
    region: sigv4.region ?? (config.topic_arn ?? config.target_arn)?.split(':')[3],
    roleArn: sigv4.role_arn,
    subject: text('subject', config.subject, 'message'),
    message: text('message', config.message, 'message'),
    attributes: config.attributes,
  };
}

function httpOf({ http_config: http }: Pick<Config<'webhook_configs'>, 'http_config'>): HttpConfig {
  return { proxyUrl: http?.proxy_url, credentialsFile: http?.authorization?.credentials_file };
}

/** The tree of routes; a route inherits from its parent what it does not set itself. */
export function compileRoute(
  route: RouteDocument,
  checkReceiver: (name: string, path: readonly PathPart[]) => void,
): Route {
  const compile = (
    document: Partial<InnerRouteDocument>,
    above: Pick<Route, 'receiver' | 'grouping' | 'key'>,
    path: readonly PathPart[],
  ): Route => {
    const { receiver, continue: continues = false, routes = [] } = document;
    if (receiver !== undefined) checkReceiver(receiver, [...path, 'receiver']);
    const matchers = (document.matchers ?? []).flatMap(matcherOf);
    const own = `{${matchers.map(({ label, op, value }) => `${label}${op}${JSON.stringify(value)}`).join(',')}}`;
    const made = {
      key: above.key === '' ? own : `${above.key}/${own}`,
      receiver: receiver ?? above.receiver,
      grouping: groupingOf(document, above.grouping),
    };
    const below = routes.map((each, index) => compile(each, made, [...path, 'routes', index]));
    return { ...made, matchers, continues, routes: below };
  };
  return compile(route, { receiver: route.receiver, grouping: builtInGrouping, key: '' }, ['route']);
}

function groupingOf(
  document: Partial<Pick<RouteDocument, 'group_by' | 'group_wait' | 'group_interval' | 'repeat_interval'>>,
  above: Grouping,
): Grouping {
  const ms = (text: string | undefined, otherwise: number) => (text === undefined ? otherwise : durationMs(text));
  const by = document.group_by;
  return {
    by: by === undefined ? above.by : by.includes('...') ? '...' : [...new Set(by)],
    waitMs: ms(document.group_wait, above.waitMs),
    intervalMs: ms(document.group_interval, above.intervalMs),
    repeatMs: ms(document.repeat_interval, above.repeatMs),
  };
}

/** The schema has checked the text. */
function matcherOf(text: string): LabelMatcher[] {
  const parsed = parseLabelMatcher(text, routeLabelNames);
  return parsed.ok ? [parsed.matcher] : [];
}
