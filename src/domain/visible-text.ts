// Text from strangers (reasons, events, names, tags) for a terminal, a chat or a log. Characters that would move the cursor, colour, link,
// reorder or hide text are shown as \uXXXX. The notation is JSON's, so JSON keeps its meaning.

/**
 * Controls (C0, DEL, C1), line and paragraph separators, bidi controls, halves of surrogate pairs, and invisible characters, except those
 * that join letters and emoji or choose their form.
 */
const unseen =
  /[\p{Cc}\p{Bidi_Control}\p{Cs}\u2028\u2029\ufff9-\ufffb\u{e0000}-\u{e0fff}[\p{Default_Ignorable_Code_Point}--[\p{Join_Control}\p{Variation_Selector}]]]/gv;

/** One line of text; line ends are made visible too. */
export function visibleLine(text: string): string {
  return text.replace(unseen, escaped);
}

/** Several lines: only for text whose line ends are our own layout. */
export function visibleLines(text: string): string {
  return text.split('\n').map(visibleLine).join('\n');
}

/**
 * A text within Slack's markup: it mentions nobody and links nowhere. https://docs.slack.dev/messaging/formatting-message-text/#escaping
 */
export function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** A text within Markdown: it links nowhere and shows no picture. */
export function escapeMarkdown(text: string): string {
  return text.replaceAll(/[\\[\]`]/g, '\\$&').replaceAll('<', '&lt;');
}

/** A text within HTML, in an element or in a quoted attribute. */
export function escapeHtml(text: string): string {
  return escapeSlack(text).replaceAll('"', '&quot;').replaceAll("'", '&#39;');
}

function escaped(character: string): string {
  let notation = '';
  for (let index = 0; index < character.length; index += 1)
    notation += `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
  return notation;
}
