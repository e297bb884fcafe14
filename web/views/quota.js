// How much of each quota is in use, what waits, and how it went in the last hour.
import { h, render } from '../dom.js';
import { clock, count, duration, plural, words } from '../format.js';
import { channelName, store } from '../store.js';

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
    quota
      ? [operations(quota), chart(store.status?.quotaHour, quota.operations), hottest(quota), lanes(quota)]
      : h('p.dim', {}, 'Redis does not tell the use of the quota: see “Can I trust this screen?”.'),
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

function operations({ operations: lines }) {
  const shards = new Set(lines.map(({ shard }) => shard)).size;
  // A fixed order: what is looked for stays where it is.
  const sorted = [...lines].sort((a, b) => b.limit - a.limit || (a.operation < b.operation ? -1 : 1));
  return h(
    'section.panel',
    { 'aria-labelledby': 'operations-title' },
    h('h2', { id: 'operations-title' }, 'Calls in the last second'),
    h(
      'ul.bars',
      {},
      sorted.map(({ shard, operation, limit, used, withheld, slowedChannels, waiting }) =>
        h(
          'li',
          { 'data-key': `${shard}/${operation}` },
          h('span.label', {}, operation, shards > 1 ? h('span.dim', {}, ` ${shard}`) : ''),
          bar(used, limit, `${operation}: ${used} of ${limit} calls per second`),
          h(
            'span.value',
            {},
            `${count(used)} of ${count(limit)}/s`,
            waiting > 0 ? h('span.dim', {}, `, ${count(waiting)} wait`) : '',
            withheld > 0 ? h('span.bad', {}, `, ${count(withheld)} withheld after throttling`) : '',
            slowedChannels > 0
              ? h('span.bad', {}, `, ${plural(slowedChannels, 'channel')} slowed down after throttling`)
              : '',
          ),
        ),
      ),
    ),
    sorted.length === 0 ? h('p.dim', {}, 'No call was made lately.') : '',
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
      lines.map(({ channelId, arn, used, limit }) => {
        const name = arn === undefined ? channelId : channelName(arn);
        return h(
          'li',
          { 'data-key': channelId },
          arn === undefined
            ? h('span.label', {}, name)
            : h('a.label', { href: `#/stream/${encodeURIComponent(arn)}` }, name),
          bar(used, limit, `${name}: ${used} of ${limit} calls per second`),
          h('span.value', {}, `${used} of ${limit}/s`),
        );
      }),
    ),
  );
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

/** PutMetadata calls per second over the last hour; where nothing is known there is no line. */
function chart(hour, lines) {
  if (!hour) return '';
  const { perSecond, endMs, stepMs, throttled } = hour;
  const limit = lines
    .filter(({ operation }) => operation === 'PutMetadata')
    .reduce((sum, { limit: each }) => sum + each, 0);
  const known = perSecond.filter((rate) => rate !== null);
  const peak = Math.max(0, ...known);
  const top = Math.max(limit, peak, 1);
  const y = (rate) => 116 - (112 * rate) / top;
  const startMs = endMs - perSecond.length * stepMs;
  const now = known.length === 0 ? undefined : known.at(-1);
  return h(
    'section.panel',
    { 'aria-labelledby': 'chart-title' },
    h(
      'div.split.wrap',
      {},
      h('h2', { id: 'chart-title' }, 'PutMetadata, last hour'),
      h(
        'p.dim',
        {},
        known.length === 0
          ? 'no sample yet'
          : `now ${rateText(now)}, highest ${rateText(peak)}${limit > 0 ? ` of ${limit}/s` : ''}`,
      ),
    ),
    h(
      'div.plot',
      {},
      h('span.dim.top-label', { 'aria-hidden': 'true' }, `${Math.round(top)}/s`),
      h(
        'svg',
        {
          class: 'chart',
          viewBox: '0 0 720 120',
          preserveAspectRatio: 'none',
          role: 'img',
          'aria-label': `PutMetadata calls per second in the last hour: highest ${rateText(peak)}, now ${rateText(now ?? 0)}${limit > 0 ? `, quota ${limit} per second` : ''}`,
        },
        [0.25, 0.5, 0.75].map((part) =>
          h('line', { x1: 0, x2: 720, y1: y(top * part), y2: y(top * part), class: 'grid' }),
        ),
        limit > 0 ? h('line', { x1: 0, x2: 720, y1: y(limit), y2: y(limit), class: 'limit' }) : '',
        runs(perSecond).map((points) => [
          h('path', { class: 'area', d: `M${points[0][0]} 116L${path(points, y)}L${points.at(-1)[0]} 116Z` }),
          h('path', { class: 'line', d: `M${path(points, y)}` }),
        ]),
      ),
    ),
    h(
      'p.dim.axis',
      { 'aria-hidden': 'true' },
      [0, 0.25, 0.5, 0.75, 1].map((part) => h('span', {}, minute(startMs + part * (endMs - startMs)))),
    ),
    h(
      'p',
      { class: throttled > 0 ? 'bad' : 'dim' },
      throttled > 0
        ? `AWS throttled ${plural(throttled, 'call')} in the last hour: other software may use the account, see limits.share.`
        : 'AWS throttled no call in the last hour.',
      limit > 0 ? ' The dashed line is the quota.' : '',
      known.length < perSecond.length - 1 ? ' Where there is no line, the daemon did not run.' : '',
    ),
  );
}

/** Stretches of the hour of which something is known, as [x, rate]. A lonely step is widened to be seen. */
function runs(perSecond) {
  const found = [];
  let run;
  for (const [index, rate] of perSecond.entries()) {
    if (rate === null) {
      run = undefined;
      continue;
    }
    const x = (720 * index) / (perSecond.length - 1);
    if (!run) {
      run = [[Math.max(0, x - 1).toFixed(1), rate]];
      found.push(run);
    }
    run.push([x.toFixed(1), rate]);
  }
  return found;
}

function path(points, y) {
  return points.map(([x, rate]) => `${x} ${y(rate).toFixed(1)}`).join('L');
}

function rateText(rate) {
  return `${rate >= 10 || rate === 0 ? Math.round(rate) : rate.toFixed(1)}/s`;
}

function minute(ms) {
  return clock(ms).slice(-8, -3);
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
