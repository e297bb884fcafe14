// A report as Markdown (GFM). Text from strangers must not become markup: entities escape what HTML or a chat would interpret
// (`<!channel>`), backslashes what Markdown would. https://spec.commonmark.org/0.31.2/#backslash-escapes
import { visibleLine } from '#domain/visible-text.ts';
import type { Report, SessionReport } from './model.ts';
import { factsOf, incompleteNote, type Section, sectionsOf, shownName, shownTime } from './shown.ts';

/** One line of text that is shown literally, whatever it contains. */
export function markdownText(text: string): string {
  return (
    visibleLine(text)
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replace(/[\\`*_{}[\]()#+!|~$]|^[-=]|(?<=^\d{1,9})[.)]/g, '\\$&')
      // A bare address would become a link.
      .replace(/:(?=\/\/)|(?<=www)\.|@/gi, '\\$&')
  );
}

/** @returns text that ends with a line end */
export function reportMarkdown(report: Report): string {
  const { title, madeAt, sessions, leftOut } = report;
  const parts = [
    `# Report: ${markdownText(title)}`,
    `Made at ${shownTime(madeAt)}.${leftOut === undefined ? '' : ` ${leftOut} more channels are left out.`}`,
    ...sessions.map((session) => sessionMarkdown(session)),
  ];
  return `${parts.join('\n\n')}\n`;
}

function sessionMarkdown(session: SessionReport): string {
  const facts = factsOf(session).map(([label, text]) => [label, text]);
  return [
    `## ${markdownText(shownName(session))}`,
    table(['', ''], facts),
    ...(session.incomplete ? [incompleteNote] : []),
    ...sectionsOf(session).map(sectionMarkdown),
  ].join('\n\n');
}

function sectionMarkdown({ heading, columns, rows, none, note }: Section): string {
  const rest = note === undefined ? '' : `\n\n${note}`;
  return `### ${heading}\n\n${rows.length === 0 ? none : table(columns, rows)}${rest}`;
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map((row) => line(row.map(markdownText)))].join('\n');
}
