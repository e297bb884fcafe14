// How much of each quota is in use, what waits, and how it went in the last hour.
import { h, render } from '../dom.js';
import { count, duration, idOf, words } from '../format.js';
import { store } from '../store.js';

export function mount(root) {
  const draw = () => render(root, view());
  draw();
  const second = setInterval(draw, 1000);
  return { update: draw, destroy: () => clearInterval(second) };
}

function view() {
  const quota = store.status?.quota;
  const queues = store.status?.queues ?? [];
  return h(
    'div.page',
    {},
    h('h1', {}, 'Quota'),
    quota ? [operations(quota), chart(quota), hottest(quota), lanes(quota)] : h('p.dim', {}, 'No call was made yet.'),
    h(
      'section.panel',
      { 'aria-labelledby': 'queues-title' },
      h('h2', { id: 'queues-title' }, 'Job queues'),
      table(
        ['Queue', 'Waiting', 'Running', 'Later', 'Failed'],
        queues.map(({ name, waiting, active, delayed, failed }) => [
          words(name),
          count(waiting),
          count(active),
          count(delayed),
          failed > 0 ? h('b.bad', {}, count(failed)) : '0',
        ]),
      ),
      h('p', {}, h('a', { href: '/queues' }, 'Look into the queues')),
    ),
  );
}

function operations({ operations: lines, throttles }) {
  const sorted = [...lines].sort((a, b) => b.used / b.limit - a.used / a.limit || b.limit - a.limit);
  return h(
    'section.panel',
    { 'aria-labelledby': 'operations-title' },
    h('h2', { id: 'operations-title' }, 'Calls in the last second'),
    h(
      'ul.bars',
      {},
      sorted.map(({ shard, operation, limit, used, waiting }) =>
        h(
          'li',
          { 'data-key': `${shard}/${operation}` },
          h('span.label', {}, operation, shard === 'main' ? '' : h('span.dim', {}, ` ${shard}`)),
          bar(used, limit, `${operation}: ${used} of ${limit} calls per second`),
          h(
            'span.value',
            {},
            `${count(used)} of ${count(limit)}/s`,
            waiting > 0 ? h('span.dim', {}, `, ${count(waiting)} wait`) : '',
          ),
        ),
      ),
    ),
    h(
      'p',
      { class: throttles > 0 ? 'bad' : 'dim' },
      throttles > 0
        ? `${count(throttles)} calls were throttled by AWS since the start.`
        : 'No call was throttled by AWS since the start.',
    ),
  );
}

function bar(used, limit, label) {
  const part = Math.min(1, limit === 0 ? 0 : used / limit);
  return h(
    'span.meter',
    {
      role: 'meter',
      'aria-valuemin': 0,
      'aria-valuemax': limit,
      'aria-valuenow': Math.min(used, limit),
      'aria-label': label,
      class: part >= 0.9 ? 'full' : '',
    },
    h('span', { style: { width: `${(100 * part).toFixed(1)}%` } }),
  );
}

function hottest({ hottest: lines }) {
  if (!lines || lines.length === 0) return '';
  return h(
    'section.panel',
    { 'aria-labelledby': 'hottest-title' },
    h('h2', { id: 'hottest-title' }, 'Hottest channels (PutMetadata)'),
    h(
      'ul.bars',
      {},
      lines.map(({ arn, used, limit }) =>
        h(
          'li',
          { 'data-key': arn },
          h('a.label', { href: `#/stream/${encodeURIComponent(arn)}` }, nameOf(arn)),
          bar(used, limit, `${nameOf(arn)}: ${used} of ${limit} calls per second`),
          h('span.value', {}, `${used} of ${limit}/s`),
        ),
      ),
    ),
  );
}

function nameOf(arn) {
  for (const row of store.rows.values()) if (row.arn === arn) return row.name;
  return idOf(arn);
}

function lanes({ lanes: lines }) {
  if (!lines || lines.length === 0) return '';
  return h(
    'section.panel',
    { 'aria-labelledby': 'lanes-title' },
    h('h2', { id: 'lanes-title' }, 'Waiting by lane'),
    table(
      ['Lane', 'Waiting', 'Oldest', 'Empty in'],
      lines.map(({ lane, waiting, oldestMs, drainSeconds }) => [
        lane,
        count(waiting),
        oldestMs === undefined ? '–' : duration(oldestMs),
        drainSeconds === undefined ? '–' : duration(drainSeconds * 1000),
      ]),
    ),
  );
}

/** PutMetadata calls per second over the last hour. */
function chart({ history, operations: lines }) {
  if (!history || history.length < 2) return '';
  const limit = lines.find(({ operation }) => operation === 'PutMetadata')?.limit ?? 155;
  const end = history.at(-1)[0];
  const start = Math.min(history[0][0], end - 60_000);
  const most = Math.max(limit, ...history.map(([, used]) => used));
  const points = history.map(
    ([at, used]) => `${((600 * (at - start)) / (end - start)).toFixed(1)},${(112 - (104 * used) / most).toFixed(1)}`,
  );
  const y = (112 - (104 * limit) / most).toFixed(1);
  return h(
    'section.panel',
    { 'aria-labelledby': 'chart-title' },
    h('h2', { id: 'chart-title' }, `PutMetadata in the last ${duration(end - start)}`),
    h(
      'svg',
      {
        class: 'chart',
        viewBox: '0 0 600 120',
        preserveAspectRatio: 'none',
        role: 'img',
        'aria-label': `PutMetadata calls per second; highest ${Math.max(...history.map(([, used]) => used))} of ${limit}`,
      },
      h('line', { x1: 0, x2: 600, y1: y, y2: y, class: 'limit' }),
      h('polyline', { points: points.join(' ') }),
    ),
    h('p.dim', {}, `The dashed line is the quota, ${limit} calls per second.`),
  );
}

export function table(names, rows) {
  return h(
    'div.scroll',
    { tabindex: 0, role: 'region', 'aria-label': `Table: ${names.join(', ')}` },
    h(
      'table',
      {},
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          names.map((name) => h('th', { scope: 'col' }, name)),
        ),
      ),
      h(
        'tbody',
        {},
        rows.map((cells) =>
          h(
            'tr',
            {},
            cells.map((cell) => h('td', {}, cell)),
          ),
        ),
      ),
    ),
  );
}
