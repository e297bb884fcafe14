// Messages for Amazon SNS. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
import type { NotificationDocument } from '#domain/notification.ts';
import type { SnsIntegration } from '#domain/receiver.ts';
import { type Counts, cut, textOf, titleOf } from './document.ts';

export interface SnsContent {
  /** ASCII without control characters, at most 100 characters, as SNS requires. */
  readonly subject: string;
  readonly message: string;
}

const mostSubject = 99;
/** 256 KB, at three bytes per character. */
const mostMessage = 80_000;
/** A text message on a phone: https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html */
const mostSms = 1_500;

export function snsContent(config: SnsIntegration, document: NotificationDocument, counts: Counts): SnsContent {
  const title = config.subject?.(document) ?? titleOf(document, counts);
  const ascii = title.replaceAll(/[^\x20-\x7E]/g, '?').trim();
  const text = config.message?.(document) ?? `${titleOf(document, counts)}\n${textOf(document, counts)}`;
  return {
    // It must begin with a letter, a digit or a mark.
    subject: ascii.slice(0, mostSubject) || 'ivs-autopilot',
    message: cut(text, config.phoneNumber === undefined ? mostMessage : mostSms) || title || 'ivs-autopilot',
  };
}
