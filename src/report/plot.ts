// Viewers and health of a session as one inline SVG: a line for counted viewers, a band for health, nothing for unobserved time.
import type { ReportSample, SessionReport } from './model.ts';

const width = 960;
const height = 240;
const left = 60;
const right = 12;
const top = 16;
const plotHeight = 160;
const bandTop = top + plotHeight + 12;
const bandHeight = 14;

/** Returns undefined for a session without samples. Colours are classes, so that the page's colour scheme applies. */
export function sessionPlot({ samples, startedAt, endedAt }: SessionReport): string | undefined {
  const [first] = samples;
  if (!first) return undefined;
  const fromMs = Math.min(Date.parse(startedAt ?? first.at), Date.parse(first.at));
  const toMs = Math.max(Date.parse(endedAt ?? samples.at(-1)!.at), Date.parse(samples.at(-1)!.at), fromMs + 60_000);
  const most = niceCeiling(Math.max(1, ...samples.map(({ viewers = 0 }) => viewers)));
  const x = (ms: number) => round(left + ((ms - fromMs) / (toMs - fromMs)) * (width - left - right));
  const y = (viewers: number) => round(top + plotHeight - (viewers / most) * plotHeight);
  const longest = longestGapMs(samples);
  const grid = [0, most / 2, most].map(
    (value) =>
      `<line class="grid" x1="${left}" x2="${width - right}" y1="${y(value)}" y2="${y(value)}"/><text x="${left - 6}" y="${y(value) + 4}" text-anchor="end">${value}</text>`,
  );
  const lines = runs(samples, longest).map((run) => {
    const points = run.map(({ at, viewers = 0 }) => `${x(Date.parse(at))},${y(viewers)}`);
    // A single sample is a point.
    return `<polyline class="viewers" points="${points.length === 1 ? `${points[0]} ${points[0]}` : points.join(' ')}"/>`;
  });
  const bands = samples.map(({ at, health }, index) => {
    const atMs = Date.parse(at);
    const nextMs = index + 1 < samples.length ? Date.parse(samples[index + 1]!.at) : toMs;
    const wide = Math.max(1, round(x(Math.min(nextMs, atMs + longest)) - x(atMs)));
    return `<rect class="${health.toLowerCase()}" x="${x(atMs)}" y="${bandTop}" width="${wide}" height="${bandHeight}"/>`;
  });
  const clock = (ms: number) => new Date(ms).toISOString().slice(11, 16);
  const times = [fromMs, (fromMs + toMs) / 2, toMs].map(
    (ms, index) =>
      `<text x="${x(ms)}" y="${bandTop + bandHeight + 18}" text-anchor="${['start', 'middle', 'end'][index]}">${clock(ms)}</text>`,
  );
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="Viewers and health over time">${[...grid, ...lines, ...bands, ...times].join('')}</svg>`;
}

/** Runs of counted samples without a gap. */
function runs(samples: readonly ReportSample[], longest: number): ReportSample[][] {
  const found: ReportSample[][] = [];
  let last: ReportSample | undefined;
  for (const sample of samples) {
    if (sample.viewers !== undefined) {
      if (last?.viewers !== undefined && Date.parse(sample.at) - Date.parse(last.at) <= longest)
        found.at(-1)!.push(sample);
      else found.push([sample]);
    }
    last = sample;
  }
  return found;
}

/** A longer time without a sample is a gap. */
function longestGapMs(samples: readonly ReportSample[]): number {
  const gaps = samples.slice(1).map(({ at }, index) => Date.parse(at) - Date.parse(samples[index]!.at));
  return Math.max(150_000, 2.5 * (gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 0));
}

/** 1, 2 or 5 times a power of ten; even, so that half of it is a whole number of viewers. */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return Math.max(2, [1, 2, 5, 10].find((factor) => factor * power >= value)! * power);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
