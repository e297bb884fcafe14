// Numbers and times as an engineer wants to read them at night.
import { personText } from '#api/person.ts';

// Created once: creating one takes longer than drawing a row.
const withZone = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' });
const numbers = new Intl.NumberFormat('en');

/** `42 s`, `4 min 12 s`, `3 h 05 min`, `12 d`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${pad(Math.floor((seconds % 3600) / 60))} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

/** The coarse form, for narrow places: `42 s`, `4 min`, `3 h`, `12 d`. */
export function shortDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Local time of day with seconds; with the date if it is not today. */
export function clock(ms: number): string {
  const at = new Date(ms);
  const time = `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
  const now = new Date();
  if (now.toDateString() === at.toDateString()) return time;
  const year = now.getFullYear() === at.getFullYear() ? '' : ` ${at.getFullYear()}`;
  return `${at.getDate()} ${months[at.getMonth()]}${year} ${time}`;
}

/** Local date and time with its zone, and the same in UTC: for tooltips, and for comparing with AWS's logs. */
export function stamp(ms: number): string {
  return `${withZone.format(ms)}, ${new Date(ms).toISOString()}`;
}

/** Values that say who did something. */
const people: ReadonlySet<string> = new Set(['who', 'by', 'author']);

function valueText(value: unknown): string {
  if (value === null || value === '') return 'none';
  if (typeof value === 'number') return count(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** One compared value in words: `ageMs: 122` is `age 0.1 s`, times are local, names lose their capitals. */
export function fact(key: string, value: unknown): string {
  const name = key
    .replace(/Ms$/, '')
    .replace(/([a-z])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`);
  if (key.endsWith('Ms') && typeof value === 'number') {
    if (value > 1e12) return `${words(name)} ${clock(value)}`;
    return `${words(name)} ${value < 1000 ? `${(value / 1000).toFixed(1)} s` : duration(value)}`;
  }
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(value))
    return `${words(name)} ${clock(Date.parse(value))}`;
  if (typeof value === 'string' && people.has(key)) return `${words(name)} ${personText(value)}`;
  return `${words(name)} ${valueText(value)}`;
}

export function count(value: number | null | undefined): string {
  return value === undefined || value === null ? '–' : numbers.format(value);
}

/** `1 channel`, `2 channels`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** `stop_stream` as `stop stream`. */
export function words(name: string): string {
  return name.replace(/^for_(not_)?/, '“for” $1').replaceAll('_', ' ');
}

/** Text in which names such as `only_if_false` read as words; codes, and paths such as `secrets.delivery_folders`, stay. */
export function readable(text: string): string {
  return text.replaceAll(/(?<![\w./[`])[a-z]+(_[a-z]+)+(?![\w/[`]|\.\w)/g, words);
}

/** The last part of an ARN. */
export function idOf(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1);
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
