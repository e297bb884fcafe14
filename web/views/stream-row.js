// One row of the streams: made once, then filled with one stream after the other. A field is touched only when it says something else.
import { h, render } from '../dom.js';
import { count, duration, idOf, person, shortDuration, stamp } from '../format.js';
import { glyph, sparkPoints, stateOf } from '../glyphs.js';
import { mayOperate, now, store } from '../store.js';

/** Text that is written only when it changes. */
function writer(element, node = element.appendChild(document.createTextNode(''))) {
  let last = '';
  return (text) => {
    if (text === last) return;
    last = text;
    node.nodeValue = text;
  };
}

/** An attribute that is written only when it changes; undefined takes it away. */
function attribute(element, name) {
  let last;
  return (value) => {
    if (value === last) return;
    last = value;
    if (value === undefined) element.removeAttribute(name);
    else element.setAttribute(name, value);
  };
}

const recordings = { none: 'Off', recording: 'On', ended: 'Ended', failed: 'Failed' };

/** @returns {{element: HTMLElement, fill(number: number, index: number): void}} */
export function streamRow() {
  const sign = h('span.sign');
  const word = h('span');
  const age = h('span');
  const held = h('span.held');
  const name = h('a.name');
  const tags = h('span.tags');
  const viewers = h('b');
  const line = h('polyline');
  const rec = h('span');
  const pending = h('span.dim');
  const key = h('span');
  const next = h('span.cell.next', { role: 'cell' });
  const hold = h('button.small', { type: 'button' });
  const holdWord = h('span.dim');
  const element = h(
    'div.row',
    { role: 'row' },
    h('span.cell.health', { role: 'cell' }, h('span.state', {}, sign, word), h('span.dim', {}, age, held)),
    h('span.cell.channel', { role: 'cell' }, name, tags),
    h(
      'span.cell.viewers',
      { role: 'cell' },
      viewers,
      h('span.sr', {}, ' viewers'),
      h('svg', { class: 'spark', viewBox: '0 0 96 24', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, line),
    ),
    h('span.cell.recording', { role: 'cell' }, rec, pending),
    h('span.cell.key', { role: 'cell' }, key, h('span.sr', {}, ' key age')),
    next,
    h('span.cell.hold', { role: 'cell' }, hold, holdWord),
  );
  const write = {
    kind: attribute(element, 'class'),
    index: attribute(element, 'aria-rowindex'),
    key: attribute(element, 'data-key'),
    arn: attribute(element, 'data-arn'),
    word: writer(word),
    age: writer(age),
    ageTitle: attribute(age, 'title'),
    held: writer(held),
    heldTitle: attribute(held, 'title'),
    name: writer(name),
    href: attribute(name, 'href'),
    nameTitle: attribute(name, 'title'),
    viewers: writer(viewers),
    line: attribute(line, 'points'),
    rec: writer(rec),
    recKind: attribute(rec, 'class'),
    pending: writer(pending),
    pendingTitle: attribute(pending, 'title'),
    keyAge: writer(key),
    keyKind: attribute(key, 'class'),
    hold: writer(hold),
    holdDo: attribute(hold, 'data-do'),
    holdArn: attribute(hold, 'data-arn'),
    holdLabel: attribute(hold, 'aria-label'),
    holdWord: writer(holdWord),
  };
  let shape;
  let shownTags;
  let shownNext;
  let shownSpark;
  let shownSince;

  return {
    element,
    fill(number, index) {
      const row = store.rows.get(number);
      if (!row) return;
      const at = now();
      const state = stateOf(row);
      write.kind(`row ${state.shape}${row.next ? ' planned' : ''}`);
      write.index(String(index + 2));
      write.key(String(number));
      write.arn(row.arn);
      if (shape !== state.shape) {
        shape = state.shape;
        sign.replaceChildren(glyph(shape));
      }
      write.word(state.word);
      write.age(row.since === undefined ? '' : shortDuration(at - row.since));
      if (shownSince !== row.since) {
        shownSince = row.since;
        write.ageTitle(row.since === undefined ? undefined : `since ${stamp(row.since)}`);
      }
      write.held(heldText(row, at));
      write.heldTitle(row.hold ? `${row.hold.reason} (${person(row.hold.who)})` : undefined);
      write.name(row.name);
      write.href(`#/stream/${encodeURIComponent(row.arn)}`);
      write.nameTitle(row.arn);
      if (shownTags !== row.tags) {
        shownTags = row.tags;
        fillTags(tags, row.tags);
      }
      write.viewers(row.viewers === undefined ? '–' : count(row.viewers));
      if (shownSpark !== row.spark || shownSpark === undefined) {
        shownSpark = row.spark;
        write.line(sparkPoints(row.spark));
      }
      write.rec(recordings[row.recording] ?? row.recording);
      write.recKind(`rec ${row.recording}`);
      write.pending(
        row.pending === undefined ? '' : `pending: ${row.pending.replace(/^(recording|record with) /, '')}`,
      );
      write.pendingTitle(row.pending);
      write.keyAge(row.key === undefined ? '–' : shortDuration(at - row.key));
      write.keyKind(row.key === undefined ? 'dim' : undefined);
      // Few rows have a plan; those count down.
      if (row.next || shownNext !== row.next) {
        shownNext = row.next;
        render(next, nextAction(row, at));
      } else if (!next.firstChild) render(next, nextAction(row, at));
      const may = mayOperate();
      hold.hidden = !may;
      write.hold(row.hold ? 'Release' : 'Hold');
      write.holdDo(row.hold ? 'release' : 'hold');
      write.holdArn(row.arn);
      write.holdLabel(row.hold ? `Release ${row.name}` : `Hold ${row.name} (${idOf(row.arn)})`);
      holdWord.hidden = may;
      write.holdWord(may ? '' : row.hold ? 'Held' : '–');
    },
  };
}

function heldText({ hold, since }, at) {
  if (!hold) return '';
  return `${since === undefined ? '' : ' · '}${hold.until === undefined ? 'held' : `held ${shortDuration(hold.until - at)}`}`;
}

/** Buttons are kept: a stream's tags are mostly as many as those of the stream that was here before. */
function fillTags(box, tags) {
  const entries = Object.entries(tags ?? {});
  for (let index = 0; index < 2; index += 1) {
    let button = box.children[index];
    if (!button && entries.length > 0) {
      button = h('button.tag', { type: 'button', 'data-do': 'filter-tag' }, '');
      button.append(document.createTextNode(''));
      box.append(button);
    }
    if (!button) continue;
    const entry = entries[index];
    button.hidden = entry === undefined;
    if (!entry) continue;
    const text = `${entry[0]}=${entry[1]}`;
    button.dataset.text = text;
    button.title = `Show only ${text}`;
    button.lastChild.nodeValue = text;
  }
  let more = box.children[2];
  if (!more && entries.length > 2) {
    more = h('span.dim', {}, ' ');
    box.append(more);
  }
  if (!more) return;
  more.hidden = entries.length <= 2;
  more.textContent = entries.length > 2 ? `+${entries.length - 2}` : '';
  more.title = entries
    .slice(2)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');
}

/** A plan is shown during a pause too, and that the pause holds it back. */
function dueText(leftMs) {
  const when = leftMs > 0 ? `in ${duration(leftMs)}` : 'due now';
  return store.status?.pause ? `${when}, held back by the pause` : when;
}

function nextAction(row, at) {
  if (!row.next) return h('span.dim', {}, '–');
  const { id, text, rule, dueMs } = row.next;
  return [
    h(
      'span.what',
      { title: rule ? `${text} (rule ${rule})` : text },
      h('span', {}, text.replaceAll('_', ' ')),
      dueMs === undefined ? '' : h('b', {}, dueText(dueMs - at)),
    ),
    mayOperate()
      ? h(
          'button.small',
          {
            type: 'button',
            'data-do': 'cancel-next',
            'data-id': id,
            'data-arn': row.arn,
            'aria-label': `Cancel ${text} on ${row.name}`,
          },
          'Cancel',
        )
      : '',
  ];
}
