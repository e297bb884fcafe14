// Looks at what was built: every link and anchor leads somewhere inside it, and no page loads anything from another host.
// `node check.mjs <folder>`; exits with 1 and a line for each problem.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const base = process.env.DOCS_BASE || '/';

/**
 * @param {string} folder of the built site
 * @returns {string[]} what is wrong with it
 */
export function problemsOf(folder) {
  const names = readdirSync(folder, { recursive: true }).map((name) => String(name).replaceAll('\\', '/'));
  const files = new Set(names.filter((name) => statSync(join(folder, name)).isFile()));
  const read = (name) => readFileSync(join(folder, name), 'utf8');
  const pages = new Map([...files].filter((name) => name.endsWith('.html')).map((name) => [name, read(name)]));
  const anchors = new Map(
    [...pages].map(([name, html]) => [
      name,
      new Set(Array.from(html.matchAll(/\sid="([^"]*)"/g), ([, id]) => plain(id))),
    ]),
  );
  const problems = [];
  for (const [name, html] of pages) {
    for (const [tag, element] of html.matchAll(/<([a-z]+)\s[^>]*>/g)) {
      const address = plain(/\s(?:href|src)="([^"]*)"/.exec(tag)?.[1] ?? '');
      if (address === '') continue;
      if (/^(?:[a-z]+:|\/\/)/i.test(address)) {
        // A reader may follow a link elsewhere; a page may not load anything from there.
        if (element !== 'a' && !address.startsWith('data:')) problems.push(`${name} loads ${address}`);
        continue;
      }
      const [path, hash] = address.split('#');
      const target =
        path === '' ? name : fileOf(path.startsWith('/') ? inside(path) : posix.join(posix.dirname(name), path));
      if (target === undefined || !files.has(target)) problems.push(`${name} leads to ${address}, which is not there`);
      else if (hash && element === 'a' && !anchors.get(target)?.has(decodeURIComponent(hash)))
        problems.push(`${name} leads to ${address}, and there is no such heading`);
    }
  }
  for (const name of files)
    if (name.endsWith('.css'))
      for (const [, address] of read(name).matchAll(/url\(["']?((?:https?:)?\/\/[^)"']+)/g))
        problems.push(`${name} loads ${address}`);
  for (const name of files)
    if (/localSearchIndex.*\.js$/.test(name) && read(name).includes('"documentCount":0,'))
      problems.push(`${name} is empty: the search finds nothing`);
  if (pages.size === 0) problems.push(`${folder} has no page`);
  return problems;
}

/** The path below the site's base; undefined for one outside of it. */
function inside(path) {
  return path.startsWith(base) ? path.slice(base.length) : undefined;
}

/** The file that a server sends for a path. */
function fileOf(path) {
  if (path === undefined) return undefined;
  const file = posix.normalize(`/${decodeURIComponent(path)}`).slice(1);
  return file === '' || file.endsWith('/') ? `${file}index.html` : file;
}

function plain(text) {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = problemsOf(join(dirname(fileURLToPath(import.meta.url)), process.argv[2] ?? 'dist'));
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
