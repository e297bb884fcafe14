// What became of metadata, in sentences.
import { count, plural, readable, words } from './format.ts';

/** `delivery` of a job or a decision. */
export interface DeliveryView {
  readonly batchId: string;
  readonly pending: number;
  readonly delivered: number;
  readonly conflated: number;
  readonly expired: number;
  readonly notBroadcasting: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Why items did not arrive: codes and words, the most frequent first. */
  readonly reason?: string;
  readonly finishedAt?: string;
}

const ends = [
  ['pending', 'on the way'],
  ['delivered', 'delivered'],
  ['conflated', 'replaced by newer ones before they were sent'],
  ['notBroadcasting', 'not delivered: no channel was broadcasting'],
  ['expired', 'expired before they could be sent'],
  ['failed', 'failed'],
  ['cancelled', 'cancelled'],
] as const;

/** Reasons that the outcome itself already says. */
const said: ReadonlySet<string> = new Set(['not_broadcasting', 'expired', 'cancelled']);

/** `3 delivered, 1 failed (IVS_ACCESS_DENIED)`: items by channels. */
export function deliverySentence(delivery: DeliveryView): string {
  const codes = (delivery.reason ?? '').split(', ').filter((code) => code !== '' && !said.has(code));
  const parts = ends.flatMap(([end, text]) => (delivery[end] > 0 ? [`${count(delivery[end])} ${text}`] : []));
  const why = codes.length === 0 ? '' : ` (${codes.join(', ')})`;
  return parts.length === 0 ? 'nothing to deliver' : `${parts.join(', ')}${why}`;
}

/** What is not shown of a batch's contents: `left` items in addition to the `shown` ones. */
export function contentsLeftText(left: number, shown: number): string {
  return shown === 0 ? `${plural(left, 'item')} whose contents were not kept.` : `and ${plural(left, 'more item')}.`;
}

/** The state of a job whose items are on their way or have ended. */
export function deliveryState(delivery: DeliveryView): string {
  if (delivery.pending > 0) return `${count(delivery.pending)} on the way`;
  const lost = delivery.failed + delivery.notBroadcasting + delivery.expired + delivery.cancelled;
  if (delivery.delivered > 0) return lost > 0 ? 'delivered in part' : 'delivered';
  if (delivery.conflated > 0) return 'replaced by newer ones';
  return delivery.failed > 0 ? 'failed' : 'not delivered';
}

/** What became of a job, in words, without repetition. */
export function outcomeText(outcome: string, detail = ''): string {
  const [first, second] = [words(outcome), readable(detail)];
  if (second === '' || second === first) return first;
  return second.startsWith(`${first}:`) ? second : `${first}: ${second}`;
}
