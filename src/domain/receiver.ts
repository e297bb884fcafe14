// Who gets messages, after compilation: receivers, and the routes that choose one. The names are those of Alertmanager's configuration,
// https://prometheus.io/docs/alerting/latest/configuration/ ; the YAML's shape is in config/receiver-schema.ts. Secrets are in files,
// which are read when a message is sent.

import type { LabelMatcher } from './labels.ts';
import type { NotificationDocument } from './notification.ts';

/** Makes a text of a notification; undefined where a template cannot be filled in: what is said without one is said then. */
export type TextOf = (notification: NotificationDocument) => string | undefined;

/** An address: spelled out, or in a file. */
export interface AddressSource {
  readonly url: string | undefined;
  readonly urlFile: string | undefined;
}

/** `http_config`. */
export interface HttpConfig {
  /** Instead of the proxy of the environment. */
  readonly proxyUrl: string | undefined;
  /** Sent as `Authorization: Bearer <content>`. */
  readonly credentialsFile: string | undefined;
}

interface Common {
  /** The name of its list in the file and its place there: `slack_configs[0]`. */
  readonly place: string;
  /** Names it by where it leads, so that a file that lists them in another order has the same ones. */
  readonly key: string;
  /** Whether it is told that what it was told of is over. */
  readonly sendResolved: boolean;
}

export interface WebhookIntegration extends Common {
  readonly kind: 'webhook';
  readonly address: AddressSource;
  readonly hmacKeyFile: string | undefined;
  readonly format: 'json' | 'slack' | 'alertmanager';
  /** Most alerts of one message; 0: all that there are. */
  readonly maxAlerts: number;
  readonly http: HttpConfig;
}

export interface SlackIntegration extends Common {
  readonly kind: 'slack';
  readonly address: AddressSource;
  readonly channel: string | undefined;
  readonly username: string | undefined;
  readonly title: TextOf | undefined;
  readonly titleLink: TextOf | undefined;
  readonly text: TextOf | undefined;
  readonly color: TextOf | undefined;
  /** Whose buttons are believed; undefined: the messages have none. */
  readonly signingSecretFile: string | undefined;
  readonly http: HttpConfig;
}

export interface PagerdutyIntegration extends Common {
  readonly kind: 'pagerduty';
  readonly url: string;
  readonly routingKey: string | undefined;
  readonly routingKeyFile: string | undefined;
  readonly description: TextOf | undefined;
  readonly severity: TextOf | undefined;
  readonly source: TextOf | undefined;
  readonly component: TextOf | undefined;
  readonly group: TextOf | undefined;
  readonly class: TextOf | undefined;
  readonly client: string;
  readonly clientUrl: TextOf | undefined;
  readonly details: Readonly<Record<string, TextOf>>;
  readonly links: readonly { readonly href: TextOf; readonly text: TextOf | undefined }[];
  readonly http: HttpConfig;
}

export interface MsteamsIntegration extends Common {
  readonly kind: 'msteamsv2';
  readonly address: AddressSource;
  readonly title: TextOf | undefined;
  readonly text: TextOf | undefined;
  readonly http: HttpConfig;
}

export interface EmailIntegration extends Common {
  readonly kind: 'email';
  readonly to: string;
  readonly from: string;
  /** `host:port`. */
  readonly smarthost: string;
  readonly hello: string | undefined;
  readonly authUsername: string | undefined;
  readonly authPasswordFile: string | undefined;
  readonly requireTls: boolean;
  readonly implicitTls: boolean;
  readonly subject: TextOf | undefined;
  readonly text: TextOf | undefined;
  readonly html: TextOf | undefined;
}

export interface SnsIntegration extends Common {
  readonly kind: 'sns';
  readonly topicArn: string | undefined;
  readonly targetArn: string | undefined;
  readonly phoneNumber: string | undefined;
  /** A stand-in for the service. */
  readonly apiUrl: string | undefined;
  readonly region: string | undefined;
  readonly roleArn: string | undefined;
  readonly subject: TextOf | undefined;
  readonly message: TextOf | undefined;
  readonly attributes: Readonly<Record<string, string>>;
}

export type Integration =
  | WebhookIntegration
  | SlackIntegration
  | PagerdutyIntegration
  | MsteamsIntegration
  | EmailIntegration
  | SnsIntegration;

/** How alerts are gathered into one message, as Alertmanager does. */
export interface Grouping {
  /** Labels; `...`: all of them, so that each alert is a message of its own. */
  readonly by: readonly string[] | '...';
  /** From the first alert of a new group to its first message. */
  readonly waitMs: number;
  /** From a message of a group to the next one about changes in it. */
  readonly intervalMs: number;
  /** From a message to the same again, while nothing changes. */
  readonly repeatMs: number;
}

export interface Receiver {
  readonly name: string;
  /** In the file's order, kind by kind. */
  readonly integrations: readonly Integration[];
  /** Of what a rule sends to it by name; undefined: at once. */
  readonly grouping: Grouping | undefined;
  /** Messages in any hour; what is more goes into one that is sent when there is room. Undefined: no limit. */
  readonly maxPerHour: number | undefined;
}

/** One node of the tree of routes. */
export interface Route {
  /** Names it, as Alertmanager does: `{}/{severity="critical"}`. */
  readonly key: string;
  readonly matchers: readonly LabelMatcher[];
  readonly receiver: string;
  readonly grouping: Grouping;
  /** Whether what it matches is shown to its later siblings too. */
  readonly continues: boolean;
  readonly routes: readonly Route[];
}

/** A message that comes as long as polls and rules work. */
export interface Heartbeat {
  readonly receiver: string;
  readonly intervalMs: number;
}

/** Files and addresses that an integration names, for whoever checks them before they are used. */
export function namesOf(integration: Integration): {
  readonly files: readonly string[];
  readonly addresses: readonly AddressSource[];
} {
  const files: (string | undefined)[] = [];
  const addresses: AddressSource[] = [];
  if ('address' in integration) {
    addresses.push(integration.address);
    files.push(integration.address.urlFile);
  }
  if ('http' in integration) files.push(integration.http.credentialsFile);
  if (integration.kind === 'webhook') files.push(integration.hmacKeyFile);
  if (integration.kind === 'slack') files.push(integration.signingSecretFile);
  if (integration.kind === 'pagerduty') {
    files.push(integration.routingKeyFile);
    addresses.push({ url: integration.url, urlFile: undefined });
  }
  if (integration.kind === 'email') files.push(integration.authPasswordFile);
  return { files: files.filter((file) => file !== undefined), addresses };
}
