// Redis cannot be used: what is shown then is a picture of the past. What is known about that, and the sentence that says so everywhere.
import { formatDuration } from './duration.ts';

export interface OldPicture {
  /** `away`: Redis does not answer; `refuses`: it answers with errors; `unread`: it works, but this process cannot read the state in it. */
  readonly kind: 'away' | 'refuses' | 'unread';
  /** Since when, epoch ms. */
  readonly sinceMs: number;
  /** The moment that the copy in memory shows, epoch ms; undefined: nothing was ever read. */
  readonly asOfMs: number | undefined;
}

/** The same for a whole process. */
export interface OldPictureOf extends OldPicture {
  /** The accounts whose Redis it is; left out: all of them. */
  readonly accounts?: readonly string[] | undefined;
}

/** How durations and moments are written; default: as on the command line, in UTC. */
export interface PictureWords {
  readonly duration: (ms: number) => string;
  readonly time: (epochMs: number) => string;
}

const plain: PictureWords = {
  duration: (ms) => formatDuration(Math.max(0, Math.floor(ms / 1000)) * 1000),
  time: (ms) => `${new Date(ms).toISOString().slice(11, 19)} UTC`,
};

/** `Redis has not answered for 1m40s; nothing is decided; this is the picture of 11:36:26 UTC` */
export function pictureText(picture: OldPictureOf, nowMs: number, words: PictureWords = plain): string {
  const what = {
    away: 'has not answered',
    refuses: 'has refused its work',
    unread: 'has held a state that cannot be read',
  }[picture.kind];
  const { sinceMs, asOfMs, accounts } = picture;
  const of = accounts === undefined ? '' : ` of ${accounts.join(', ')}`;
  return [
    `Redis${of} ${what} for ${words.duration(nowMs - sinceMs)}`,
    `nothing is decided${accounts === undefined ? '' : ' for them'}`,
    asOfMs === undefined ? 'nothing is known yet' : `this is the picture of ${words.time(asOfMs)}`,
  ].join('; ');
}

/** `Redis does not answer`: the same in three words. */
export function pictureTitle({ kind }: OldPicture): string {
  return {
    away: 'Redis does not answer',
    refuses: 'Redis refuses',
    unread: 'The state cannot be read',
  }[kind];
}

/** Several pictures as one: the oldest of each. @param isAll whether these are all accounts of the process */
export function pictureOf(
  old: readonly { readonly name: string; readonly picture: OldPicture }[],
  isAll: boolean,
): OldPictureOf | undefined {
  const [first, ...others] = old.map(({ picture }) => picture).toSorted((a, b) => a.sinceMs - b.sinceMs);
  if (!first) return undefined;
  const moments = [first, ...others].map(({ asOfMs }) => asOfMs);
  return {
    ...first,
    asOfMs: moments.includes(undefined) ? undefined : Math.min(...moments.flatMap((ms) => ms ?? [])),
    ...(isAll ? {} : { accounts: old.map(({ name }) => name) }),
  };
}
