// Metadata batches with their progress: the newest ones of the outbox.
import { h, render } from '../dom.js';
import { clock, count, duration, person, plural, stamp, words } from '../format.js';
import { glyph } from '../glyphs.js';
import { mayOperate, now, store } from '../store.js';

export function mount(root) {
  const draw = () => render(root, view());
  draw();
  const second = setInterval(draw, 1000);
  return { update: draw, destroy: () => clearInterval(second) };
}

function view() {
  const batches = store.status?.batches;
  return h(
    'div.page',
    {},
    h('h1', {}, 'Metadata batches'),
    batches === undefined
      ? h('p.dim', {}, 'The outbox cannot be read at the moment.')
      : batches.length === 0
        ? h(
            'div.empty',
            {},
            h('h2', {}, 'No batch in the last hours'),
            h('p', {}, 'What programs, rules and people send to channels appears here.'),
          )
        : h('div.cards', {}, batches.map(card)),
  );
}

const signs = { running: 'waiting', cancelling: 'pause', finished: 'ok', cancelled: 'ended' };

/** Outcomes in the order in which somebody asks for them. */
const outcomes = [
  ['delivered', 'delivered'],
  ['pending', 'to go'],
  ['failed', 'failed'],
  ['expired', 'expired'],
  ['notBroadcasting', 'not broadcasting'],
  ['conflated', 'replaced by newer'],
  ['cancelled', 'cancelled'],
];

function card({ id, state, lane, channels, items, startedMs, finishedMs, etaSeconds, counts, failures, by }) {
  const total = Object.values(counts).reduce((sum, value) => sum + value, 0);
  const pending = counts.pending ?? 0;
  const open = state === 'running';
  const troubles = Object.entries(failures ?? {}).map(([code, number]) => `${code} ${count(number)}`);
  return h(
    'section.panel.batch',
    { 'data-key': id, 'aria-label': `Batch ${id}` },
    h(
      'div.split',
      {},
      h('h2', {}, `${plural(items, 'item')} to ${plural(channels, 'channel')}`),
      h('span.chip', {}, glyph(signs[state] ?? 'waiting'), words(state)),
    ),
    h('progress', { max: Math.max(1, total), value: total - pending, 'aria-label': `Progress of batch ${id}` }),
    h(
      'p',
      {},
      `${count(total - pending)} of ${count(total)} done`,
      pending > 0 && etaSeconds !== undefined ? `, about ${duration(etaSeconds * 1000)} to go` : '',
      finishedMs === undefined ? '' : ` in ${tookText(finishedMs - startedMs)}`,
    ),
    h(
      'ul.tally',
      {},
      outcomes
        .filter(([name]) => counts[name] > 0)
        .map(([name, text]) =>
          h('li', { class: name === 'failed' ? 'bad' : '' }, h('b', {}, count(counts[name])), ` ${text}`),
        ),
    ),
    troubles.length > 0 ? h('p.bad', {}, `Failed with ${troubles.join(', ')}.`) : '',
    h(
      'p.dim',
      {},
      h('span', { title: stamp(startedMs) }, `${clock(startedMs)}, ${duration(now() - startedMs)} ago`),
      `${by ? ` by ${person(by)}` : ''}, lane ${lane}`,
    ),
    h('p.dim', {}, h('code', {}, id)),
    open && mayOperate()
      ? h('p', {}, h('button.small', { type: 'button', 'data-do': 'cancel-batch', 'data-id': id }, 'Cancel the rest'))
      : '',
  );
}

function tookText(ms) {
  return ms < 1000 ? `${Math.max(0, ms)} ms` : duration(ms);
}
