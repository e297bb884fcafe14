// Words that all readable formats of a report share. Names, reasons and texts come from strangers, so each format escapes them itself.
import { callerText } from '#domain/person.ts';
import { endText } from '#domain/stream-end.ts';
import type { ReportBreach, ReportList, SessionReport } from './model.ts';

/** `2026-11-20 10:00:00 UTC`. */
export function shownTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

/** `2h 05m`, `3m 20s`, `45s`. */
export function shownSeconds(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (hours > 0) return `${hours}h ${two(minutes)}m`;
  return minutes > 0 ? `${minutes}m ${two(rest)}s` : `${rest}s`;
}

/** The displayed name of a channel. */
export function shownName({ channelName, channelArn }: SessionReport): string {
  return channelName === '' ? channelArn : channelName;
}

export function shownBreach({ limitName, limitValue, exceededBy, limitUnit }: ReportBreach): string {
  const limit =
    limitValue === undefined ? '' : ` (limit ${limitValue}${limitUnit === undefined ? '' : ` ${limitUnit}`})`;
  return `${limitName}${exceededBy === undefined ? '' : ` exceeded by ${exceededBy}`}${limit}`;
}

/** The facts at the top, as pairs of a label and a text. */
export function factsOf(session: SessionReport): readonly (readonly [label: string, text: string])[] {
  const { channelArn, streamId, state, startedAt, endedAt, durationSeconds, health, viewers, recording, cues } =
    session;
  const why = endText(session);
  const { healthySeconds, starvingSeconds, unknownSeconds, unseenSeconds } = health;
  return [
    ['Channel', channelArn],
    ['Session', streamId],
    ['State', state],
    ['Started', startedAt === undefined ? 'not known' : shownTime(startedAt)],
    [
      'Ended',
      endedAt === undefined
        ? state === 'live'
          ? 'still live'
          : 'not known'
        : `${session.endedAtLatest ? 'by ' : ''}${shownTime(endedAt)}`,
    ],
    ...(why === '' ? [] : [['Ended by', why] as const]),
    ...(session.learntAt === undefined
      ? []
      : [['Learnt afterwards', `in part, at ${shownTime(session.learntAt)}`] as const]),
    ['Duration', durationSeconds === undefined ? 'not known' : shownSeconds(durationSeconds)],
    [
      'Health',
      `healthy ${shownSeconds(healthySeconds)}, starving ${shownSeconds(starvingSeconds)}, not known ${shownSeconds(unknownSeconds)}, not seen ${shownSeconds(unseenSeconds)}`,
    ],
    [
      'Viewers',
      viewers.peak === undefined
        ? 'not counted'
        : `peak ${viewers.peak.viewers} at ${shownTime(viewers.peak.at)}, average ${viewers.average}, of one count a minute`,
    ],
    [
      'Recording',
      `${recording.state}${recording.since === undefined ? '' : ` since ${shownTime(recording.since)}`}${recording.prefix === undefined ? '' : `, ${recording.prefix}`}`,
    ],
    [
      'Cues',
      cues.jobs === 0
        ? 'none by rules that fired for this channel'
        : `${cues.delivered} delivered, ${cues.expired} expired, ${cues.failed} failed, ${cues.notSent} not sent, by ${cues.jobs} ${cues.jobs === 1 ? 'action' : 'actions'} of rules that fired for this channel, to all channels that they sent to`,
    ],
  ];
}

/** Avoids a repetition, because a detail may begin with its outcome. */
function outcomeText(outcome = 'under way', detail = ''): string {
  if (detail === '' || detail === outcome) return outcome;
  return detail.startsWith(`${outcome}: `) ? detail : `${outcome}: ${detail}`;
}

/** A part of a report as a heading and rows; without rows, it says so in a word. */
export interface Section {
  readonly heading: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly none: string;
  /** Printed below the rows. */
  readonly note?: string;
}

const fullNote = 'There may have been more: a report shows no more than these.';

export function sectionsOf(session: SessionReport): readonly Section[] {
  const { health, limitBreaches, actions, withheld, operators, adBreaks, hints, timeline } = session;
  const note = (list: ReportList) => (session.full?.includes(list) ? { note: fullNote } : {});
  return [
    {
      heading: 'Starving',
      columns: ['From', 'To'],
      rows: health.starving.map(({ from, to, ongoing }) => [
        shownTime(from),
        to === undefined ? (ongoing ? 'still starving' : 'not seen') : shownTime(to),
      ]),
      none: 'Never, as far as was seen.',
      ...note('starving'),
    },
    {
      heading: 'Limit breaches',
      columns: ['When', 'What'],
      rows: limitBreaches.map((breach) => [shownTime(breach.at), shownBreach(breach)]),
      none: 'None.',
      ...note('limitBreaches'),
    },
    {
      heading: 'Ad breaks',
      columns: ['From', 'To', 'Id'],
      rows: adBreaks.map(({ startsAt, endsAt, id }) => [shownTime(startsAt), shownTime(endsAt), id]),
      none: 'None.',
      ...note('adBreaks'),
    },
    {
      heading: 'Actions taken',
      columns: ['When', 'Rule', 'Action', 'Outcome'],
      rows: actions.map(({ at, rule, action, outcome, detail }) => [
        shownTime(at),
        rule,
        action,
        outcomeText(outcome, detail),
      ]),
      none: 'None.',
      ...note('actions'),
    },
    {
      heading: 'Actions withheld',
      columns: ['When', 'Rule', 'Action', 'Why'],
      rows: withheld.map(({ at, rule, action, reason, meaning }) => [
        shownTime(at),
        rule,
        action ?? 'what was due',
        `${reason}: ${meaning}`,
      ]),
      none: 'None.',
      ...note('withheld'),
    },
    {
      heading: 'What people requested',
      columns: ['When', 'Who', 'What', 'Outcome', 'Why'],
      rows: operators.map(({ at, who, what, outcome, why }) => [shownTime(at), callerText(who), what, outcome, why]),
      none: 'Nothing.',
      ...note('operators'),
    },
    {
      heading: 'Hints',
      columns: ['On the encoder'],
      rows: (hints ?? []).map((hint) => [hint]),
      none:
        hints === undefined
          ? 'None: the encoder settings were not read (action capture_session).'
          : 'Nothing unusual in the encoder settings.',
    },
    {
      heading: 'Timeline',
      columns: ['When', 'What', 'Meaning', 'Source'],
      rows: timeline.map(({ at, name, text, source }) => [shownTime(at), name, text, source]),
      none: 'Empty.',
      ...note('timeline'),
    },
  ];
}

export const incompleteNote = 'Part of the journal and the audit was not searched: older entries are missing here.';
