// Reports new alerts by a sound and by a desktop notification. Both are off until a person turns them on in this browser.
import { effect } from '@preact/signals';
import type { Alert } from '#api/alert.ts';
import { preferences } from './preferences.ts';
import { connection, status } from './store.ts';

/** However many alerts come, it rings and notifies no more often than this. */
const quietMs = 15_000;

/** Reports new alerts. Returns a function that stops this. */
export function watchAlerts(): () => void {
  /** The alerts of the last check; undefined before the first, whose alerts are not news to somebody who has just opened the page. */
  let known: ReadonlySet<string> | undefined;
  let waiting: Alert[] = [];
  let lastAt = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tell = () => {
    timer = undefined;
    // An alert that is over by then is not news.
    const fresh = waiting.filter(({ id }) => known?.has(id));
    waiting = [];
    const { sound, desktop } = preferences.peek();
    if (fresh.length === 0 || !(sound || desktop)) return;
    lastAt = performance.now();
    if (sound) ringOnce();
    if (desktop) notify(fresh);
  };
  const stop = effect(() => {
    const needs = status.value?.needs;
    if (!needs || connection.value !== 'open') return;
    const fresh = known ? needs.filter(({ id }) => !known?.has(id)) : [];
    known = new Set(needs.map(({ id }) => id));
    if (fresh.length === 0) return;
    const ids = new Set(fresh.map(({ id }) => id));
    waiting = [...waiting.filter(({ id }) => known?.has(id) && !ids.has(id)), ...fresh];
    timer ??= setTimeout(tell, Math.max(0, lastAt + quietMs - performance.now()));
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}

/** Asks the browser for permission to notify. Returns why it cannot, in words; undefined: it can. */
export async function desktopProblem(): Promise<string | undefined> {
  if (!('Notification' in globalThis)) return 'This browser shows no notifications for pages.';
  if (!isSecureContext) return 'The browser allows it only over HTTPS or on this machine itself.';
  const answer = await Notification.requestPermission();
  return answer === 'granted'
    ? undefined
    : 'The browser does not allow it: change that in its settings for this page, and turn it on again.';
}

/** Whether the browser shows notifications from this page. */
export function mayNotify(): boolean {
  return 'Notification' in globalThis && Notification.permission === 'granted';
}

function notify(alerts: readonly Alert[]): void {
  const [first] = alerts;
  if (!first || !mayNotify()) return;
  const title = alerts.length === 1 ? first.title : `${first.title}, and ${alerts.length - 1} more`;
  try {
    // One at a time: a newer one replaces an older one, even from another tab.
    const shown = new Notification(title, { body: first.cause.slice(0, 300), icon: 'icon.svg', tag: 'ivs-autopilot' });
    shown.addEventListener('click', () => {
      globalThis.focus();
      shown.close();
    });
  } catch {
    // Some browsers on phones have the API without an implementation.
  }
}

let audio: AudioContext | undefined;
let waking = false;

/** Two short tones. A browser plays nothing before a person has pressed something in the page; by then it is too late for the old alert. */
export function ringOnce(): void {
  if (waking) return;
  const askedAt = performance.now();
  try {
    audio ??= new AudioContext();
    const context = audio;
    waking = true;
    context
      .resume()
      .then(() => {
        if (performance.now() - askedAt < 2000) play(context);
      })
      .catch(() => undefined)
      .finally(() => {
        waking = false;
      });
  } catch {
    // No sound on this machine.
  }
}

function play(context: AudioContext): void {
  for (const [index, frequency] of [660, 880].entries()) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    const from = context.currentTime + index * 0.18;
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0.0001, from);
    volume.gain.exponentialRampToValueAtTime(0.2, from + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, from + 0.16);
    tone.connect(volume).connect(context.destination);
    tone.start(from);
    tone.stop(from + 0.17);
  }
}
