// Where each document stands on the site. The documents keep their places in the repository; here is the order in which they are read,
// by the four kinds of documentation (https://diataxis.fr). test/docs-site.test.ts holds that each has its place exactly once.

/**
 * @typedef {{ path: string, text: string }} Page path: the file in the repository
 * @typedef {{ text: string, pages: readonly Page[] }} Group
 * @typedef {{ kind: string, groups: readonly Group[] }} Kind
 */

/** The start page, which is of no kind. */
export const home = 'README.md';

const page = (path, text) => ({ path, text });

/** @type {readonly Kind[]} */
export const kinds = [
  {
    kind: 'Tutorial',
    groups: [{ text: 'Tutorial', pages: [page('docs/first-hour.md', 'Your first hour')] }],
  },
  {
    kind: 'How-to',
    groups: [
      {
        text: 'How to automate',
        pages: [
          page('docs/recipes.md', 'Recipes'),
          page('src/player/README.md', 'Read metadata in a player'),
          page('src/client/README.md', 'Call the API from a program'),
          page('simulator/README.md', 'Test against the simulator'),
        ],
      },
      {
        text: 'How to run it',
        pages: [
          page('docs/deploying.md', 'Deploy'),
          page('deploy/helm/ivs-autopilot/README.md', 'Deploy with Helm'),
          page('docs/operations.md', 'Operate: the run book'),
          page('docs/redis.md', 'Connect to Redis'),
          page('docs/scaling.md', 'Size a deployment'),
          page('docs/network.md', 'Proxies and networks'),
          page('docs/tracing.md', 'Trace with OpenTelemetry'),
        ],
      },
      {
        text: 'How to take part',
        pages: [
          page('CONTRIBUTING.md', 'Contribute'),
          page('docs/releasing.md', 'Releases and compatibility'),
          page('SECURITY.md', 'Report a weakness'),
          page('CODE_OF_CONDUCT.md', 'Code of conduct'),
        ],
      },
    ],
  },
  {
    kind: 'Reference',
    groups: [
      {
        text: 'Reference',
        pages: [
          page('docs/rules.md', 'Rules'),
          page('docs/actions.md', 'Actions'),
          page('docs/configuration.md', 'Configuration'),
          page('docs/cli.md', 'Command line'),
          page('docs/http-api.md', 'HTTP API'),
          page('docs/errors.md', 'Errors'),
          page('docs/reasons.md', 'Reasons of decisions'),
          page('docs/metrics.md', 'Metrics'),
          page('CHANGELOG.md', 'Changelog'),
        ],
      },
    ],
  },
  {
    kind: 'Explanation',
    groups: [
      {
        text: 'Explanation',
        pages: [
          page('docs/architecture.md', 'Architecture'),
          page('docs/security.md', 'Security'),
          page('docs/performance.md', 'Performance'),
        ],
      },
      {
        text: 'Decisions',
        pages: [page('docs/decisions/README.md', 'All decisions')],
      },
    ],
  },
];

/** Folders whose documents are listed by themselves: each file is a page of the group that its README.md is in. */
export const listedFolders = ['docs/decisions'];

/**
 * Every document of the site, in the order of its navigation, the start page first.
 * @param {(folder: string) => readonly string[]} filesOf names of the files in a folder of the repository
 * @returns {string[]}
 */
export function allPages(filesOf) {
  const named = kinds.flatMap(({ groups }) => groups.flatMap(({ pages }) => pages.map(({ path }) => path)));
  return [home, ...named, ...listedFolders.flatMap((folder) => listedIn(folder, filesOf))];
}

/**
 * The documents of a folder that are listed by themselves.
 * @param {string} folder
 * @param {(folder: string) => readonly string[]} filesOf
 * @returns {string[]}
 */
export function listedIn(folder, filesOf) {
  return filesOf(folder)
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .toSorted()
    .map((name) => `${folder}/${name}`);
}

/**
 * Where a document is on the site, before Markdown has become HTML: a README is its folder's index.
 * @param {string} path
 */
export function sitePath(path) {
  return path.replace(/(^|\/)README\.md$/, '$1index.md');
}

/**
 * Where a link of a document leads on the site: to another page, or to a file that is copied beside the pages.
 * @param {string} from the document
 * @param {string} href as it stands there; relative, or `#…`
 * @param {{ pages: ReadonlySet<string>, isFile: (path: string) => boolean }} site
 * @returns {{ page: string, hash: string } | { file: string } | undefined} undefined: nowhere
 */
export function targetOf(from, href, { pages, isFile }) {
  const [path = '', hash] = href.split('#');
  const target = path === '' ? from : normalized(`${from.slice(0, from.lastIndexOf('/') + 1)}${decodeURI(path)}`);
  if (target === undefined) return undefined;
  if (pages.has(target)) return { page: target, hash: hash === undefined ? '' : `#${hash}` };
  return !target.endsWith('.md') && isFile(target) ? { file: target } : undefined;
}

/** A path without `.` and `..`; undefined when it leaves the repository. */
function normalized(path) {
  const parts = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}

/**
 * The anchor of a heading, as GitHub makes it, so that a link works in both places.
 * @param {string} heading
 */
export function anchorOf(heading) {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-');
}
