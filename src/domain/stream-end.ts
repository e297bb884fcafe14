// Why a session is over, in words.
import { personText } from './person.ts';

/** `stopped by rule starving-slate; Stream End`; '' while nothing is known. */
export function endText({
  stoppedBy,
  endReason,
}: {
  readonly stoppedBy?: string | undefined;
  readonly endReason?: string | undefined;
}): string {
  return [
    ...(stoppedBy === undefined ? [] : [`stopped by ${personText(stoppedBy)}`]),
    ...(endReason ? [endReason] : []),
  ].join('; ');
}
