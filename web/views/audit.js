// Who did what, why, and what came of it.
import { api, query } from '../api.js';
import { h, render } from '../dom.js';
import { clock, stamp, toMs, words } from '../format.js';
import { channelName } from '../store.js';
import { auditText } from './stream.js';

export function mount(root) {
  let entries;
  let problem;
  const load = async () => {
    try {
      const answer = await api('GET', `/v1/audit${query({ limit: 200 })}`);
      entries = answer.entries ?? answer.items ?? answer.audit ?? (Array.isArray(answer) ? answer : []);
      problem = undefined;
    } catch (error) {
      problem = error;
    }
    draw();
  };
  const draw = () =>
    render(
      root,
      h(
        'div.page',
        {},
        h('h1', {}, 'Audit'),
        problem ? h('p.problem', { role: 'alert' }, problem.message) : '',
        !entries && !problem
          ? h(
              'div.skeleton',
              { 'aria-hidden': 'true' },
              [0, 1, 2].map(() => h('div')),
            )
          : '',
        entries?.length === 0
          ? h(
              'div.empty',
              {},
              h('h2', {}, 'Nothing yet'),
              h('p', {}, 'Every action and every command is written down here.'),
            )
          : '',
        h('ol.timeline.decisions', {}, (entries ?? []).map(line)),
      ),
    );
  draw();
  void load();
  const refresh = setInterval(load, 5000);
  return { update() {}, destroy: () => clearInterval(refresh) };
}

function line(entry, index) {
  const at = toMs(entry.at ?? entry.atMs);
  return h(
    'li',
    { 'data-key': entry.id ?? `${at}-${index}` },
    h('time', { datetime: new Date(at).toISOString(), title: stamp(at) }, clock(at)),
    h('span.chip', {}, words(entry.what)),
    h(
      'div',
      {},
      h(
        'p',
        {},
        entry.channelArn
          ? h('a', { href: `#/stream/${encodeURIComponent(entry.channelArn)}` }, channelName(entry.channelArn))
          : '',
        ' ',
        auditText(entry),
      ),
    ),
  );
}
