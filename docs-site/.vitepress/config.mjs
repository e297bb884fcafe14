// The documents of the repository as a site: `npm run site` there builds it into docs-site/dist, dead links fail the build, and what is
// built asks nothing of any other host. DOCS_BASE: the path below which it is served, such as /ivs-autopilot/ (default: /).
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { allPages, anchorOf, home, kinds, listedFolders, listedIn, sitePath, targetOf } from '../navigation.mjs';

const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const filesOf = (folder) => readdirSync(join(repository, folder));
const isFile = (path) => statSync(join(repository, path), { throwIfNoEntry: false })?.isFile() === true;
const pages = new Set(allPages(filesOf));

/** Files that pages link to, which are copied beside them. */
const linkedFiles = new Set();

/** A picture that is written as HTML, named so that it is taken into the site like the others: `./docs/images/…`. */
function withOwnPictures(html) {
  return html.replaceAll(/(<img\b[^>]*\ssrc=")(?![./]|[a-z]+:)/g, '$1./');
}

/** Leads links between documents to pages, and links to other files to copies of them. */
function repositoryLinks(markdown) {
  markdown.core.ruler.push('repository-links', ({ tokens, env }) => {
    const from = relative(repository, env.realPath ?? env.path).replaceAll('\\', '/');
    for (const token of tokens.flatMap((one) => [one, ...(one.children ?? [])]))
      if (token.type.startsWith('html_')) token.content = withOwnPictures(token.content);
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      // A template of ours, such as {{ channel.name }}, is none of Vue's.
      if (token.type === 'code_inline') token.attrSet('v-pre', '');
      if (token.type !== 'link_open') continue;
      const href = token.attrGet('href');
      // Links inside the page, its headings' own among them, stay as they are.
      if (href.startsWith('#') || /^[a-z]+:/i.test(href)) continue;
      const target = targetOf(from, href, { pages, isFile });
      if (!target) throw new Error(`${from} links to ${href}, which is neither a page nor a file`);
      if ('page' in target) token.attrSet('href', `/${sitePath(target.page)}${target.hash}`);
      else {
        linkedFiles.add(target.file);
        token.attrSet('href', `/${target.file}`);
        token.attrSet('target', '_self');
      }
    }
  });
}

/** A diagram is drawn in the browser, by mermaid. */
function diagrams(markdown) {
  const fence = markdown.renderer.rules.fence;
  markdown.renderer.rules.fence = (tokens, index, ...rest) => {
    const { info, content } = tokens[index];
    if (info.trim() !== 'mermaid') return fence(tokens, index, ...rest);
    return `<MermaidDiagram code="${encodeURIComponent(content)}" />\n`;
  };
}

const link = (path) =>
  `/${sitePath(path)
    .replace(/(^|\/)index\.md$/, '$1')
    .replace(/\.md$/, '.html')}`;
const titleOf = (path) => /^# (.*)$/m.exec(readFileSync(join(repository, path), 'utf8'))[1].replaceAll('`', '');
const items = (groupPages) =>
  groupPages.flatMap(({ path, text }) => {
    const folder = dirname(path);
    const listed = listedFolders.includes(folder) ? listedIn(folder, filesOf) : [];
    return [{ text, link: link(path) }, ...listed.map((one) => ({ text: titleOf(one), link: link(one) }))];
  });

export default defineConfig({
  title: 'ivs-autopilot',
  description: 'Stream operations for Amazon IVS that run by themselves',
  lang: 'en',
  base: process.env.DOCS_BASE || '/',
  // No icon, and no request for one.
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  srcDir: '..',
  outDir: 'dist',
  cacheDir: 'node_modules/.vitepress',
  srcExclude: [
    '**/node_modules/**',
    '**/dist/**',
    ...readdirSync(repository, { recursive: true })
      .map((name) => String(name).replaceAll('\\', '/'))
      .filter((name) => name.endsWith('.md') && !name.includes('node_modules/') && !pages.has(name)),
  ],
  rewrites: Object.fromEntries([...pages].map((path) => [path, sitePath(path)]).filter(([from, to]) => from !== to)),
  ignoreDeadLinks: false,
  markdown: {
    anchor: { slugify: anchorOf },
    config(markdown) {
      markdown.use(repositoryLinks);
      markdown.use(diagrams);
    },
    // The examples of rules and rule tests are YAML with a second word.
    languageAlias: { console: 'shellsession' },
  },
  vite: {
    publicDir: false,
    logLevel: 'warn',
    // The largest is mermaid, which only pages with a diagram load.
    build: { chunkSizeWarningLimit: 2_000 },
    plugins: [
      {
        // The pages are outside of this folder, and what they are compiled to imports Vue.
        name: 'vue-of-this-folder',
        enforce: 'pre',
        resolveId(source, _importer, options) {
          if (source !== 'vue' && source !== 'vue/server-renderer') return undefined;
          return this.resolve(source, fileURLToPath(import.meta.url), { ...options, skipSelf: true });
        },
      },
    ],
  },
  buildEnd({ outDir }) {
    for (const file of linkedFiles) {
      const copy = join(outDir, file);
      mkdirSync(dirname(copy), { recursive: true });
      copyFileSync(join(repository, file), copy);
    }
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: kinds.map(({ kind, groups }) => ({
      text: kind,
      link: link(groups[0].pages[0].path),
      activeMatch: `^(${groups
        .flatMap(({ pages: each }) => items(each).map((one) => one.link))
        .map((one) => one.replaceAll(/[.]/g, '\\.'))
        .join('|')})$`,
    })),
    sidebar: [
      { text: 'What it is', link: link(home) },
      ...kinds.map(({ kind, groups }) => ({
        text: kind,
        collapsed: false,
        items:
          groups.length === 1
            ? items(groups[0].pages)
            : groups.map(({ text, pages: each }) => ({ text, collapsed: text === 'Decisions', items: items(each) })),
      })),
    ],
  },
});
