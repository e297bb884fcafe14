// E-mail: text and HTML of a notification.
import type { NotificationDocument } from '#domain/notification.ts';
import type { EmailIntegration } from '#domain/receiver.ts';
import { escapeHtml } from '#domain/visible-text.ts';
import { type Counts, cut, isBad, linkIn, textOf, titleOf } from './document.ts';

export interface EmailContent {
  /** One line. */
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Longer lines are folded, and nobody reads them. */
const mostSubject = 200;

export function emailContent(config: EmailIntegration, document: NotificationDocument, counts: Counts): EmailContent {
  const subject = cut(
    (config.subject?.(document) ?? titleOf(document, counts)).replaceAll(/\s+/g, ' ').trim(),
    mostSubject,
  );
  const text = config.text?.(document) ?? withLink(textOf(document, counts), document);
  return { subject, text, html: config.html?.(document) ?? htmlOf(subject, document, counts) };
}

function withLink(text: string, document: NotificationDocument): string {
  const link = linkIn(document);
  return link === '' ? text : `${text}\n\n${link}`;
}

function htmlOf(title: string, document: NotificationDocument, counts: Counts): string {
  const link = linkIn(document);
  const colour = isBad(document, counts) ? '#b3261e' : '#1b6e3c';
  const open = link === '' ? '' : `<p><a href="${escapeHtml(link)}">Open in ivs-autopilot</a></p>`;
  const text = escapeHtml(textOf(document, counts)).replaceAll('\n', '<br>\n');
  return `<!doctype html>\n<h2 style="color:${colour}">${escapeHtml(title)}</h2>\n<p>${text}</p>\n${open}\n`;
}
