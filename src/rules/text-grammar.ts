// Which texts a field can contain, as grammars that judge any pattern on them: an exact text, a beginning, an end, a wildcard. Each slot of
// a grammar takes one character (or a run of them); a pattern is matched against the slots piece by piece.

/** A sequence of parts, each a literal or a run of characters: of this length, or of at least one. */
export type Part = string | { readonly characters: RegExp; readonly length?: number };

/** Whether some text of the grammar consists of these pieces with anything between them, like a wildcard's pieces. */
export type Grammar = (pieces: readonly string[], options: { readonly ignoresCase: boolean }) => boolean;

interface Slot {
  fits(character: string): boolean;
  readonly repeats: boolean;
}

/** The grammar of texts that are any of these sequences. */
function grammarOf(...alternatives: readonly (readonly Part[])[]): Grammar {
  const lines = alternatives.map((parts) => parts.flatMap(slotsOf));
  return (pieces, { ignoresCase }) => lines.some((line) => canLie(pieces, line, ignoresCase));
}

function slotsOf(part: Part): Slot[] {
  if (typeof part === 'string') {
    return Array.from(part, (literal) => ({ fits: (character) => character === literal, repeats: false }));
  }
  const slot = { fits: (character: string) => part.characters.test(character), repeats: part.length === undefined };
  return Array.from({ length: part.length ?? 1 }, () => slot);
}

function canLie(pieces: readonly string[], line: readonly Slot[], ignoresCase: boolean): boolean {
  // The slots that the next character may use; `line.length`: the text may end here.
  let places = new Set([0]);
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) {
      const first = Math.min(...places);
      places = new Set(Array.from({ length: line.length - first + 1 }, (_, offset) => first + offset));
    }
    for (const character of piece) {
      const spellings = ignoresCase ? [character.toLowerCase(), character.toUpperCase()] : [character];
      const next = new Set<number>();
      for (const place of places) {
        const slot = line[place];
        if (!slot || !spellings.some((spelling) => slot.fits(spelling))) continue;
        next.add(place + 1);
        if (slot.repeats) next.add(place);
      }
      if (next.size === 0) return false;
      places = next;
    }
  }
  return places.has(line.length);
}

/** The format of a field's texts. A tag's value, and anything that is not listed here, can be any text. */
export type TextFormat =
  | 'account'
  | 'ad_configuration_arn'
  | 'bucket'
  | 'channel_arn'
  | 'channel_id'
  | 'channel_name'
  | 'playback_restriction_policy_arn'
  | 'recording_configuration_arn'
  | 'region'
  | 'stream_id'
  | 'time';

const digits = (length: number): Part => ({ characters: /\d/, length });
const resourceId: Part = { characters: /[A-Za-z0-9-]/ };
const region: Part = { characters: /[a-z0-9-]/ };
const date = [digits(4), '-', digits(2), '-', digits(2), 'T', digits(2), ':', digits(2), ':', digits(2)];

/** Empty: none is attached. */
const arnOrEmpty = (resource: string) =>
  grammarOf([], ['arn:aws:ivs:', region, ':', digits(12), `:${resource}/`, resourceId]);

/** From the patterns of the API and of EventBridge's envelope. */
export const grammars: Readonly<Record<TextFormat, Grammar>> = {
  account: grammarOf([digits(12)]),
  ad_configuration_arn: arnOrEmpty('ad-configuration'),
  bucket: grammarOf([{ characters: /[a-z0-9.-]/ }]),
  channel_arn: grammarOf(['arn:aws:ivs:', region, ':', digits(12), ':channel/', resourceId]),
  channel_id: grammarOf([resourceId]),
  // May be empty.
  channel_name: grammarOf([], [{ characters: /[A-Za-z0-9_-]/ }]),
  playback_restriction_policy_arn: arnOrEmpty('playback-restriction-policy'),
  recording_configuration_arn: arnOrEmpty('recording-configuration'),
  region: grammarOf([region]),
  stream_id: grammarOf(['st-', { characters: /[A-Za-z0-9]/ }]),
  time: grammarOf([...date, 'Z'], [...date, '.', { characters: /\d/ }, 'Z']),
};

/** What such a text is, for people. */
export const formatWords: Readonly<Record<TextFormat, string>> = {
  account: 'an account: twelve digits',
  ad_configuration_arn: 'empty, or an ARN such as arn:aws:ivs:us-west-2:111122223333:ad-configuration/AbCdEfGhIjKl',
  bucket: 'the name of a bucket: lower-case letters, digits, dots and hyphens',
  channel_arn: 'an ARN of a channel, such as arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl',
  channel_id: 'the last part of a channel’s ARN, such as AbCdEfGhIjKl',
  channel_name: 'the name of a channel: letters, digits, hyphens and underscores',
  playback_restriction_policy_arn:
    'empty, or an ARN such as arn:aws:ivs:us-west-2:111122223333:playback-restriction-policy/AbCdEfGhIjKl',
  recording_configuration_arn:
    'empty, or an ARN such as arn:aws:ivs:us-west-2:111122223333:recording-configuration/AbCdEfGhIjKl',
  region: 'the code of a Region, such as us-west-2',
  stream_id: 'the id of a stream, such as st-1A2b3c4D5e6F78ghij9Klmn',
  time: 'a time such as 2026-11-20T10:15:04Z',
};
