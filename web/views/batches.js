// Metadata batches with their progress.
import { h, render } from '../dom.js';
import { clock, count, duration, toMs, words } from '../format.js';
import { mayOperate, store } from '../store.js';

export function mount(root) {
  const draw = () => render(root, view());
  draw();
  return { update: draw, destroy() {} };
}

function view() {
  const batches = store.status?.batches ?? [];
  return h(
    'div.page',
    {},
    h('h1', {}, 'Metadata batches'),
    batches.length === 0
      ? h('div.empty', {}, h('h2', {}, 'No batch'), h('p', {}, 'Batches that were sent lately appear here.'))
      : h('div.cards', {}, batches.map(card)),
  );
}

function card({ id, state, startedAt, etaSeconds, counts, by }) {
  const total = Object.values(counts).reduce((sum, value) => sum + value, 0);
  const done = total - (counts.pending ?? 0);
  const open = (counts.pending ?? 0) > 0 && state !== 'cancelled';
  return h(
    'section.panel',
    { 'data-key': id, 'aria-label': `Batch ${id}` },
    h('div.split', {}, h('h2', {}, h('code', {}, id)), h('span.chip', {}, words(state))),
    h('progress', { max: Math.max(1, total), value: done, 'aria-label': `Progress of batch ${id}` }),
    h(
      'p',
      {},
      `${count(done)} of ${count(total)}`,
      open && etaSeconds !== undefined ? `, ${duration(etaSeconds * 1000)} to go` : '',
    ),
    h(
      'p.dim',
      {},
      Object.entries(counts)
        .filter(([, value]) => value > 0)
        .map(
          ([name, value]) => `${words(name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`))} ${count(value)}`,
        )
        .join(', '),
    ),
    h('p.dim', {}, `Started ${clock(toMs(startedAt))}${by ? ` by ${by}` : ''}`),
    open && mayOperate()
      ? h('button.small', { type: 'button', 'data-do': 'cancel-batch', 'data-id': id }, 'Cancel what is not sent')
      : '',
  );
}
