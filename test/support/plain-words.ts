// Simple rules for everything that people read: sentences that need to be read only once, and no phrase that reads as translated.
// CONTRIBUTING.md ("How we write") has the guide.

/** One text and the place where it can be corrected. */
export type Text = readonly [place: string, text: string];

/** The paragraphs, items and cells of a document, each with its place; code blocks and headings are left out. */
export function textsOf(path: string, markdown: string): Text[] {
  const texts: { line: number; parts: string[] }[] = [];
  let isCode = false;
  let open: { line: number; parts: string[] } | undefined;
  for (const [index, line] of markdown.split('\n').entries()) {
    const isFence = /^\s*```/.test(line);
    if (isFence) isCode = !isCode;
    const starts = /^\s*(?:[-*]|\d+\.) /.test(line);
    if (isFence || isCode || starts || /^\s*(?:$|#|<!--|\|)/.test(line)) open = undefined;
    if (isFence || isCode || /^\s*(?:$|#|<!--|\|[-|]+$)/.test(line)) continue;
    if (line.startsWith('|')) {
      for (const cell of line.split(/(?<!\\)\|/)) texts.push({ line: index + 1, parts: [cell.trim()] });
      continue;
    }
    if (!open) texts.push((open = { line: index + 1, parts: [] }));
    open.parts.push(line.replace(/^\s*(?:[-*]|\d+\.) /, '').trim());
  }
  return texts.map(({ line, parts }) => [`${path}:${line}`, parts.join(' ')]);
}
/** Without code, addresses and remarks in brackets, which a reader may skip. */
function plain(text: string): string {
  return text
    .replaceAll(/`[^`]*`/g, 'X')
    .replaceAll(/\]\([^)]*\)/g, ']')
    .replaceAll(/ \([^()]*\)/g, '');
}

/** The most words that a reader has to keep in mind up to the next full stop, colon or semicolon. */
const mostWords = 40;
/** A list is read item by item. */
const mostWordsOfList = 65;

/** Sentences of a text that are too long, with their place. */
export function tooLong([place, text]: Text): string[] {
  return plain(text)
    .split(/(?<=[.!?;:][)*”"]*)\s+/)
    .flatMap((sentence) => {
      const words = sentence.split(/\s+/).length;
      const most = sentence.split(', ').length > 5 ? mostWordsOfList : mostWords;
      return words > most ? [`${place}: ${words} words (at most ${most}), split it: ${sentence}`] : [];
    });
}

/** Phrases that read as translated or are empty, each with what to write instead. */
const phrases: readonly (readonly [phrase: RegExp, instead: string])[] = [
  [/\b(?:TODO|TBD|FIXME|XXX|lorem|asdf|blah)\b/, 'the text itself'],
  [/\b(?:simply|obviously|of course|please|sorry|oops)\b/i, 'nothing: leave it out'],
  [/\b(?:something went wrong|unexpected error|contact support|try again later\.)/i, 'what failed, and what to do'],
  [/^Gives\b|\. Gives\b/, '“Returns”'],
  [/\b(?:is|are|was|were|be) told (?:of|about|by|from)\b/i, '“gets a message”, “is reported”'],
  [/\btells? of\b/i, '“reports”'],
  [/\banew\b/i, '“again”'],
  [/\bmend(?:s|ed|ing)?\b/i, '“repair”, “fix”, “correct”'],
  [/\ball the same\b/i, '“anyway”, “still”'],
  [/\b(?:goes|go|went|going) on\b(?! hold)/i, '“continues”'],
  [/\bas it should be\b/i, 'what is right about it'],
  [/\bnot (?:any more|any longer)\b|\bany more\b/i, '“no longer”'],
  [/\bin the way of\b|\bby way of\b|\bthe way of\b/i, '“through”, “path”'],
  [/\bas far as (?:there|it|they|is)\b/i, '“if there is”'],
  [/\bis for (?:good|ever)\b|\bfor ever\b/i, '“final”, “forever”'],
  [/\bit is seen to that\b|\bbe seen to\b/i, 'who does it'],
  [/\bwhat is more\b|\bthe which\b|\bhereby\b|\btherein\b/i, 'a shorter sentence'],
];

/** What is wrong with the words of a text, with its place and what to write instead. */
export const unwanted = ([place, text]: Text): string[] =>
  phrases.flatMap(([phrase, instead]) => {
    const [found] = phrase.exec(text.replaceAll(/`[^`]*`/g, 'X')) ?? [];
    return found === undefined ? [] : [`${place}: “${found}”, write ${instead}: ${text}`];
  });
