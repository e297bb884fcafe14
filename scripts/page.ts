// Bundles the operator's page (web/) into a folder: one script, the style sheet, the icon, the run book. `node scripts/page.ts [folder]`. scripts/run.mjs
// calls it when the sources have changed, `npm run build` for the package, the Dockerfile for the image.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { marked, type Token, type Tokens } from 'marked';
import { rolldown } from 'rolldown';

const root = join(import.meta.dirname, '..');
const names = ['app.css', 'icon.svg', 'index.html'];

if (process.argv[1] === import.meta.filename) await buildPage(resolve(process.argv[2] ?? join(root, 'dist', 'web')));

/** The page's script, with the modules that it was made from. */
async function bundle() {
  const build = await rolldown({
    cwd: root,
    input: 'web/main.tsx',
    platform: 'browser',
    logLevel: 'warn',
    tsconfig: false,
    transform: {
      jsx: { runtime: 'automatic', importSource: 'preact' },
      define: { 'process.env.NODE_ENV': '"production"' },
    },
  });
  const { output } = await build.generate({ format: 'esm', minify: true });
  await build.close();
  if (output.length !== 1) throw new Error('the page must be one script');
  return output[0];
}

/** `name@version` of each package whose code is in the page's script. */
export async function bundledPackageIds(): Promise<ReadonlySet<string>> {
  const { moduleIds } = await bundle();
  const folders = moduleIds.flatMap((id) => /^.*\bnode_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(id) ?? []);
  return new Set(
    folders.map((folder) => {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
        string,
        string
      >;
      return `${name}@${version}`;
    }),
  );
}

/** Writes the page into `folder`. */
export async function buildPage(folder: string): Promise<void> {
  const { code } = await bundle();
  mkdirSync(folder, { recursive: true });
  place(join(folder, 'app.js'), code);
  const markdown = readFileSync(join(root, 'docs', 'operations.md'), 'utf8');
  place(join(folder, 'runbook.json'), JSON.stringify(runbook(markdown)));
  for (const name of names) place(join(folder, name), readFileSync(join(root, 'web', name)));
}

/** The elements that the page creates: never markup from text. */
interface Element {
  readonly name: string;
  /** For a section its name, for a link its target. */
  readonly value?: string;
  readonly children: readonly Node[];
}
type Node = string | Element;

function element(name: string, children: readonly Node[], value?: string): Element {
  return value === undefined ? { name, children } : { name, value, children };
}

/** The run book without its title; sections have the names that links to them use. */
function runbook(markdown: string): Node[] {
  return nodesOf(
    marked.lexer(markdown).filter((token) => token.type !== 'heading' || (token as Tokens.Heading).depth > 1),
  );
}

function nodesOf(tokens: readonly Token[] = []): Node[] {
  return tokens.flatMap((token) => nodeOf(token));
}

/** @throws Error for Markdown that the page does not show */
function nodeOf(token: Token): Node[] {
  switch (token.type) {
    case 'space':
      return [];
    case 'heading': {
      const { depth, text, tokens } = token as Tokens.Heading;
      return [element(depth === 2 ? 'h2' : 'h3', nodesOf(tokens), sectionOf(text))];
    }
    case 'paragraph':
      return [element('p', nodesOf((token as Tokens.Paragraph).tokens))];
    case 'list': {
      const { ordered, items } = token as Tokens.List;
      return [
        element(
          ordered ? 'ol' : 'ul',
          items.map((item) => element('li', nodesOf(item.tokens))),
        ),
      ];
    }
    case 'table': {
      const { header, rows } = token as Tokens.Table;
      const row = (name: string, cells: readonly Tokens.TableCell[]) =>
        element(
          'tr',
          // A header above nothing is not a header.
          cells.map((cell) => element(cell.text === '' ? 'td' : name, nodesOf(cell.tokens))),
        );
      return [element('table', [row('th', header), ...rows.map((cells) => row('td', cells))])];
    }
    case 'code':
      return [element('pre', [(token as Tokens.Code).text])];
    case 'codespan':
      return [element('code', [unescaped((token as Tokens.Codespan).text)])];
    case 'strong':
      return [element('b', nodesOf((token as Tokens.Strong).tokens))];
    case 'em':
      return [element('em', nodesOf((token as Tokens.Em).tokens))];
    case 'link': {
      const { href, tokens } = token as Tokens.Link;
      return [element('a', nodesOf(tokens), href)];
    }
    case 'text':
    case 'escape': {
      const { text, tokens } = token as Tokens.Text;
      return tokens ? nodesOf(tokens) : [unescaped(text)];
    }
    default:
      throw new Error(`docs/operations.md: the page shows no ${token.type}: ${token.raw}`);
  }
}

/** Names sections as GitHub does. */
function sectionOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
}

/** The lexer escapes some characters for HTML, which this is not. */
function unescaped(text: string): string {
  const characters: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' };
  return text.replaceAll(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => characters[name] ?? '');
}

/** All or nothing: a daemon that starts at this moment reads either the old file or the new one. */
function place(file: string, content: string | Buffer): void {
  const next = `${file}.${process.pid}`;
  writeFileSync(next, content);
  renameSync(next, file);
}
