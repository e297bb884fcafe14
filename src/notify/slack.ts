// Messages for Slack's incoming webhooks. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
import type { NotificationDocument } from '#domain/notification.ts';
import type { SlackIntegration } from '#domain/receiver.ts';
import { escapeSlack } from '#domain/visible-text.ts';
import { type Counts, cut, linkIn, textOf, titleOf } from './document.ts';

/** Longer texts are cut by Slack. https://docs.slack.dev/reference/methods/chat.postMessage#truncating */
const mostText = 38_000;
const mostTitle = 1_024;

/** The body: one attachment, coloured by status, as Alertmanager sends it. */
export function slackMessage(config: SlackIntegration, document: NotificationDocument, counts: Counts): object {
  const title = cut(config.title?.(document) ?? escapeSlack(titleOf(document, counts)), mostTitle);
  const text = cut(config.text?.(document) ?? escapeSlack(textOf(document, counts)), mostText);
  const link = config.titleLink?.(document) ?? linkIn(document);
  const { status } = document;
  return {
    ...(config.channel === undefined ? {} : { channel: config.channel }),
    ...(config.username === undefined ? {} : { username: config.username }),
    attachments: [
      {
        fallback: cut(`${title} ${text}`, mostTitle),
        title,
        ...(link === '' ? {} : { title_link: link }),
        text,
        color: config.color?.(document) ?? (status === 'firing' ? 'danger' : 'good'),
        mrkdwn_in: ['text'],
      },
    ],
  };
}
