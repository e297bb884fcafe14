// What operators say to all automation, as data: recorded with the observations, so that a replay hears it too.

interface By {
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
  | (By & { readonly kind: 'cancel_timer'; readonly id: string });

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
] as const satisfies readonly Control['kind'][];

/** The pause after a loss of the state, and the one that a person asked for: either holds everything back. The first is shown. */
export const pauseKeys = ['pause/state_lost', 'pause/global'] as const;
