// Times as tables show them: a moment to the second, or the time since or until it in its two largest units.
import { formatDuration } from '#domain/duration.ts';

/** `2026-11-20T22:00:00Z`, which `--since` accepts. A text that is no time stays unchanged. */
export function shortTime(text: string): string {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? text : `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** `2h13m`; empty for a text that is no time. */
export function agoText(text: string | undefined, nowMs: number): string {
  return text === undefined ? '' : roughly(nowMs - Date.parse(text));
}

/** How long it is until then. */
export function leftUntil(text: string, nowMs: number): string {
  return roughly(Date.parse(text) - nowMs);
}

/** A duration in its two largest units; `0s` below a second, and in the past. */
export function roughly(ms: number): string {
  if (Number.isNaN(ms)) return '';
  const text = formatDuration(Math.max(0, Math.floor(ms / 1000)) * 1000);
  return /^(?:\d+[a-z]){1,2}/.exec(text)?.[0] ?? text;
}
