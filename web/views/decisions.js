// Decisions, also those not to act: each step with the values it compared.
import { api, query } from '../api.js';
import { h, render } from '../dom.js';
import { clock, count, fact, idOf, stamp, toMs, words } from '../format.js';
import { glyph, outcome } from '../glyphs.js';
import { store } from '../store.js';

const outcomes = ['acted', 'would_act', 'pending', 'suppressed', 'not_fired', 'resolved'];

export function mount(root, { rule = '', channelArn = '' } = {}) {
  const chosen = { rule, channelArn, outcome: '' };
  let entries;
  let problem;
  let loading = false;
  const load = async () => {
    if (loading) return;
    loading = true;
    try {
      const answer = await api('GET', `/v1/decisions${query({ ...chosen, limit: 100 })}`);
      entries = answer.decisions ?? answer.items ?? (Array.isArray(answer) ? answer : []);
      problem = undefined;
    } catch (error) {
      problem = error;
    }
    loading = false;
    draw();
  };
  const rules = () => (store.status?.rules ?? []).map(({ name }) => name);
  const select = (name, label, values) => {
    const element = h(
      'select',
      { id: `by-${name}`, 'data-by': name, 'data-keep': true },
      h('option', { value: '' }, 'all'),
      values.map((value) => h('option', { value, selected: value === chosen[name] }, words(value))),
    );
    return h('label', {}, label, ' ', element);
  };
  const filters = h('div.bar', {}, select('rule', 'Rule', rules()), select('outcome', 'Outcome', outcomes));
  const list = h('div');
  render(root, h('div.page', {}, h('h1', {}, 'Decisions'), filters, list));
  filters.addEventListener('change', (event) => {
    chosen[event.target.dataset.by] = event.target.value;
    void load();
  });
  const draw = () => render(list, view(entries, problem, chosen));
  draw();
  void load();
  const refresh = setInterval(load, 5000);
  return { update() {}, destroy: () => clearInterval(refresh) };
}

function view(entries, problem, { channelArn }) {
  if (problem) return h('p.problem', { role: 'alert' }, problem.message);
  if (!entries)
    return h(
      'div.skeleton',
      { 'aria-hidden': 'true' },
      [0, 1, 2].map(() => h('div')),
    );
  return [
    channelArn ? h('p', {}, `Only ${idOf(channelArn)}. `, h('a', { href: '#/decisions' }, 'Show all')) : '',
    entries.length === 0
      ? h('div.empty', {}, h('h2', {}, 'No decision'), h('p', {}, 'Nothing was decided, or the filter shows nothing.'))
      : h('ol.timeline.decisions', {}, entries.map(line)),
  ];
}

function line(entry) {
  const decision = entry.example ? { ...entry.example, ...entry } : entry;
  const at = toMs(decision.at ?? decision.atMs);
  return h(
    'li',
    { 'data-key': decision.id ?? `${decision.rule}-${at}-${decision.reason}` },
    h('time', { datetime: new Date(at).toISOString(), title: stamp(at) }, clock(at)),
    outcome(decision.outcome),
    h(
      'div',
      {},
      h(
        'p',
        {},
        h('b', {}, decision.rule),
        ' ',
        words(decision.reason),
        ' ',
        entry.count > 1
          ? `on ${count(entry.count)} channels`
          : decision.channelArn
            ? h(
                'a',
                { href: `#/stream/${encodeURIComponent(decision.channelArn)}` },
                decision.channelName || idOf(decision.channelArn),
              )
            : '',
        decision.mode === 'dry_run' ? h('span.chip', {}, 'dry run') : '',
      ),
      decisionDetails(decision),
    ),
  );
}

/** What a guard found when it let pass. */
const passedWords = {
  warm_up: 'a complete poll since the start',
  on_data_gap: 'no gap in the data',
  stopped: 'not stopped by its cap',
  pause: 'not paused',
  hold: 'no hold',
};

const jobSigns = { done: 'ok', already_done: 'ok', failed: 'failed' };

/** The steps of a decision, folded. */
export function decisionDetails(decision) {
  const steps = decision.guards ?? decision.steps ?? [];
  return h(
    'details.why',
    {},
    h('summary', {}, 'Why'),
    decision.meaning ? h('p.dim', {}, decision.meaning.replaceAll('`', '')) : '',
    h(
      'ul.steps',
      {},
      decision.trigger
        ? h(
            'li',
            { class: 'passed' },
            glyph('ok'),
            h('b', {}, `trigger ${decision.trigger.kind}`),
            ' ',
            decision.trigger.text,
            values(decision.trigger.values),
          )
        : '',
      steps.map((step) =>
        h(
          'li',
          { class: step.passed ? 'passed' : 'stopped' },
          glyph(step.passed ? 'ok' : 'failed'),
          h('b', {}, words(step.guard ?? step.name)),
          h('span', {}, step.passed ? ` ${passedWords[step.guard] ?? 'passed'}` : ' stopped it'),
          values(step.values),
        ),
      ),
      (decision.withheld ?? []).map((held) =>
        h(
          'li',
          { class: 'stopped' },
          glyph('failed'),
          h('b', {}, words(held.action)),
          ` held back: ${words(held.reason)}`,
          values(held.values),
        ),
      ),
      (decision.jobs ?? []).map((job) =>
        h(
          'li',
          {},
          glyph(jobSigns[job.outcome] ?? (job.outcome ? 'ended' : 'waiting')),
          h('b', {}, words(job.action)),
          ' ',
          job.outcome
            ? [...new Set([words(job.outcome), words(job.detail ?? '')])].filter(Boolean).join(': ')
            : 'on its way',
          ' ',
          h('code', {}, job.jobId),
        ),
      ),
    ),
    h(
      'button.small',
      { type: 'button', 'data-do': 'make-test', 'data-json': JSON.stringify(testOf(decision)) },
      'Make a test from this',
    ),
  );
}

function values(pairs) {
  const entries = Object.entries(pairs ?? {});
  if (entries.length === 0) return '';
  return h('span.dim', {}, ' ', entries.map(([key, value]) => fact(key, value)).join(', '));
}

/** What a rule test needs of a decision. */
function testOf({ rule, outcome: decided, reason, channelArn, channelName, trigger, jobs, at, atMs }) {
  const end = toMs(at ?? atMs);
  const forMs = Math.max(0, end - (toMs(trigger?.since) ?? trigger?.sinceMs ?? end));
  return {
    rule,
    outcome: decided,
    reason,
    channel: channelName || (channelArn ? idOf(channelArn) : 'a'),
    forMs,
    kind: trigger?.kind,
    values: trigger?.values ?? {},
    jobs: (jobs ?? []).map((job) => job.action),
  };
}
