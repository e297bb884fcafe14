// Commands of operators that affect all automation, as data: recorded with the observations, so that a replay follows them too.
import type { ApprovalSaid } from './approval.ts';

/** Who gave the command, and why. */
export interface By {
  readonly who: string;
  readonly reason: string;
}

export type Control =
  | (By & { readonly kind: 'hold'; readonly channelArn: string; readonly untilMs?: number | undefined })
  | (By & { readonly kind: 'release'; readonly channelArn: string })
  | (By & {
      readonly kind: 'silence';
      readonly matchers: readonly string[];
      readonly startsMs: number;
      readonly endsMs: number;
    })
  | (By & { readonly kind: 'expire_silence'; readonly id: string })
  | (By & { readonly kind: 'pause' | 'resume' })
  | (By & { readonly kind: 'restart_rule'; readonly rule: string })
  | (By & { readonly kind: 'cancel_timer'; readonly id: string })
  | ApprovalSaid;

/** Every kind of control. */
export const controlKinds = [
  'hold',
  'release',
  'silence',
  'expire_silence',
  'pause',
  'resume',
  'restart_rule',
  'cancel_timer',
  'approve',
  'reject',
] as const satisfies readonly Control['kind'][];

/** An operator's hold on one channel. */
export interface Hold {
  readonly who: string;
  readonly reason: string;
  readonly sinceMs: number;
  readonly untilMs?: number;
}

export interface Pause {
  readonly who: string;
  readonly reason: string;
  readonly sinceMs: number;
  /** What happened and what to do, if the daemon paused itself. */
  readonly text?: string;
}

/** Somebody has activated a standby: from then on `run --standby` works like `run`, even after a restart. */
export interface Activation {
  readonly who: string;
  readonly reason: string;
  readonly sinceMs: number;
}

/** An operator's silence: holds back whatever matches all of its matchers. */
export interface Silence {
  /** As written: `rule="x"`, `channel=~".*"`. */
  readonly matchers: readonly string[];
  readonly author: string;
  readonly reason: string;
  readonly startsMs: number;
  readonly endsMs: number;
}

/** At `gone/<key of a control>`: when somebody ended the control. Kept for as long as a replica could still remember that control. */
export interface Gone {
  readonly atMs: number;
}
