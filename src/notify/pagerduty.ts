// Events for PagerDuty's Events API v2: one incident for each group, opened, updated and resolved by its dedup key.
// https://developer.pagerduty.com/docs/send-alert-event
import { createHash } from 'node:crypto';
import { type NotificationDocument, severities } from '#domain/notification.ts';
import type { PagerdutyIntegration } from '#domain/receiver.ts';
import { type Counts, cut, linkIn, textOf, titleOf } from './document.ts';

const mostSummary = 1_024;
/** An event may have 512 KB in all. */
const mostDetail = 20_000;

/** The event without its routing key. */
export function pagerdutyEvent(config: PagerdutyIntegration, document: NotificationDocument, counts: Counts): object {
  const { status, groupKey, commonLabels, groupLabels, alerts, receiver, externalURL } = document;
  const dedup_key = createHash('sha256').update(`${receiver} ${groupKey}`).digest('hex');
  if (status === 'resolved') return { event_action: 'resolve', dedup_key };
  const [worst] = alerts;
  const text = textOf(document, counts);
  const source = commonLabels['channel_name'] || commonLabels['channel'] || worst?.labels['rule'] || receiver;
  const optional = { component: config.component, group: config.group, class: config.class };
  const named = Object.entries(optional).flatMap(([name, of]) => {
    const value = of?.(document);
    return value ? [[name, cut(value, mostSummary)]] : [];
  });
  const details = Object.entries(config.details).map(([name, of]) => [name, cut(of(document) ?? '', mostDetail)]);
  const clientUrl = config.clientUrl?.(document) ?? externalURL;
  return {
    event_action: 'trigger',
    dedup_key,
    client: config.client,
    ...(clientUrl === '' ? {} : { client_url: clientUrl }),
    links: linksOf(config, document),
    payload: {
      summary: cut(config.description?.(document) || summaryOf(titleOf(document, counts), text), mostSummary),
      source: cut(config.source?.(document) || source, mostSummary),
      severity: severityOf(config.severity?.(document) ?? worst?.labels['severity']),
      ...(worst ? { timestamp: worst.startsAt } : {}),
      ...Object.fromEntries(named),
      custom_details: {
        firing: String(counts.firing),
        resolved: String(counts.resolved),
        text: cut(text, mostDetail),
        ...groupLabels,
        ...Object.fromEntries(details),
      },
    },
  };
}

/** The title and, for a single alert, its text: what a phone shows. */
function summaryOf(title: string, text: string): string {
  return text.includes('\n') ? title : `${title}: ${text}`;
}

/** PagerDuty would refuse an unknown severity, and the message would be lost. */
function severityOf(text: string | undefined): string {
  return severities.find((severity) => severity === text?.trim().toLowerCase()) ?? 'error';
}

function linksOf(config: PagerdutyIntegration, document: NotificationDocument): { href: string; text: string }[] {
  const own = config.links.map(({ href, text }) => ({ href: href(document), text: text?.(document) }));
  return [...own, { href: linkIn(document), text: 'ivs-autopilot' }].flatMap(({ href, text }) =>
    href !== undefined && /^https?:\/\//.test(href) ? [{ href, text: text || href }] : [],
  );
}
