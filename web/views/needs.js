// What needs a person, and what was done lately: the column beside the streams.
import { h } from '../dom.js';
import { clock, duration, person, plural, shortDuration, stamp, words } from '../format.js';
import { glyph, outcomeSign } from '../glyphs.js';
import { channelName, mayOperate, now, store } from '../store.js';

export function needsPanel() {
  const needs = store.status?.needs ?? [];
  return h(
    'section.panel.needs',
    {
      'aria-labelledby': 'needs-title',
      id: 'needs',
      class: needs.some(({ severity }) => severity === 'critical') ? 'critical' : '',
    },
    h('h2', { id: 'needs-title' }, 'Needs you', needs.length > 0 ? h('span.badge', {}, needs.length) : ''),
    needs.length === 0 ? h('p.dim', {}, glyph('ok'), ' Nothing waits for a person.') : h('ul', {}, needs.map(needLine)),
  );
}

const wide = matchMedia('(min-width: 761px)');

function needLine(need) {
  const at = now();
  const timeless = need.kind === 'dead-letters' || need.kind === 'failed-jobs';
  const when = need.atMs > at ? `in ${shortDuration(need.atMs - at)}` : `for ${shortDuration(at - need.atMs)}`;
  return h(
    'li.need',
    { 'data-key': need.id, class: need.severity },
    h(
      'details',
      { open: wide.matches },
      h(
        'summary',
        {},
        glyph(need.severity === 'critical' ? 'starving' : 'unknown'),
        h('b', {}, need.title),
        timeless ? '' : h('span.dim', {}, when),
      ),
      h('p', {}, need.text),
      h(
        'p.links',
        {},
        need.arn ? h('a', { href: `#/stream/${encodeURIComponent(need.arn)}` }, `Open ${channelName(need.arn)}`) : '',
        need.rule
          ? h('a', { href: `#/decisions?rule=${encodeURIComponent(need.rule)}` }, `Decisions of ${need.rule}`)
          : '',
        need.kind === 'failed-jobs' ? h('a', { href: '/queues' }, 'Open the queues') : '',
        need.kind === 'cap' && mayOperate()
          ? h(
              'button.small',
              { type: 'button', 'data-do': 'reset-rule', 'data-rule': need.rule },
              'Start the rule again',
            )
          : '',
      ),
    ),
  );
}

export function silencesPanel() {
  const silences = store.status?.silences ?? [];
  const at = now();
  return h(
    'section.panel',
    { 'aria-labelledby': 'silences-title' },
    h(
      'div.split',
      {},
      h('h2', { id: 'silences-title' }, 'Silences'),
      mayOperate() ? h('button.small', { type: 'button', 'data-do': 'silence' }, 'Add') : '',
    ),
    silences.length === 0
      ? h('p.dim', {}, 'None in force.')
      : h(
          'ul',
          {},
          silences.map((silence) =>
            h(
              'li',
              { 'data-key': silence.id },
              h('code', {}, silence.matchers),
              h('p', {}, silence.reason),
              h(
                'p.dim',
                {},
                `${person(silence.who)}, ends in ${duration(silence.untilMs - at)} `,
                mayOperate()
                  ? h(
                      'button.small',
                      {
                        type: 'button',
                        'data-do': 'expire-silence',
                        'data-id': silence.id,
                        'aria-label': `End now the silence ${silence.matchers}`,
                      },
                      'End now',
                    )
                  : '',
              ),
            ),
          ),
        ),
  );
}

export function activityPanel() {
  const lines = together(store.status?.activity ?? []);
  return h(
    'section.panel',
    { 'aria-labelledby': 'activity-title' },
    h('h2', { id: 'activity-title' }, 'Lately'),
    lines.length === 0
      ? h('p.dim', {}, 'Nothing was done yet.')
      : h(
          'ul.activity',
          {},
          lines
            .slice(0, 12)
            .map((line) =>
              h(
                'li',
                { 'data-key': line.id },
                h('time', { datetime: new Date(line.atMs).toISOString(), title: stamp(line.atMs) }, clock(line.atMs)),
                h(
                  'div',
                  {},
                  h(
                    'p',
                    {},
                    outcomeSign(line.outcome),
                    h('a', { href: `#/decisions?rule=${encodeURIComponent(line.rule)}` }, line.rule),
                    h('span.dim', {}, ` ${words(line.outcome)}`),
                  ),
                  h(
                    'p',
                    {},
                    words(line.text),
                    line.times > 1
                      ? ` on ${plural(line.times, 'channel')}`
                      : line.arn
                        ? [' on ', h('a', { href: `#/stream/${encodeURIComponent(line.arn)}` }, channelName(line.arn))]
                        : '',
                  ),
                ),
              ),
            ),
        ),
  );
}

/** The same of one rule on many channels in a row is one line. */
function together(lines) {
  const found = [];
  for (const line of lines) {
    const last = found.at(-1);
    if (last && last.rule === line.rule && last.outcome === line.outcome && last.text === line.text) last.times += 1;
    else found.push({ ...line, times: 1 });
  }
  return found;
}
