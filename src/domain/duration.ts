// Durations as people write them: `30s`, `5m`, `1h30m`, `250ms`, `2d`. https://prometheus.io/docs/prometheus/latest/configuration/configuration/#duration

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const pattern = /^(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const units = ['w', 'd', 'h', 'm', 's', 'ms'] as const;

/** Milliseconds of a duration; undefined if the text is not a duration, or is longer than ten years. */
export function parseDuration(text: string): number | undefined {
  if (text === '' || text.length > 40) return undefined;
  const match = pattern.exec(text);
  if (!match) return undefined;
  const totalMs = units.reduce((sum, unit, index) => sum + Number(match[index + 1] ?? 0) * unitMs[unit], 0);
  return totalMs <= 3650 * unitMs.d ? totalMs : undefined;
}

/** Milliseconds of a duration that a schema has checked. */
export function durationMs(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new RangeError(`not a duration: ${text}`);
  return ms;
}

/** The shortest exact text for a duration: 90000 becomes `1m30s`. */
export function formatDuration(ms: number): string {
  let left = Math.max(0, Math.round(ms));
  if (left === 0) return '0s';
  let text = '';
  for (const unit of units) {
    if (unit === 'w') continue;
    const count = Math.floor(left / unitMs[unit]);
    if (count > 0) text += `${count}${unit}`;
    left -= count * unitMs[unit];
  }
  return text;
}

/** A duration for people, in its two largest units: `0.4 s`, `42 s`, `3 min`, `1 h 5 min`. */
export function spanText(ms: number): string {
  if (ms < 1000) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const parts = (
    [
      [Math.floor(seconds / 86_400), 'd'],
      [Math.floor(seconds / 3600) % 24, 'h'],
      [Math.floor(seconds / 60) % 60, 'min'],
      [seconds % 60, 's'],
    ] as const
  ).map(([count, unit]) => (count === 0 ? '' : `${count} ${unit}`));
  const largest = parts.findIndex((part) => part !== '');
  return parts
    .slice(largest, largest + 2)
    .filter(Boolean)
    .join(' ');
}

/**
 * Compared values as text for people: `limit 5m, lastFired never`. A value whose name ends with `Ms` is a duration.
 */
export function valuesText(values: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(values)
    .map(([name, value]) =>
      typeof value === 'number' && name.endsWith('Ms')
        ? `${name.slice(0, -'Ms'.length)} ${roundedDuration(value)}`
        : `${name} ${value}`,
    )
    .join(', ');
}

/** As `formatDuration`, with milliseconds only below ten seconds: 142437 becomes `2m22s`. */
export function roundedDuration(ms: number): string {
  return formatDuration(ms < 10_000 ? ms : Math.floor(ms / 1000) * 1000);
}

/** A moment, in epoch ms, as text for people and machines: ISO 8601 in UTC. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}
