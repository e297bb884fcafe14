// What is sent to a receiver, before each of its integrations formats it.
import type { Notification } from '#domain/notification.ts';

/** Contains the formats that do not follow from the notification alone. */
export interface Message {
  readonly notification: Notification;
  /** The body of a webhook with `format: json`. */
  readonly json: object;
  /** The text of a webhook with `format: slack`. */
  readonly slackText: string;
  /** When it was decided: from then on a receiver may postpone it for a limited time. */
  readonly decidedAtMs: number;
  /** Which of the receiver's integrations get it. Default: all */
  readonly audience?: 'all' | 'send_resolved' | 'others';
  /** Keys of the integrations that it is for. Default: all of these */
  readonly only?: readonly string[] | undefined;
}
