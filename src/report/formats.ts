// A report in the requested format.
import type { ReportFormat } from '#domain/action.ts';
import { visibleLines } from '#domain/visible-text.ts';
import { reportHtml } from './html.ts';
import { reportMarkdown } from './markdown.ts';
import type { Report } from './model.ts';

const forms: Readonly<
  Record<ReportFormat, { readonly contentType: string; readonly write: (report: Report) => string }>
> = {
  md: { contentType: 'text/markdown; charset=utf-8', write: reportMarkdown },
  html: { contentType: 'text/html; charset=utf-8', write: reportHtml },
  // Invisible characters are shown in JSON's own notation, so that the JSON stays the same.
  json: {
    contentType: 'application/json; charset=utf-8',
    write: (report) => `${visibleLines(JSON.stringify(report))}\n`,
  },
};

/** The text of a report, and its content type. */
export function writeReport(
  report: Report,
  format: ReportFormat,
): { readonly text: string; readonly contentType: string } {
  const { contentType, write } = forms[format];
  return { text: write(report), contentType };
}
