// What is known about a channel's ad breaks: those that events reported, and those that this daemon inserted.
import type { AdBreakRequest } from './action-memory.ts';
import type { ChannelSettings } from './channel.ts';
import type { Incident } from './decision.ts';
import type { StateView } from './shared-state.ts';
import { kinds } from './state-registry.ts';

/** IVS begins a break about ten seconds after it was inserted. https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/eventbridge.html */
export const adBreakLeadMs = 10_000;

/**
 * Why a channel cannot have ads; undefined: nothing known prevents it.
 * https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/server-side-ad-insertion.html
 */
export function whyNoAds({
  adConfigurationArn,
  containerFormat,
}: Pick<ChannelSettings, 'adConfigurationArn' | 'containerFormat'>): string | undefined {
  if (containerFormat === 'FRAGMENTED_MP4') return 'sends fragmented MP4, and ads need the container format TS';
  return adConfigurationArn === '' ? 'has no ad configuration' : undefined;
}

/** The open incident of many channels, if there is one; rules insert no ads meanwhile. */
export function openIncident(view: StateView): Incident | undefined {
  for (const [, incident] of view.entries(kinds.incident))
    if (incident.kind === 'aggregate' && incident.closedAtMs === undefined) return incident;
  return undefined;
}

/** The end of the last break that was inserted here, or may have been, from its channel's newest request. */
export function lastInsertedEndMs(request: AdBreakRequest | undefined): number | undefined {
  if (!request) return undefined;
  const { state, endsAtMs, atMs, sentMs = atMs, durationSeconds, lastEndsAtMs } = request;
  if (endsAtMs !== undefined) return endsAtMs;
  return state === 'sent' || state === 'unknown' ? sentMs + adBreakLeadMs + durationSeconds * 1000 : lastEndsAtMs;
}

/** When the channel's last ad break ended or will end, from events and this daemon's own calls; undefined: none is known. */
export function lastAdBreakEndMs(view: StateView, channelArn: string): number | undefined {
  const told = view.get(kinds.stream.of(channelArn))?.adBreaks?.[0]?.endsAtMs;
  const own = lastInsertedEndMs(view.get(kinds.adBreak.of(channelArn)));
  return told === undefined ? own : Math.max(told, own ?? 0);
}
