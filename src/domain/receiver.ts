// Who gets messages, after compilation: receivers, and the routes that choose one. The names are those of Alertmanager's configuration,
// https://prometheus.io/docs/alerting/latest/configuration/ ; the YAML's shape is in config/receiver-schema.ts. Secrets are in files that
// are read when a message is sent.

import type { LabelMatcher } from './labels.ts';
import type { NotificationDocument } from './notification.ts';

/** Renders a text of a notification; undefined if a template cannot be filled in: then the default text is used. */
export type TextOf = (notification: NotificationDocument) => string | undefined;

/** An address: given directly, or in a file. */
export interface AddressSource {
  readonly url: string | undefined;
  readonly urlFile: string | undefined;
}

/** `http_config`. */
export interface HttpConfig {
  /** Used instead of the proxy of the environment. */
  readonly proxyUrl: string | undefined;
  /** Sent as `Authorization: Bearer <content>`. */
  readonly credentialsFile: string | undefined;
}

interface Common {
  /** The name of its list in the file and its place there: `slack_configs[0]`. */
  readonly place: string;
  /** Identifies it by its destination, so that reordering the file keeps the keys. */
  readonly key: string;
  /** Whether it gets a message when an alert has ended. */
  readonly sendResolved: boolean;
}

export interface WebhookIntegration extends Common {
  readonly kind: 'webhook';
  readonly address: AddressSource;
  readonly hmacKeyFile: string | undefined;
  readonly format: 'json' | 'slack' | 'alertmanager';
  /** Maximum number of alerts in one message; 0: no limit. */
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
  /** Whose buttons are accepted; undefined: the messages have none. */
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

/** How alerts are grouped into one message, as in Alertmanager. */
export interface Grouping {
  /** Labels; `...`: all of them, so that each alert is a message of its own. */
  readonly by: readonly string[] | '...';
  /** From the first alert of a new group to its first message. */
  readonly waitMs: number;
  /** From one message of a group to the next about changes in it. */
  readonly intervalMs: number;
  /** From a message to its repetition, while nothing changes. */
  readonly repeatMs: number;
}

export interface Receiver {
  readonly name: string;
  /** In the file's order, kind by kind. */
  readonly integrations: readonly Integration[];
  /** For messages that a rule sends to it by name; undefined: they are sent at once. */
  readonly grouping: Grouping | undefined;
  /** Maximum number of messages in any hour; the excess is combined into one that is sent when the limit allows. Undefined: no limit. */
  readonly maxPerHour: number | undefined;
}

/** One node of the routing tree. */
export interface Route {
  /** Identifies it, as in Alertmanager: `{}/{severity="critical"}`. */
  readonly key: string;
  readonly matchers: readonly LabelMatcher[];
  readonly receiver: string;
  readonly grouping: Grouping;
  /** Whether a match continues with the later siblings. */
  readonly continues: boolean;
  readonly routes: readonly Route[];
}

/** A message that is sent for as long as polls and rules work. */
export interface Heartbeat {
  readonly receiver: string;
  readonly intervalMs: number;
}

/** Files and addresses that an integration names, to be checked before use. */
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
