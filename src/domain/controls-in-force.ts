// Which holds, pauses and silences are in force. Nothing else reads them.
import type { ChannelArn } from './channel.ts';
import type { Hold, Pause, Silence } from './control.ts';
import type { SharedState, StateView } from './shared-state.ts';
import { kinds, pauseKeys, pauses } from './state-registry.ts';

/** A channel with this tag is on hold. */
export const holdTag = 'ops-hold';

/** The hold on a channel by command, if one is in force. */
export function readHold(view: StateView, channelArn: string, nowMs: number): Hold | undefined {
  const hold = view.get(kinds.hold.of(channelArn));
  return hold && isInForce(hold, nowMs) ? hold : undefined;
}

/** Holds by command that are in force. */
export function holdsInForce(view: StateView, nowMs: number): (readonly [ChannelArn, Hold])[] {
  return Array.from(view.entries(kinds.hold)).filter(([, hold]) => isInForce(hold, nowMs));
}

function isInForce({ untilMs }: Hold, nowMs: number): boolean {
  return untilMs === undefined || untilMs > nowMs;
}

/** Whether automation must leave a channel alone, because of a command or its tag. */
export function isOnHold(view: StateView, channelArn: string, nowMs: number): boolean {
  if (readHold(view, channelArn, nowMs)) return true;
  return view.get(kinds.channel.of(channelArn))?.tags[holdTag] !== undefined;
}

/** Whether all automation is paused, by a person or after a loss of the state. */
export function isPaused(view: StateView): boolean {
  return pauseKeys.some((key) => view.get(key) !== undefined);
}

/** Whether this replica was paused while Redis could not be written, so that no other one knows. */
export function isOnlyHere({ unwritten }: Pick<SharedState, 'unwritten'>): boolean {
  return unwritten.includes(pauses.asked);
}

/** The pause in force, if there is one. */
export function readPause(view: StateView): Pause | undefined {
  return pausesOf(view)[0];
}

/** All pauses in force: after a loss of the state there may be two. */
export function pausesOf(view: StateView): Pause[] {
  return pauseKeys.flatMap((key) => view.get(key) ?? []);
}

export function silencesInForce(view: StateView, nowMs: number): (readonly [id: string, silence: Silence])[] {
  return Array.from(view.entries(kinds.silence)).filter(
    ([, { startsMs, endsMs }]) => startsMs <= nowMs && nowMs < endsMs,
  );
}
