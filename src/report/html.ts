// A report as one HTML file: no script, nothing loaded from elsewhere, light and dark, also for printing.
import { visibleLine } from '#domain/visible-text.ts';
import type { Report, SessionReport } from './model.ts';
import { sessionPlot } from './plot.ts';
import { factsOf, incompleteNote, type Section, sectionsOf, shownName, shownTime } from './shown.ts';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** One line of text that is shown literally, in an element or an attribute. */
export function htmlText(text: string): string {
  return visibleLine(text).replace(/[&<>"']/g, (character) => entities[character]!);
}

/** What an opened report may do: only show itself. */
export const reportPolicy = "default-src 'none'; style-src 'unsafe-inline'";

const style = `
:root { color-scheme: light dark; --line: #2563eb; --ok: #16a34a; --bad: #dc2626; --dim: #94a3b8; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { margin-top: 2.5rem; } h3 { font-size: 1rem; margin-bottom: .3rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); overflow-wrap: anywhere; }
svg { width: 100%; height: auto; } svg text { font-size: 12px; fill: currentColor; opacity: .7; }
.grid { stroke: currentColor; opacity: .15; } .viewers { fill: none; stroke: var(--line); stroke-width: 2; stroke-linecap: round; }
.healthy { fill: var(--ok); } .starving { fill: var(--bad); } .unknown { fill: var(--dim); }
.key { font-size: .85rem; opacity: .8; }
`;

/** @returns a whole document */
export function reportHtml({ title, madeAt, sessions, leftOut }: Report): string {
  const more = leftOut === undefined ? '' : ` ${leftOut} more channels are left out.`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${htmlText(reportPolicy)}">
<meta name="referrer" content="no-referrer">
<title>Report: ${htmlText(title)}</title>
<style>${style}</style>
</head>
<body>
<h1>Report: ${htmlText(title)}</h1>
<p>Made at ${shownTime(madeAt)}.${more}</p>
${sessions.map(sessionHtml).join('\n')}
</body>
</html>
`;
}

function sessionHtml(session: SessionReport): string {
  const plot = sessionPlot(session);
  const facts = factsOf(session).map(
    ([label, text]) => `<tr><th>${htmlText(label)}</th><td>${htmlText(text)}</td></tr>`,
  );
  return [
    '<section>',
    `<h2>${htmlText(shownName(session))}</h2>`,
    `<table>${facts.join('')}</table>`,
    session.incomplete ? `<p>${incompleteNote}</p>` : '',
    '<h3>Viewers and health</h3>',
    plot === undefined
      ? '<p>There are no samples of this session.</p>'
      : `${plot}<p class="key">Line: viewers (UTC). Band: green healthy, red starving, grey unknown; empty where not observed.</p>`,
    ...sectionsOf(session).map(sectionTable),
    '</section>',
  ].join('\n');
}

function sectionTable({ heading, columns, rows, none, note }: Section): string {
  if (rows.length === 0) return `<h3>${htmlText(heading)}</h3>\n<p>${htmlText(none)}</p>`;
  const cells = (row: readonly string[], tag: 'th' | 'td') =>
    `<tr>${row.map((cell) => `<${tag}>${htmlText(cell)}</${tag}>`).join('')}</tr>`;
  return `<h3>${htmlText(heading)}</h3>\n<table>${cells(columns, 'th')}${rows.map((row) => cells(row, 'td')).join('')}</table>${note === undefined ? '' : `\n<p>${htmlText(note)}</p>`}`;
}
