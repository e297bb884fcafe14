// Decisions as `GET /v1/decisions` shows them.
import type { CheckView } from '#api/routes/job-schemas.ts';
import type { DeliveryView } from './delivery.ts';

export interface DecisionView {
  readonly id: string;
  readonly at: string;
  readonly rule: string;
  readonly mode: string;
  readonly outcome: string;
  readonly reason: string;
  /** The reason in a few words. */
  readonly words: string;
  readonly meaning?: string;
  readonly channelArn?: string;
  readonly channelName?: string;
  readonly streamId?: string;
  readonly count?: number;
  /** Set if the entry stands for many channels: the channel whose stream, trigger and values are shown. */
  readonly example?: { readonly channelArn?: string; readonly channelName?: string };
  readonly trigger: { readonly kind: string; readonly since: string; readonly text: string; readonly values: Values };
  readonly guards: readonly { readonly guard: string; readonly passed: boolean; readonly values: Values }[];
  readonly jobs: readonly {
    readonly jobId: string;
    readonly action: string;
    readonly outcome?: string;
    readonly detail?: string;
    readonly delivery?: DeliveryView;
    readonly checks?: readonly CheckView[];
  }[];
  readonly withheld: readonly { readonly action: string; readonly reason: string; readonly values: Values }[];
}
type Values = Readonly<Record<string, string | number | boolean>>;
