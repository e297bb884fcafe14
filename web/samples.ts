// Viewers and health of one session over time, as `GET /v1/streams/{channelArn}/samples` returns them, and as a plot needs them.
import { useMemo, useRef } from 'preact/hooks';
import { api, query } from './api.ts';
import { count } from './format.ts';
import type { PlotSpan } from './plotting.ts';
import { type Resource, useResource } from './use-resource.ts';

export interface Sample {
  readonly at: string;
  readonly health: 'HEALTHY' | 'STARVING' | 'UNKNOWN';
  readonly viewers?: number;
}

interface Page {
  readonly samples: readonly Sample[];
  readonly next?: string;
}

const pageSize = 5_000;
/** Two weeks of minutes, for which samples are kept by default, and a little more. */
const mostPages = 5;
/** How much is requested again: an hour, in case the tab slept. */
const newest = 60;
const liveMs = 20_000;
const overMs = 600_000;

/** Loads the samples of a session; for a live one, repeatedly the newest. Without a session it has none. */
export function useSamples(
  arn: string,
  streamId: string | undefined,
  { isOver }: { readonly isOver: boolean },
): Resource<readonly Sample[]> {
  const key = `samples/${arn}/${streamId}/${isOver}`;
  const known = useRef<{ readonly key: string; readonly samples: readonly Sample[] } | undefined>(undefined);
  return useResource<readonly Sample[]>(
    key,
    async (signal) => {
      if (streamId === undefined) return [];
      const before = known.current?.key === key ? known.current.samples : [];
      const samples = await sampled(arn, streamId, { before, signal });
      known.current = { key, samples };
      return samples;
    },
    { everyMs: isOver ? overMs : liveMs },
  );
}

async function sampled(
  arn: string,
  streamId: string,
  { before, signal }: { readonly before: readonly Sample[]; readonly signal: AbortSignal },
): Promise<readonly Sample[]> {
  const ask = (limit: number, after?: string) =>
    api<Page>('GET', `/v1/streams/${encodeURIComponent(arn)}/samples${query({ streamId, limit, before: after })}`, {
      signal,
    });
  const last = before.at(-1);
  if (last) {
    const { samples } = await ask(newest);
    const [first] = samples;
    // The newest samples reach back to the known ones: nothing is missing in between.
    if (first && first.at <= last.at) return [...before.filter(({ at }) => at < first.at), ...samples];
  }
  let all: readonly Sample[] = [];
  let next: string | undefined;
  for (let page = 0; page < mostPages; page += 1) {
    const found = await ask(pageSize, next);
    all = [...found.samples, ...all];
    next = found.next;
    if (next === undefined) break;
  }
  return all;
}

/** The worse, the taller. */
const strips = {
  HEALTHY: { colour: '--ok', part: 0.3 },
  UNKNOWN: { colour: '--warn', part: 0.65 },
  STARVING: { colour: '--bad', part: 1 },
} as const;

export interface PlottedSamples {
  /** Seconds since `zeroMs`; a time without a sample marks where nothing was seen. */
  readonly times: readonly number[];
  readonly viewers: readonly (number | null)[];
  readonly spans: readonly PlotSpan[];
  /** For each time. */
  readonly samples: readonly (Sample | undefined)[];
}

/** @param zeroMs the origin of the times: 0 for the time of day, the beginning of the session to compare sessions */
export function usePlotted(samples: readonly Sample[] | undefined, zeroMs = 0): PlottedSamples {
  return useMemo(() => plotted(samples ?? [], zeroMs), [samples, zeroMs]);
}

/** The same, outside of a component. */
export function plotted(samples: readonly Sample[], zeroMs: number): PlottedSamples {
  const at = samples.map((sample) => (Date.parse(sample.at) - zeroMs) / 1000);
  const longest = longestGap(at);
  const times: number[] = [];
  const shown: (Sample | undefined)[] = [];
  const spans: PlotSpan[] = [];
  for (const [index, sample] of samples.entries()) {
    const from = at[index]!;
    const next = at[index + 1];
    const isGap = next !== undefined && next - from > longest;
    times.push(from);
    shown.push(sample);
    if (isGap) {
      times.push(from + 1);
      shown.push(undefined);
    }
    const to = isGap ? from + longest / 2 : (next ?? from);
    const last = spans.at(-1);
    const strip = strips[sample.health];
    if (last && last.colour === strip.colour && last.to === from) spans[spans.length - 1] = { ...last, to };
    else spans.push({ from, to, ...strip });
  }
  return { times, viewers: shown.map((sample) => sample?.viewers ?? null), spans, samples: shown };
}

/** A longer time without a sample was not seen. */
function longestGap(times: readonly number[]): number {
  const gaps = times.slice(1).map((time, index) => time - times[index]!);
  return Math.max(150, 2.5 * (gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 0));
}

const healthWords = { HEALTHY: 'healthy', STARVING: 'starving', UNKNOWN: 'health unknown' } as const;

/** `1,204 viewers, healthy` */
export function sampleText(sample: Sample | undefined): string {
  if (!sample) return 'not observed';
  const viewers = sample.viewers === undefined ? 'viewers not counted' : `${count(sample.viewers)} viewers`;
  return `${viewers}, ${healthWords[sample.health]}`;
}
