// One channel: what is true, what comes next, and one timeline of events, polls, decisions, jobs and AWS's answers.
import { api, query } from '../api.js';
import { h, render } from '../dom.js';
import { clock, count, duration, idOf, person, stamp, toMs, words } from '../format.js';
import { outcome, state } from '../glyphs.js';
import { mayOperate, now, rowOfChannel } from '../store.js';
import { decisionDetails } from './decisions.js';

const recordings = { none: 'off', recording: 'on', ended: 'ended', failed: 'failed' };
const kinds = { event: 'Event', poll: 'Poll', decision: 'Decision', audit: 'Action', job: 'Job' };

export function mount(root, { arn }) {
  let loaded;
  let problem;
  let lastRow;
  let loading = false;
  const show = new Set(Object.keys(kinds));
  const load = async () => {
    if (loading) return;
    loading = true;
    try {
      const [stream, decisions, audit] = await Promise.all([
        api('GET', `/v1/streams/${encodeURIComponent(arn)}`),
        optional(api('GET', `/v1/decisions${query({ channelArn: arn, limit: 100 })}`)),
        optional(api('GET', `/v1/audit${query({ channelArn: arn, limit: 100 })}`)),
      ]);
      loaded = { stream, decisions: listOf(decisions, 'decisions'), audit: listOf(audit, 'entries') };
      problem = undefined;
    } catch (error) {
      problem = error;
    }
    loading = false;
    draw();
  };
  const draw = () => {
    const row = rowOfChannel(arn);
    if (row !== lastRow) {
      lastRow = row;
      setTimeout(load, 300);
    }
    render(root, page({ arn, row, loaded, problem, show }));
  };
  root.addEventListener('change', (event) => {
    const kind = event.target.dataset?.kind;
    if (!kind) return;
    if (event.target.checked) show.add(kind);
    else show.delete(kind);
    draw();
  });
  lastRow = rowOfChannel(arn);
  draw();
  void load();
  const second = setInterval(draw, 1000);
  const refresh = setInterval(load, 5000);
  return {
    update: draw,
    destroy() {
      clearInterval(second);
      clearInterval(refresh);
    },
  };
}

function optional(promise) {
  return promise.catch(() => ({}));
}

/** Lists come under a name of their own, or bare. */
function listOf(answer, name) {
  if (Array.isArray(answer)) return answer;
  return answer[name] ?? answer.items ?? Object.values(answer).find(Array.isArray) ?? [];
}

function page({ arn, row, loaded, problem, show }) {
  const at = now();
  const record = loaded?.stream.record ?? loaded?.stream.stream ?? loaded?.stream;
  const name = row?.name ?? (record?.channelName || idOf(arn));
  return h(
    'div.page',
    {},
    h('p', {}, h('a', { href: '#/' }, '← All streams')),
    h('div.split.wrap', {}, h('h1', {}, name, ' ', row ? state(row) : ''), mayOperate() ? actions(arn, row) : ''),
    h('p.dim.break.arn', {}, h('code', {}, arn)),
    problem ? h('p.problem', { role: 'alert' }, problem.message) : '',
    facts(row, record, at),
    timeline(loaded, show),
  );
}

function actions(arn, row) {
  const live = row?.state === 'live';
  const button = (what, text, { danger = false, disabled = false } = {}) =>
    h('button', { type: 'button', 'data-do': what, 'data-arn': arn, class: danger ? 'danger' : '', disabled }, text);
  return h(
    'div.actions',
    {},
    row?.hold ? button('release', 'Release hold') : button('hold', 'Hold'),
    button('act-metadata', 'Send metadata', { disabled: !live }),
    button('act-recording', 'Set recording'),
    button('act-key', 'Rotate key'),
    button('act-stop', 'Stop stream', { danger: true, disabled: !live }),
  );
}

function facts(row, record, at) {
  const item = (name, value) => (value === undefined || value === '' ? '' : [h('dt', {}, name), h('dd', {}, value)]);
  const since = (ms) =>
    ms === undefined ? undefined : h('span', { title: stamp(ms) }, `${clock(ms)} (${duration(at - ms)} ago)`);
  const ended = row?.state === 'ended' || row?.state === 'failed';
  return h(
    'section.panel',
    { 'aria-labelledby': 'facts-title' },
    h('h2', { id: 'facts-title' }, 'Now'),
    h(
      'dl',
      {},
      item('Health since', row?.health ? since(row.since) : undefined),
      item(ended ? 'Ended' : '', ended ? since(row.since) : undefined),
      item(ended ? 'Began' : 'Live since', since(row?.started ?? toMs(record?.startedAt ?? record?.startedAtMs))),
      item('Viewers', row?.viewers === undefined ? undefined : count(row.viewers)),
      item(
        'Recording',
        row
          ? `${recordings[row.recording] ?? row.recording}${row.pending ? `, pending: ${row.pending}` : ''}`
          : undefined,
      ),
      item('Key age', row?.key === undefined ? undefined : duration(at - row.key)),
      item(
        'Next action',
        row?.next
          ? `${words(row.next.text)}${row.next.dueMs === undefined ? '' : ` in ${duration(row.next.dueMs - at)}`}${row.next.rule ? ` (rule ${row.next.rule})` : ''}`
          : 'none',
      ),
      item(
        'Hold',
        row?.hold
          ? `${row.hold.reason} (${person(row.hold.who)}${row.hold.until === undefined ? '' : `, ends in ${duration(row.hold.until - at)}`})`
          : undefined,
      ),
      item('Stream', record?.streamId),
      item('Failure', record?.failureReason),
      item(
        'Tags',
        Object.entries(row?.tags ?? {}).map(([key, value]) => h('span.tag', {}, `${key}=${value}`)),
      ),
    ),
  );
}

function timeline(loaded, show) {
  const lines = loaded ? merged(loaded).filter(({ kind }) => show.has(kind)) : [];
  return h(
    'section.panel',
    { 'aria-labelledby': 'timeline-title' },
    h(
      'div.split.wrap',
      {},
      h('h2', { id: 'timeline-title' }, 'Timeline'),
      h(
        'fieldset.kinds',
        {},
        h('legend.sr', {}, 'Show'),
        Object.entries(kinds).map(([kind, text]) =>
          h('label', {}, h('input', { type: 'checkbox', 'data-kind': kind, 'data-keep': true, checked: true }), text),
        ),
      ),
    ),
    loaded
      ? h('ol.timeline', {}, lines.length === 0 ? h('li.dim', {}, 'Nothing is known yet.') : lines.map(timelineLine))
      : h(
          'div.skeleton',
          { 'aria-hidden': 'true' },
          [0, 1, 2].map(() => h('div')),
        ),
  );
}

/** Everything about the channel in one order, newest first. */
function merged({ stream, decisions, audit }) {
  const entries = stream.timeline ?? stream.record?.timeline ?? [];
  return [
    ...entries.map((entry, index) => ({
      kind: entry.source,
      key: `t${toMs(entry.eventTime ?? entry.eventTimeMs)}-${entry.name}-${index}`,
      atMs: toMs(entry.eventTime ?? entry.eventTimeMs),
      arrivedMs: toMs(entry.arrivedAt ?? entry.arrivedAtMs),
      text: entry.text,
      title: entry.name,
    })),
    ...decisions.map((decision) => ({
      kind: 'decision',
      key: `d${decision.id ?? decision.atMs}`,
      atMs: toMs(decision.at ?? decision.atMs),
      decision,
    })),
    ...audit.map((entry) => ({
      kind: entry.outcome === 'requested' ? 'audit' : 'job',
      key: `a${entry.id}`,
      atMs: toMs(entry.at ?? entry.atMs),
      title: words(entry.what ?? 'action'),
      text: auditText(entry),
    })),
  ].toSorted((a, b) => b.atMs - a.atMs);
}

export function auditText({ outcome: end, who, why, reason, dryRun }) {
  return [
    words(end ?? ''),
    dryRun ? 'dry run' : '',
    who ? `by ${person(who)}` : '',
    why && !/^d-[0-9a-f]+$/.test(why) ? `“${why}”` : '',
    words(reason ?? ''),
  ]
    .filter(Boolean)
    .join(', ');
}

function timelineLine({ kind, key, atMs, arrivedMs, title, text, decision }) {
  const late = arrivedMs !== undefined && arrivedMs - atMs > 2000;
  return h(
    'li',
    { 'data-key': key, class: kind },
    h('time', { datetime: new Date(atMs).toISOString(), title: stamp(atMs) }, clock(atMs)),
    h('span.kind', {}, kinds[kind] ?? kind),
    decision
      ? h(
          'div',
          {},
          h('p', {}, outcome(decision.outcome), ' ', h('b', {}, decision.rule), ' ', words(decision.reason)),
          decisionDetails(decision),
        )
      : h(
          'div',
          {},
          h('p', {}, h('b', {}, title), ' ', text),
          late ? h('p.dim', {}, `arrived ${clock(arrivedMs)}, ${duration(arrivedMs - atMs)} late`) : '',
        ),
  );
}
