// What is known of a channel's ad breaks: those that events told of, and those that this daemon inserted.
import type { AdBreakRequest } from './action-memory.ts';
import type { ChannelSettings } from './channel.ts';
import type { Incident } from './decision.ts';
import type { StateView } from './shared-state.ts';
import { kinds } from './state-registry.ts';

/** IVS begins a break about ten seconds after it was inserted. https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/eventbridge.html */
export const adBreakLeadMs = 10_000;

/**
 * Why a channel cannot have ads; undefined: it can, as far as is known.
 * https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/server-side-ad-insertion.html
 */
export function whyNoAds({
  adConfigurationArn,
  containerFormat,
}: Pick<ChannelSettings, 'adConfigurationArn' | 'containerFormat'>): string | undefined {
  if (containerFormat === 'FRAGMENTED_MP4') return 'sends fragmented MP4, and ads need the container format TS';
  return adConfigurationArn === '' ? 'has no ad configuration' : undefined;
}

/** Many channels in trouble together: while that lasts rules insert no ads. */
export function openIncident(view: StateView): Incident | undefined {
  for (const [, incident] of view.entries(kinds.incident))
    if (incident.kind === 'aggregate' && incident.closedAtMs === undefined) return incident;
  return undefined;
}

/** The end of the last break that was inserted here, or may have been, as its channel's newest request tells. */
export function lastInsertedEndMs(request: AdBreakRequest | undefined): number | undefined {
  if (!request) return undefined;
  const { state, endsAtMs, atMs, sentMs = atMs, durationSeconds, lastEndsAtMs } = request;
  if (endsAtMs !== undefined) return endsAtMs;
  return state === 'sent' || state === 'unknown' ? sentMs + adBreakLeadMs + durationSeconds * 1000 : lastEndsAtMs;
}

/** When the channel's last ad break ended or will end, by what events and this daemon know; undefined: none is known. */
export function lastAdBreakEndMs(view: StateView, channelArn: string): number | undefined {
  const told = view.get(kinds.stream.of(channelArn))?.adBreaks?.[0]?.endsAtMs;
  const own = lastInsertedEndMs(view.get(kinds.adBreak.of(channelArn)));
  return told === undefined ? own : Math.max(told, own ?? 0);
}
