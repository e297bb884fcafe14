// Messages for a Microsoft Teams workflow ("when a Teams webhook request is received"): an Adaptive Card.
// https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using#send-adaptive-cards-using-an-incoming-webhook
import type { NotificationDocument } from '#domain/notification.ts';
import type { MsteamsIntegration } from '#domain/receiver.ts';
import { escapeMarkdown } from '#domain/visible-text.ts';
import { type Counts, cut, isBad, linkIn, textOf, titleOf } from './document.ts';

/** A message may have 28 KB in total; a character can take three bytes in the text and six in JSON. */
const mostText = 4_000;
const mostTitle = 500;

/** The body: a card with title and text, and a link if there is one. */
export function msteamsMessage(config: MsteamsIntegration, document: NotificationDocument, counts: Counts): object {
  const title = cut(config.title?.(document) ?? escapeMarkdown(titleOf(document, counts)), mostTitle);
  const text = cut(config.text?.(document) ?? escapeMarkdown(textOf(document, counts)), mostText);
  const link = linkIn(document);
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          body: [
            {
              type: 'TextBlock',
              text: title,
              weight: 'Bolder',
              size: 'Medium',
              wrap: true,
              style: 'heading',
              color: isBad(document, counts) ? 'Attention' : 'Good',
            },
            // A single line break is not a line break in Markdown.
            { type: 'TextBlock', text: text.replaceAll('\n', '\n\n'), wrap: true },
          ],
          ...(link === '' ? {} : { actions: [{ type: 'Action.OpenUrl', title: 'Open in ivs-autopilot', url: link }] }),
          msteams: { width: 'Full' },
        },
      },
    ],
  };
}
