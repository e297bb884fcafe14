import { expect, test } from 'vitest';
import type { Alert, Notification } from '#domain/notification.ts';
import type { SlackIntegration } from '#domain/receiver.ts';
import { receiverOf } from '#test/support/receivers.ts';
import { documentOf, titleOf } from './document.ts';
import { slackMessage } from './slack.ts';

const about = (more: Partial<Alert>): Notification => ({
  receiver: 'noc',
  groupKey: 'g',
  groupLabels: {},
  alerts: [{ fingerprint: 'f', labels: { alertname: 'mass', rule: 'mass' }, startsAtMs: 0, text: 'x', ...more }],
  firing: 1,
  resolved: 0,
});
const slackOf = (more: object) =>
  receiverOf({ name: 'noc', slack_configs: [{ api_url: 'https://hooks.slack.example/x', ...more }] })
    .integrations[0] as SlackIntegration;
const linkOf = (more: Partial<Alert>) => documentOf(about(more), 'https://noc.example/ops/').alerts[0]?.generatorURL;

test('the link of a message leads to the alert or approval it is about, where the button is', () => {
  expect(linkOf({ needs: { kind: 'alert', id: 'incident:i-1', sinceMs: 5 } })).toBe(
    'https://noc.example/ops/#/alerts/incident%3Ai-1',
  );
  expect(linkOf({ needs: { kind: 'approval', id: 'ap-1' } })).toBe('https://noc.example/ops/#/approval/ap-1');
  expect(linkOf({})).toBe('https://noc.example/ops/#/decisions?rule=mass');
});

test('buttons name the exact alert or approval, and exist only with a signing secret', () => {
  const message = (config: SlackIntegration, more: Partial<Alert>) => {
    const notification = about(more);
    const { needs } = notification.alerts[0]!;
    return slackMessage(config, documentOf(notification, ''), { firing: 1, resolved: 0, needs }) as {
      attachments: { blocks?: [{ elements: { action_id: string; value: string }[] }] }[];
    };
  };
  const signed = slackOf({ signing_secret_file: '/run/secrets/slack' });
  const buttons = (needs: Alert['needs']) =>
    message(signed, { needs }).attachments[1]?.blocks?.[0].elements.map(({ action_id, value }) => [action_id, value]);

  expect(buttons({ kind: 'alert', id: 'alert:cap|mass', sinceMs: 5 })).toEqual([['acknowledge', '5 alert:cap|mass']]);
  expect(buttons({ kind: 'approval', id: 'ap-1' })).toEqual([
    ['approve', 'ap-1'],
    ['reject', 'ap-1'],
  ]);
  expect(message(signed, {}).attachments).toHaveLength(1);
  expect(message(slackOf({}), { needs: { kind: 'approval', id: 'ap-1' } }).attachments).toHaveLength(1);
});

test('a report is neither firing nor resolved', () => {
  const document = documentOf(about({ labels: { alertname: 'Shift summary' } }), '');
  expect(titleOf(document, { firing: 1, resolved: 0, isReport: true })).toBe('Shift summary');
  const { attachments } = slackMessage(slackOf({}), document, { firing: 1, resolved: 0, isReport: true }) as {
    attachments: object[];
  };
  expect(attachments).toMatchObject([{ color: 'good', title: 'Shift summary' }]);
});
