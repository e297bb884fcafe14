// The operator's page: who is here, what is shown, and what keys and buttons do. Views draw; this file leads.
import { api, savedToken, saveToken } from './api.js';
import {
  act,
  addSilence,
  attempt,
  cancelBatch,
  holdChannel,
  makeTest,
  pauseAll,
  releaseChannel,
  resumeAll,
  showKeys,
} from './dialogs.js';
import { h, render } from './dom.js';
import { count, duration, person, shortDuration, stamp } from './format.js';
import { glyph } from './glyphs.js';
import { follow } from './live.js';
import { changed, mayOperate, now, onChange, staleReason, store, take } from './store.js';
import * as audit from './views/audit.js';
import * as batches from './views/batches.js';
import * as decisions from './views/decisions.js';
import { activityPanel, needsPanel, silencesPanel } from './views/needs.js';
import * as quota from './views/quota.js';
import * as rules from './views/rules.js';
import * as stream from './views/stream.js';
import * as streams from './views/streams.js';
import { trustPill } from './views/trust.js';

const pages = [
  { path: '', title: 'Streams', view: streams },
  { path: 'decisions', title: 'Decisions', view: decisions },
  { path: 'rules', title: 'Rules', view: rules },
  { path: 'quota', title: 'Quota', view: quota },
  { path: 'batches', title: 'Batches', view: batches },
  { path: 'audit', title: 'Audit', view: audit },
];

const app = document.getElementById('app');
let view;
let address;
let stop;
let frame;

function start() {
  stop?.();
  stop = follow({
    event: take,
    state(connection) {
      store.connection = connection;
      if (connection === 'denied') signIn();
      else changed();
    },
  });
}

function signIn() {
  const wrong = savedToken() !== undefined;
  saveToken(undefined);
  view?.destroy();
  view = undefined;
  frame = undefined;
  const input = h('input', {
    type: 'password',
    id: 'token',
    required: true,
    autocomplete: 'current-password',
    'aria-describedby': 'token-help',
  });
  const form = h(
    'form.login.panel',
    {},
    h('h1', {}, 'ivs-autopilot'),
    h('label', { for: 'token' }, 'API token'),
    input,
    h(
      'p.dim',
      { id: 'token-help' },
      'The value of AUTOPILOT_API_TOKEN, or a token of your own. It stays in this tab until you close it.',
    ),
    wrong ? h('p.problem', { role: 'alert' }, 'This token is not accepted.') : '',
    h('button.primary', { type: 'submit' }, 'Open'),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    saveToken(input.value.trim());
    app.replaceChildren();
    start();
  });
  app.className = '';
  app.replaceChildren(h('main.center', {}, form));
  input.focus();
}

/** The parts that are always there; made once after the first answer. */
function layout() {
  const top = h('header.top');
  const banner = h('div', { role: 'alert' });
  const main = h('main', { id: 'main', tabindex: -1 });
  const side = h('aside', { 'aria-label': 'Needs you, silences, lately' });
  app.className = 'open';
  app.replaceChildren(
    h('a.skip', { href: '#main', 'data-do': 'skip' }, 'Skip to content'),
    top,
    banner,
    h('div.layout', {}, main, side),
    h(
      'footer.dim',
      {},
      h('span', {}, `ivs-autopilot ${store.version}`),
      h('span', {}, `times are local: ${Intl.DateTimeFormat().resolvedOptions().timeZone}`),
      h('button.link', { type: 'button', 'data-do': 'keys' }, 'Keys: ?'),
    ),
  );
  return { top, banner, main, side };
}

function draw() {
  if (store.connection === 'denied') return;
  if (!frame) {
    if (!store.status) {
      if (!app.firstChild) app.replaceChildren(h('main.center', {}, h('p.dim', {}, 'Connecting…')));
      return;
    }
    frame = layout();
    show();
  }
  const reason = staleReason();
  document.documentElement.dataset.stale = reason ? 'true' : 'false';
  document.documentElement.dataset.paused = store.status.pause ? 'true' : 'false';
  render(frame.top, topBar());
  render(frame.banner, reason ? h('p.stale', {}, glyph('failed'), reason) : '');
  const onStreams = address?.page === '';
  frame.side.hidden = !onStreams;
  frame.side.classList.toggle('calm', (store.status.needs ?? []).length === 0);
  frame.main.parentElement.classList.toggle('alone', !onStreams);
  if (onStreams) render(frame.side, needsPanel(), silencesPanel(), activityPanel());
  const needs = store.status.needs?.length ?? 0;
  const title = `${needs > 0 ? `(${needs}) ` : ''}${store.status.pause ? 'Paused – ' : ''}ivs-autopilot`;
  if (document.title !== title) document.title = title;
}

function topBar() {
  const { counts, config } = store.status;
  return [
    h(
      'div.line',
      {},
      h('a.brand', { href: '#/' }, h('img', { src: 'icon.svg', alt: '', width: 28, height: 28 }), 'ivs-autopilot'),
      mode(),
      trustPill(),
      h('span.grow'),
      config
        ? h(
            'span.dim.config',
            { title: `Configuration ${config.hash}, loaded ${stamp(config.loadedAtMs)}` },
            'config ',
            h('code', {}, config.hash.slice(0, 7)),
            `, ${shortDuration(now() - config.loadedAtMs)} ago`,
          )
        : '',
      pauseButton(),
    ),
    h(
      'div.line',
      {},
      h('div.counts', { role: 'group', 'aria-label': 'Show only' }, [
        stat('live', 'Live', counts.live, 'healthy'),
        stat('starving', 'Starving', counts.starving, 'starving'),
        stat('unknown', 'Unknown', counts.unknown, 'unknown'),
        stat('held', 'Held', counts.held, 'pause'),
      ]),
      h(
        'nav',
        { 'aria-label': 'Pages' },
        pages.map(({ path, title }) =>
          h('a', { href: `#/${path}`, 'aria-current': address?.page === path ? 'page' : undefined }, title),
        ),
        h('a', { href: '/queues' }, 'Queues'),
      ),
    ),
  ];
}

function stat(kind, text, value, shape) {
  return h(
    'button.stat',
    {
      type: 'button',
      'data-do': 'show-only',
      'data-kind': kind,
      'aria-pressed': String(streams.shownKind() === kind),
      class: value > 0 ? kind : 'none',
    },
    glyph(shape),
    h('b', {}, count(value)),
    h('span', {}, text),
  );
}

function mode() {
  const { pause, rules: list = [] } = store.status;
  if (pause)
    return h(
      'span.chip.mode.paused',
      { title: pause.reason },
      glyph('pause'),
      `Paused ${duration(now() - pause.sinceMs)} by ${person(pause.who)}: ${pause.reason}`,
    );
  const of = (name) => list.filter((rule) => rule.mode === name).length;
  if (of('enforce') === 0)
    return h('span.chip.mode.dry_run', {}, glyph('unknown'), `Dry run: ${count(of('dry_run'))} rules only watch`);
  return h(
    'span.chip.mode.enforce',
    {},
    glyph('ok'),
    `Enforcing ${count(of('enforce'))}${of('dry_run') > 0 ? `, ${count(of('dry_run'))} dry run` : ''}`,
  );
}

function pauseButton() {
  if (!mayOperate()) return h('span.chip', {}, `${store.caller?.name ?? ''}: looking only`);
  return store.status.pause
    ? h('button.primary', { type: 'button', 'data-do': 'resume' }, 'Resume')
    : h('button.danger.pause', { type: 'button', 'data-do': 'pause' }, glyph('pause'), 'Pause all');
}

/** Shows the view that the address names. */
function show() {
  const [path, search = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [page = '', ...rest] = path.split('/');
  const next = { page, arn: decodeURIComponent(rest.join('/')), ...Object.fromEntries(new URLSearchParams(search)) };
  view?.destroy();
  const found = page === 'stream' ? stream : (pages.find(({ path: name }) => name === page)?.view ?? streams);
  if (found === streams) next.page = '';
  address = next;
  frame.main.replaceChildren();
  frame.main.dataset.page = address.page || 'streams';
  view = found.mount(frame.main, address);
  scrollTo(0, 0);
}

const doings = {
  pause: pauseAll,
  resume: resumeAll,
  silence: addSilence,
  hold: ({ arn }) => holdChannel(arn),
  release: ({ arn }) => releaseChannel(arn),
  skip: (_data, event) => {
    event.preventDefault();
    document.getElementById('main')?.focus();
  },
  'show-only': ({ kind }) => {
    streams.showOnly(kind);
    if (address.page === '') view.update();
    else location.hash = '#/';
    changed();
  },
  'filter-tag': ({ text }) => view.setText?.(text),
  'clear-filter': () => view.setText?.(''),
  'cancel-next': ({ id, arn }) => attempt('Cancelled.', () => cancelNext(id, arn)),
  'expire-silence': ({ id }) =>
    attempt('The silence has ended.', () => api('DELETE', `/v1/silences/${encodeURIComponent(id)}`)),
  'reset-rule': ({ rule }) =>
    attempt('The rule runs again.', () => api('POST', `/v1/rules/${encodeURIComponent(rule)}/reset`, {})),
  'cancel-batch': ({ id }) => cancelBatch(id),
  keys: () => showKeys(),
  reload: () => attempt('The configuration was reloaded.', () => api('POST', '/v1/config/reload', {})),
  'make-test': ({ json }) => makeTest(JSON.parse(json)),
  'act-stop': ({ arn }) => act('act-stop', arn),
  'act-key': ({ arn }) => act('act-key', arn),
  'act-recording': ({ arn }) => act('act-recording', arn),
  'act-metadata': ({ arn }) => act('act-metadata', arn),
};

function cancelNext(id, arn) {
  const [kind, name] = [id.slice(0, id.indexOf(':')), id.slice(id.indexOf(':') + 1)];
  return kind === 'intent'
    ? api('DELETE', `/v1/intents/${encodeURIComponent(name)}/${encodeURIComponent(arn)}`)
    : api('DELETE', `/v1/timers/${encodeURIComponent(name)}`);
}

document.addEventListener('click', (event) => {
  const element = event.target.closest?.('[data-do]');
  if (!element) {
    const open = document.querySelector('details.trust[open]');
    if (open && !open.contains(event.target)) open.open = false;
    return;
  }
  doings[element.dataset.do]?.(element.dataset, event);
});

let afterG = 0;
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
  const open = document.querySelector('details.trust[open]');
  if (event.key === 'Escape') {
    if (open) open.open = false;
    else if (document.activeElement?.id === 'filter') document.activeElement.blur();
    return;
  }
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? '') || !frame) return;
  const go = { s: '#/', d: '#/decisions', r: '#/rules', q: '#/quota', b: '#/batches', a: '#/audit' }[event.key];
  if (go && Date.now() - afterG < 1200) {
    location.hash = go;
    afterG = 0;
  } else if (event.key === 'g') afterG = Date.now();
  else if (event.key === '/' && document.getElementById('filter')) document.getElementById('filter').focus();
  else if (event.key === 'j' || event.key === 'ArrowDown') {
    if (!view?.move || (event.key === 'ArrowDown' && !document.activeElement?.closest('.row'))) return;
    view.move(1);
  } else if (event.key === 'k' || event.key === 'ArrowUp') {
    if (!view?.move || (event.key === 'ArrowUp' && !document.activeElement?.closest('.row'))) return;
    view.move(-1);
  } else if (event.key === 'h' && mayOperate() && (view?.focused?.() ?? address.arn))
    holdChannel(view.focused?.() ?? address.arn);
  else if (event.key === 'P' && mayOperate() && !store.status.pause) pauseAll();
  else if (event.key === '?') showKeys();
  else return;
  event.preventDefault();
});

addEventListener('hashchange', () => frame && (show(), changed()));
onChange(() => {
  draw();
  if (frame) view?.update();
});
// Ages and countdowns move, and silence becomes staleness, without any event.
setInterval(draw, 1000);
start();
draw();
