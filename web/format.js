// Numbers and times as an engineer at night wants to read them.

const numbers = new Intl.NumberFormat('en');

/** `42 s`, `4 min 12 s`, `3 h 05 min`, `12 d`. */
export function duration(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${pad(Math.floor((seconds % 3600) / 60))} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

/** The coarse form, for narrow places: `42 s`, `4 min`, `3 h`, `12 d`. */
export function shortDuration(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** Local time of day with seconds; with the date when it is not today. */
export function clock(ms) {
  const at = new Date(ms);
  const time = `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
  const today = new Date().toDateString() === at.toDateString();
  return today ? time : `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${time}`;
}

/** ISO text or epoch ms as epoch ms; undefined stays. */
export function toMs(value) {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'number' ? value : Date.parse(value);
}

export function count(value) {
  return value === undefined || value === null ? '–' : numbers.format(value);
}

/** `1 channel`, `2 channels`. */
export function plural(value, noun) {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** `stop_stream` as `stop stream`. */
export function words(name) {
  return String(name).replaceAll('_', ' ');
}

/** The last part of an ARN. */
export function idOf(arn) {
  return arn.slice(arn.lastIndexOf('/') + 1);
}

function pad(value) {
  return String(value).padStart(2, '0');
}
