// One message to one integration of a receiver: its format, its secrets, its transport.
import type { NeedsPerson, Notification, NotificationDocument } from '#domain/notification.ts';
import type { AddressSource, HttpConfig, Integration } from '#domain/receiver.ts';
import { Secret } from '#domain/secret.ts';
import { visibleLine } from '#domain/visible-text.ts';
import { type Counts, documentOf } from '#notify/document.ts';
import { emailContent } from '#notify/email.ts';
import { msteamsMessage } from '#notify/msteams.ts';
import { pagerdutyEvent } from '#notify/pagerduty.ts';
import { slackMessage } from '#notify/slack.ts';
import { snsContent } from '#notify/sns.ts';
import { alertmanagerMessage } from '#notify/webhook.ts';
import { logged, sendLogged } from './delivery-log.ts';
import type { Message } from './message.ts';
import type { HandlerContext } from './ports.ts';

/** @throws AppError WEBHOOK_…, MAIL_…, SNS_…, SECRET_FILE_UNREADABLE, PACKAGE_MISSING */
export async function deliver(
  context: HandlerContext,
  integration: Integration,
  message: Message,
  deliveryId: string,
): Promise<void> {
  const { notification } = message;
  const document = documentOf(notification, context.externalUrl());
  const { firing, resolved, alerts } = notification;
  const counts: Counts = { firing, resolved, isReport: alerts[0]?.isReport };
  switch (integration.kind) {
    case 'webhook': {
      const hmacKey = await readIfNamed(context, integration.hmacKeyFile);
      const content = webhookContent(integration.format, message, () =>
        alertmanagerMessage(document, integration.maxAlerts),
      );
      return post(context, integration, { content, deliveryId, hmacKey });
    }
    case 'slack':
      return post(context, integration, {
        content: slackMessage(integration, document, { ...counts, needs: needOf(notification) }),
        deliveryId,
      });
    case 'msteamsv2':
      return post(context, integration, { content: msteamsMessage(integration, document, counts), deliveryId });
    case 'pagerduty': {
      const routingKey = new Secret(
        integration.routingKey ?? (await context.readSecretFile(integration.routingKeyFile ?? '')).reveal().trim(),
      );
      using _hidden = context.hide(routingKey);
      const event = pagerdutyEvent(integration, document, counts);
      const address = { url: integration.url, urlFile: undefined };
      return await post(
        context,
        { address, http: integration.http },
        { content: { routing_key: routingKey.reveal(), ...event }, deliveryId },
      );
    }
    case 'email': {
      const password = await readIfNamed(context, integration.authPasswordFile);
      const content = emailContent(integration, document, counts);
      const thread = `${document.receiver} ${document.groupKey}`;
      return logged(context, integration.smarthost, async () => {
        await context.mail.send(
          { config: integration, password, ...content, messageId: deliveryId, thread },
          context.signal,
        );
      });
    }
    case 'sns': {
      const content = snsContent(integration, document, counts);
      const to = integration.topicArn ?? integration.targetArn ?? 'SMS';
      return logged(context, to, async () => {
        await context.sns.publish(
          { config: integration, ...content, groupKey: document.groupKey, deliveryId },
          context.signal,
        );
      });
    }
  }
}

/** What a message asks a person to do; for several alerts, or one that is over, nothing. */
function needOf({ alerts: [only, ...others], firing, resolved }: Notification): NeedsPerson | undefined {
  return others.length === 0 && firing === 1 && resolved === 0 ? only?.needs : undefined;
}

function webhookContent(
  format: 'json' | 'slack' | 'alertmanager',
  { json, slackText }: Message,
  alertmanager: () => NotificationDocument,
): object {
  if (format === 'json') return json;
  return format === 'slack' ? { text: slackText } : alertmanager();
}

async function post(
  context: HandlerContext,
  { address, http }: { readonly address: AddressSource; readonly http: HttpConfig },
  {
    content,
    deliveryId,
    hmacKey,
  }: { readonly content: object; readonly deliveryId: string; readonly hmacKey?: Secret | undefined },
): Promise<void> {
  const url =
    address.urlFile === undefined ? new Secret(address.url ?? '') : await context.readSecretFile(address.urlFile);
  const bearer = await readIfNamed(context, http.credentialsFile);
  await sendLogged(context, url, {
    method: 'POST',
    body: visibleLine(JSON.stringify(content)),
    contentType: 'application/json',
    deliveryId,
    ...(hmacKey ? { hmacKey } : {}),
    ...(bearer ? { bearer } : {}),
    ...(http.proxyUrl === undefined ? {} : { proxyUrl: http.proxyUrl }),
  });
}

async function readIfNamed(context: HandlerContext, path: string | undefined): Promise<Secret | undefined> {
  return path === undefined ? undefined : context.readSecretFile(path);
}
