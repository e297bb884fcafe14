// Silences and inhibitions: which single actions of a decision are held back, and by what. Both match labels, as in Alertmanager.
import type { Silence } from '#domain/control.ts';
import { silencesInForce } from '#domain/controls-in-force.ts';
import type { Values } from '#domain/decision.ts';
import type { LabelMatcher, Labels } from '#domain/labels.ts';
import type { InhibitRule, Rule } from '#domain/rule.ts';
import type { RuleMemory } from '#domain/rule-memory.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import { channelView } from './channel-view.ts';
import { labelsOf, matchesLabels, parseLabelMatcher } from './label-matcher.ts';
import { channelOfSubject, memoriesOf } from './memory.ts';
import { mayMatch, type RuleIndex } from './rule-index.ts';

export interface Muted {
  readonly reason: 'silenced' | 'inhibited';
  readonly values: Values;
  /** The rule that inhibits. */
  readonly source?: string;
}

interface Source {
  readonly rule: string;
  readonly subject: string;
  readonly mode: Rule['mode'];
  readonly labels: Labels;
}

/** The silence that holds back this action of a rule on a channel, outside of a transaction. */
export function silenceOf(
  view: StateView,
  nowMs: number,
  { rule, action, channelArn }: { readonly rule: string; readonly action: string; readonly channelArn: string },
): { readonly id: string; readonly author: string; readonly reason: string } | undefined {
  const inForce = silencesInForce(view, nowMs);
  if (inForce.length === 0) return undefined;
  const { channel } = channelView(view, channelArn, nowMs);
  const labels = { ...labelsOf({ rule, group: channelArn, channel }), action };
  const [id, silence] = inForce.find(([, each]) => matchesAny(compiledMatchers(each), labels)) ?? [];
  return id === undefined || !silence ? undefined : { id, author: silence.author, reason: silence.reason };
}

/** Whether a silence in force holds back notifications with these labels. */
export function isSilenced(view: StateView, nowMs: number, labels: Labels): boolean {
  const inForce = silencesInForce(view, nowMs);
  if (inForce.length === 0) return false;
  const told = { ...labels, action: 'notify' };
  return inForce.some(([, silence]) => matchesAny(compiledMatchers(silence), told));
}

/** A silence whose matchers cannot be read matches nothing. */
function matchesAny(matchers: readonly LabelMatcher[], labels: Labels): boolean {
  return matchers.length > 0 && matchesLabels(matchers, labels);
}

/** Built once for a transaction; knows the sources that fire at its first use, and those added afterwards. */
export class Muting {
  readonly #tx: Transaction;
  readonly #index: RuleIndex;
  readonly #inhibitRules: readonly InhibitRule[];
  #silences: readonly { id: string; silence: Silence; matchers: readonly LabelMatcher[] }[] | undefined;
  /** For each inhibit rule, the firing sources by the values of its `equal` labels. */
  #sources: Map<string, Source[]>[] | undefined;

  constructor({
    tx,
    index,
    inhibitRules,
  }: { tx: Transaction; index: RuleIndex; inhibitRules: readonly InhibitRule[] }) {
    this.#tx = tx;
    this.#index = index;
    this.#inhibitRules = inhibitRules;
  }

  /** What holds back this action of the rule, if anything does. */
  check(rule: Rule, labels: Labels, action: string): Muted | undefined {
    return this.#silencedBy({ ...labels, action }) ?? this.#inhibitedBy(rule, { ...labels, action });
  }

  /** A moment acted within this transaction: it inhibits what is judged after it. */
  addSource(rule: Rule, subject: string, group: string): void {
    if (this.#inhibitRules.length === 0) return;
    this.#addSource((this.#sources ??= this.#findSources()), rule, subject, group);
  }

  #silencedBy(labels: Labels): Muted | undefined {
    this.#silences ??= silencesInForce(this.#tx, this.#tx.nowMs).map(([id, silence]) => ({
      id,
      silence,
      matchers: compiledMatchers(silence),
    }));
    const found = this.#silences.find(({ matchers }) => matchesAny(matchers, labels));
    if (!found) return undefined;
    const { author, reason, endsMs } = found.silence;
    return {
      reason: 'silenced',
      values: { silence: found.id, author, reason, until: new Date(endsMs).toISOString() },
    };
  }

  #inhibitedBy(target: Rule, labels: Labels): Muted | undefined {
    for (const [place, inhibit] of this.#inhibitRules.entries()) {
      if (!matchesLabels(inhibit.target, labels)) continue;
      this.#sources ??= this.#findSources();
      const source = this.#sources[place]!.get(equalKey(inhibit, labels))?.find(
        // A rule in dry run only records: it holds back nothing that is in force. And nothing inhibits itself.
        ({ rule, mode }) => rule !== target.name && (mode === 'enforce' || target.mode === 'dry_run'),
      );
      if (source) {
        const values = { by: source.rule, subject: source.subject, inhibitRule: place };
        return { reason: 'inhibited', values, source: source.rule };
      }
    }
    return undefined;
  }

  #findSources(): Map<string, Source[]>[] {
    const found = this.#inhibitRules.map(() => new Map<string, Source[]>());
    const candidates = new Set(
      this.#inhibitRules.flatMap(({ source }) =>
        [...this.#index.byName.values()].filter((rule) => mayMatch(source, rule)),
      ),
    );
    const names = new Set(Array.from(candidates, ({ name }) => name));
    for (const [, memory] of Array.from(names, (name) => [...memoriesOf(this.#tx, 'firing', name)]).flat()) {
      const rule = this.#index.byName.get(memory.rule)!;
      if (rule.conditionHash === memory.conditionHash)
        this.#addSource(found, rule, memory.subject, groupOfMemory(memory));
    }
    return found;
  }

  #addSource(found: Map<string, Source[]>[], rule: Rule, subject: string, group: string): void {
    const arn = channelOfSubject(subject);
    const channel = arn === undefined ? undefined : channelView(this.#tx, arn, this.#tx.nowMs).channel;
    const labels = labelsOf({ rule: rule.name, group, channel });
    for (const [place, inhibit] of this.#inhibitRules.entries()) {
      if (!fires(inhibit.source, rule, labels)) continue;
      const key = equalKey(inhibit, labels);
      const sources = found[place]!.get(key) ?? [];
      sources.push({ rule: rule.name, subject, mode: rule.mode, labels });
      found[place]!.set(key, sources);
    }
  }
}

function fires(matchers: readonly LabelMatcher[], rule: Rule, labels: Labels): boolean {
  if (!matchers.some(({ label }) => label === 'action')) return matchesLabels(matchers, labels);
  return rule.actions.some(({ action }) => matchesLabels(matchers, { ...labels, action }));
}

function equalKey({ equal }: InhibitRule, labels: Labels): string {
  return JSON.stringify(equal.map((label) => labels[label] ?? ''));
}

function groupOfMemory(memory: RuleMemory): string {
  return memory.subject.startsWith('group:') ? memory.subject.slice('group:'.length) : memory.subject;
}

const compiledSilences = new WeakMap<Silence, readonly LabelMatcher[]>();

/**
 * A silence's matchers, the cheap ones first. One that does not parse was valid in an earlier version: it counts as matching, so that the
 * silence holds back at least what it did before.
 */
function compiledMatchers(silence: Silence): readonly LabelMatcher[] {
  let matchers = compiledSilences.get(silence);
  if (!matchers) {
    matchers = silence.matchers.map(matcherOf).sort((left, right) => left.size - right.size);
    compiledSilences.set(silence, matchers);
  }
  return matchers;
}

/** The cost of the silence's regular expressions. */
export function stepsOf(silence: Silence): number {
  return compiledMatchers(silence).reduce((sum, { size }) => sum + size, 0);
}

function matcherOf(text: string): LabelMatcher {
  const parsed = parseLabelMatcher(text);
  return parsed.ok ? parsed.matcher : { label: '', op: '=', value: text, size: 0, test: () => true };
}
