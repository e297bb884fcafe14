// Messages for Slack's incoming webhooks. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
import type { NeedsPerson, NotificationDocument } from '#domain/notification.ts';
import type { SlackIntegration } from '#domain/receiver.ts';
import { escapeSlack } from '#domain/visible-text.ts';
import { type Counts, cut, isBad, linkIn, textOf, titleOf } from './document.ts';

/** Longer texts are cut by Slack. https://docs.slack.dev/reference/methods/chat.postMessage#truncating */
const mostText = 38_000;
const mostTitle = 1_024;

/**
 * The body: one attachment, coloured by status, as in Alertmanager; with buttons if the app's signing secret is known.
 * @param needs what the message asks a person to do
 */
export function slackMessage(
  config: SlackIntegration,
  document: NotificationDocument,
  { needs, ...counts }: Counts & { readonly needs?: NeedsPerson | undefined },
): object {
  const title = cut(config.title?.(document) ?? escapeSlack(titleOf(document, counts)), mostTitle);
  const text = cut(config.text?.(document) ?? escapeSlack(textOf(document, counts)), mostText);
  const link = config.titleLink?.(document) ?? linkIn(document);
  return {
    ...(config.channel === undefined ? {} : { channel: config.channel }),
    ...(config.username === undefined ? {} : { username: config.username }),
    attachments: [
      {
        fallback: cut(`${title} ${text}`, mostTitle),
        title,
        ...(link === '' ? {} : { title_link: link }),
        text,
        color: config.color?.(document) ?? (isBad(document, counts) ? 'danger' : 'good'),
        mrkdwn_in: ['text'],
      },
      ...(needs && config.signingSecretFile !== undefined ? [buttons(needs)] : []),
    ],
  };
}

/** A button's value. It names the exact alert or approval, so that an old message cannot answer a newer one. */
export const slackActions = { acknowledge: 'acknowledge', approve: 'approve', reject: 'reject' } as const;

/** https://docs.slack.dev/reference/block-kit/block-elements/button-element */
function buttons(needs: NeedsPerson): object {
  const button = (action: keyof typeof slackActions, text: string, more: object = {}) => ({
    type: 'button',
    action_id: slackActions[action],
    text: { type: 'plain_text', text },
    value: needs.kind === 'alert' ? `${needs.sinceMs} ${needs.id}` : needs.id,
    ...more,
  });
  const plain = (text: string) => ({ type: 'plain_text', text });
  const confirm = {
    title: plain('Approve?'),
    text: plain('The action runs as soon as enough people have approved it.'),
    confirm: plain('Approve'),
    deny: plain('Cancel'),
  };
  const elements =
    needs.kind === 'alert'
      ? [button('acknowledge', 'Acknowledge')]
      : [button('approve', 'Approve', { style: 'primary', confirm }), button('reject', 'Reject', { style: 'danger' })];
  return { fallback: 'Answer on the page.', blocks: [{ type: 'actions', block_id: 'ivs-autopilot', elements }] };
}
