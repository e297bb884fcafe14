// The rules: what each does in a sentence, what it is doing now, and what it did in the last day.
import { api } from '../api.js';
import { h, render } from '../dom.js';
import { count, duration } from '../format.js';
import { glyph, outcome } from '../glyphs.js';
import { mayOperate, now, store } from '../store.js';

const modes = { enforce: 'Enforcing', dry_run: 'Dry run', off: 'Off' };

export function mount(root) {
  const more = {};
  let gone = false;
  const load = async () => {
    try {
      const { rules } = await api('GET', '/v1/rules');
      for (const rule of rules) more[rule.name] = { ...more[rule.name], ...rule };
      draw();
      // The last day is counted for one rule at a time.
      for (const { name } of rules.slice(0, 60)) {
        more[name] = await api('GET', `/v1/rules/${encodeURIComponent(name)}`);
        if (gone) return;
        draw();
      }
    } catch {
      // The live part of the page stands by itself.
    }
  };
  const draw = () => render(root, view(more));
  draw();
  void load();
  const refresh = setInterval(load, 60_000);
  const second = setInterval(draw, 1000);
  return {
    update: draw,
    destroy() {
      gone = true;
      clearInterval(refresh);
      clearInterval(second);
    },
  };
}

function view(more) {
  const rules = store.status?.rules ?? [];
  const config = store.status?.config;
  return h(
    'div.page',
    {},
    h(
      'div.split.wrap',
      {},
      h('h1', {}, 'Rules'),
      mayOperate() ? h('button', { type: 'button', 'data-do': 'reload' }, 'Reload configuration') : '',
    ),
    config
      ? h(
          'p.dim',
          {},
          'Configuration ',
          h('code', {}, config.hash.slice(0, 12)),
          `, loaded ${duration(now() - config.loadedAtMs)} ago`,
        )
      : '',
    config?.error
      ? h(
          'p.problem',
          { role: 'alert' },
          `The file on disk is not valid, so the configuration above stays in force: ${config.error}`,
        )
      : '',
    rules.length === 0
      ? h('div.empty', {}, h('h2', {}, 'No rules'), h('p', {}, 'The configuration names none.'))
      : h(
          'div.cards',
          {},
          rules.map((rule) => card(rule, more[rule.name])),
        ),
  );
}

function card(rule, more) {
  return h(
    'section.panel.rule',
    { 'data-key': rule.name, 'aria-label': `Rule ${rule.name}`, class: rule.capped ? 'critical' : '' },
    h('div.split', {}, h('h2', {}, rule.name), h('span.chip', { class: `mode ${rule.mode}` }, modes[rule.mode])),
    rule.description ? h('p', {}, rule.description) : '',
    h('p', { class: rule.description ? 'dim' : '' }, rule.sentence ?? ''),
    h('p.doing', {}, doing(rule)),
    lastDay(more),
    h(
      'p.links',
      {},
      h('a', { href: `#/decisions?rule=${encodeURIComponent(rule.name)}` }, 'Decisions'),
      rule.capped && mayOperate()
        ? h('button.small', { type: 'button', 'data-do': 'reset-rule', 'data-rule': rule.name }, 'Start again')
        : '',
    ),
  );
}

function doing(rule) {
  const at = now();
  const parts = [];
  if (rule.mode === 'off') return h('span.part', {}, glyph('ended'), 'Off');
  if (rule.capped) parts.push([glyph('failed'), h('b', {}, 'Capped: '), 'stopped until a person starts it again']);
  if (rule.firing > 0) parts.push([glyph('firing'), h('b', {}, `Firing for ${count(rule.firing)}`)]);
  if (rule.pending > 0) {
    const held = Math.min(rule.forMs, at - (rule.pendingSinceMs ?? at));
    parts.push([
      glyph('waiting'),
      h('b', {}, 'Pending '),
      `${duration(held)} of ${duration(rule.forMs)}${rule.pending > 1 ? `, ${count(rule.pending)} in all` : ''}`,
    ]);
  }
  if (rule.cooling > 0)
    parts.push([
      glyph('pause'),
      `Cooling ${count(rule.cooling)}, ${duration((rule.coolingUntilMs ?? at) - at)} at most`,
    ]);
  return parts.length === 0
    ? h('span.part', {}, glyph('healthy'), 'Idle')
    : parts.map((part) => h('span.part', {}, part));
}

function lastDay(more) {
  const counts = more?.last24h;
  if (!counts) return '';
  const entries = Object.entries(counts).filter(([, value]) => typeof value === 'number' && value > 0);
  if (entries.length === 0) return h('p.dim', {}, 'Nothing decided in the last 24 hours.');
  return h(
    'p.chips',
    {},
    h('span.dim', {}, 'Last 24 hours'),
    entries.map(([name, value]) => outcome(name, value)),
  );
}
