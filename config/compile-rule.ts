// One rule of the file → one compiled rule, with every reason why it makes no sense.
import {
  type ActionName,
  type ActionParams,
  actionSchemas,
  channelActions,
  destructiveActions,
  type Pattern,
} from '#domain/action.ts';
import { durationMs } from '#domain/duration.ts';
import type { GroupPart, Guards, Matcher, Rule, Step, TimeInterval, Trigger } from '#domain/rule.ts';
import { compileParams } from '#rules/action-template.ts';
import { matcherOf } from '#rules/pattern.ts';
import {
  aggregateFields,
  channelFields,
  envelopeFields,
  problemsOfFields,
  streamFields,
} from '#rules/pattern-fields.ts';
import { momentKinds } from '#rules/rule-index.ts';
import { rootsOf, type TemplateRoot } from '#rules/template-roots.ts';
import { hashOf } from './hash.ts';
import type { Finding, PathPart } from './problem.ts';
import type { ConfigDocument, GuardsDocument, RuleDocument, StepDocument } from './schema.ts';

export interface RuleContext {
  /** The rule's path in the file. */
  readonly path: readonly PathPart[];
  readonly defaults: ConfigDocument['defaults'];
  readonly findings: Finding[];
  intervalOf(name: string, path: readonly PathPart[]): TimeInterval | undefined;
  checkReceiver(name: string, path: readonly PathPart[]): void;
  /** Whether the file has a route for a `notify` without a receiver. */
  readonly hasRoute: boolean;
}

/** In force unless the rule or `defaults` says otherwise. */
export const builtInGuards = {
  cooldown: '5m',
  min_gap: '5m',
  max_event_age: '10m',
  on_data_gap: 'freeze',
  group_by: ['channel'],
} as const satisfies GuardsDocument;

/** Compiles one rule; problems are added to the context's findings. */
export function compileRule(document: RuleDocument, context: RuleContext): Rule {
  const compiler = new RuleCompiler(document, context);
  return compiler.compile();
}

/** Whether an action works on the channel its rule fired for. */
function needsChannel(action: ActionName, params: ActionParams): boolean {
  return channelActions.has(action) && !('targets' in params && params.targets !== undefined);
}

class RuleCompiler {
  readonly #rule: RuleDocument;
  readonly #context: RuleContext;

  constructor(rule: RuleDocument, context: RuleContext) {
    this.#rule = rule;
    this.#context = context;
  }

  compile(): Rule {
    const rule = this.#rule;
    const insertsAds = [...rule.actions, ...(rule.on_resolve ?? [])].some((step) => step.insert_ad_break !== undefined);
    const { min_gap, ...otherGuards } = { ...builtInGuards, ...this.#context.defaults.guards, ...rule.guards };
    const guardsDocument = insertsAds ? { ...otherGuards, min_gap } : otherGuards;
    if (rule.guards?.min_gap !== undefined && !insertsAds)
      this.#error(['guards', 'min_gap'], 'min_gap is for ad breaks, but this rule inserts none');
    const trigger = this.#trigger();
    const isOfFleet = trigger.kind === 'schedule' || (trigger.kind === 'times' && 'daily' in trigger);
    const perChannel = trigger.kind !== 'aggregate' && (!isOfFleet || rule.match !== undefined);
    const roots = rootsOf({ kind: trigger.kind, perChannel });
    this.#checkTiming(trigger, perChannel);
    const steps = (list: 'actions' | 'on_resolve') =>
      (rule[list] ?? []).map((step, index) => this.#step(step, index, [list, index], { roots, perChannel }));
    const actions = steps('actions');
    const onResolve = steps('on_resolve');
    const capped = guardsDocument.max_per_hour !== undefined || guardsDocument.max_live_percent !== undefined;
    const destructive = [...actions, ...onResolve].find((step) => step.destructive);
    if (destructive && !capped) {
      this.#error(
        ['guards'],
        `${destructive.action} cannot be undone: give the rule a cap, max_per_hour or max_live_percent`,
      );
    }
    const mode = rule.mode ?? this.#context.defaults.mode ?? 'dry_run';
    const { match, while: whileSource, for: forText, keep_firing_for: keepText } = rule;
    const intervals = trigger.kind === 'schedule' ? trigger.intervals : [];
    const timing = { forText, keepText, group_by: guardsDocument.group_by };
    const condition = { trigger: rule.trigger, intervals, match, while: whileSource, ...timing };
    return {
      name: rule.name,
      description: rule.description,
      mode,
      trigger,
      match: this.#matcher(match, ['match'], channelFields),
      while: this.#matcher(whileSource, ['while'], streamFields),
      forMs: durationMs(forText ?? '0s'),
      keepFiringForMs: durationMs(keepText ?? '0s'),
      oncePer: rule.once_per,
      actions,
      onResolve,
      guards: this.#guards(guardsDocument, trigger, perChannel),
      hash: hashOf({ ...rule, mode, intervals, guards: guardsDocument }),
      conditionHash: hashOf(condition),
    };
  }

  #error(path: readonly PathPart[], message: string): void {
    this.#context.findings.push({ path: [...this.#context.path, ...path], message, severity: 'error' });
  }

  #matcher(
    source: Pattern | undefined,
    path: readonly PathPart[],
    fields: Parameters<typeof problemsOfFields>[1],
  ): Matcher | undefined {
    if (source === undefined) return undefined;
    for (const problem of problemsOfFields(source, fields)) {
      // What only our tables do not know is left to lint.
      if (problem.severity === 'error') this.#error([...path, ...problem.path], problem.message);
    }
    return matcherOf(source);
  }

  #trigger(): Trigger {
    const { event, state, aggregate, threshold, schedule, key_age: keyAge, http } = this.#rule.trigger;
    if (event) return { kind: 'event', pattern: this.#matcher(event, ['trigger', 'event'], envelopeFields)! };
    if (state) return { kind: 'state', pattern: this.#matcher(state, ['trigger', 'state'], streamFields)! };
    if (aggregate) {
      const { percent_of_live, count, min_live, ...counted } = aggregate;
      return {
        kind: 'aggregate',
        pattern: this.#matcher(definedOnly(counted), ['trigger', 'aggregate'], streamFields)!,
        condition: this.#matcher(definedOnly({ percent_of_live, count }), ['trigger', 'aggregate'], aggregateFields)!,
        minLive: min_live,
      };
    }
    if (threshold) {
      const direction = threshold.rises_to ? 'rises_to' : 'falls_to';
      const values = [...new Set(threshold.rises_to ?? threshold.falls_to)].sort((left, right) => left - right);
      return { kind: 'threshold', field: threshold.field, direction, values };
    }
    if (schedule) {
      const { every, at, location, active_time_intervals: names = [] } = schedule;
      if (every !== undefined) return { kind: 'times', everyMs: durationMs(every) };
      if (at) {
        const minutes = at.map((time) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3)));
        const ascending = [...new Set(minutes)].sort((left, right) => left - right);
        return { kind: 'times', daily: { minutes: ascending, zone: location ?? 'UTC' } };
      }
      const path = ['trigger', 'schedule', 'active_time_intervals'];
      const intervals = names.flatMap(
        (name, index) => this.#context.intervalOf(name, [...this.#context.path, ...path, index]) ?? [],
      );
      return { kind: 'schedule', intervals };
    }
    if (keyAge) return this.#keyAge(keyAge);
    if (!http) throw new RangeError('a trigger without a kind passed the schema');
    return { kind: 'http', name: http.name, body: http.body && matcherOf(http.body) };
  }

  /** For many keys only a minimum age is known, so a rule can only ask for that. */
  #keyAge(members: readonly unknown[]): Trigger {
    const days = members.map((member, index) => {
      const { numeric, ...others } = (member ?? {}) as { readonly numeric?: unknown };
      const [operator, number, ...more] = Array.isArray(numeric) ? (numeric as unknown[]) : [];
      const isOlder = (operator === '>' || operator === '>=') && typeof number === 'number' && number > 0;
      if (isOlder && more.length === 0 && Object.keys(others).length === 0) return number;
      this.#error(['trigger', 'key_age', index], 'expected {numeric: [">", <days>]}: the age of a key is a minimum');
      return 1;
    });
    const ascending = [...new Set(days)].sort((left, right) => left - right);
    return { kind: 'key_age', pattern: matcherOf({ key_age: members }), days: ascending };
  }

  /** Settings that only some triggers can have. */
  #checkTiming(trigger: Trigger, perChannel: boolean): void {
    const rule = this.#rule;
    const momentary = momentKinds.has(trigger.kind) && rule.while === undefined;
    const what = trigger.kind === 'times' ? 'a time of a schedule' : trigger.kind;
    if (momentary && rule.for !== undefined && durationMs(rule.for) > 0) {
      this.#error(['for'], `${what} has no duration: add \`while\`, which says what must stay true`);
    }
    if (
      (momentary || trigger.kind === 'threshold') &&
      rule.on_resolve &&
      durationMs(rule.keep_firing_for ?? '0s') === 0
    ) {
      this.#error(['on_resolve'], `${what} has no end: add \`keep_firing_for\`, which says how long it lasts`);
    }
    if (trigger.kind === 'key_age') {
      const why = 'key_age does not depend on a stream: an action on the key waits for the end of the stream by itself';
      if (rule.while !== undefined) this.#error(['while'], why);
      if (rule.once_per !== undefined) this.#error(['once_per'], why);
    }
    if (!perChannel) {
      const why = trigger.kind === 'schedule' || trigger.kind === 'times' ? ', because it has no `match`' : '';
      if (rule.while !== undefined) this.#error(['while'], `the rule fires for no single channel${why}`);
      if (rule.once_per !== undefined) this.#error(['once_per'], `the rule fires for no single channel${why}`);
    }
  }

  #step(
    document: StepDocument,
    index: number,
    path: readonly PathPart[],
    trigger: { readonly roots: ReadonlySet<TemplateRoot>; readonly perChannel: boolean },
  ): Step {
    const action = Object.keys(document).find((key): key is ActionName => Object.hasOwn(actionSchemas, key))!;
    const params = document[action] as ActionParams;
    const compiled = compileParams(action, params, trigger.roots);
    if (!compiled.ok) {
      for (const problem of compiled.problems) this.#error([...path, action, ...problem.path], problem.message);
    }
    if (!trigger.perChannel && needsChannel(action, params)) {
      const how = action === 'put_metadata' ? ': give it `targets`' : '';
      this.#error([...path, action], `${action} needs a channel, but this rule fires for no single channel${how}`);
    }
    if (document.only_if !== undefined && !trigger.perChannel) {
      this.#error([...path, 'only_if'], 'only_if needs a channel, but this rule fires for no single channel');
    }
    this.#checkParams(action, params, [...path, action]);
    return {
      index,
      action,
      params,
      afterMs: durationMs(document.after ?? '0s'),
      onlyIf: this.#matcher(document.only_if, [...path, 'only_if'], streamFields),
      destructive: destructiveActions.has(action),
      approval: this.#approval(document.approval, [...path, 'approval']),
      render: (context) => (compiled.ok ? compiled.render(context) : { ok: false, problem: 'invalid template' }),
    };
  }

  #approval(document: StepDocument['approval'], path: readonly PathPart[]): Step['approval'] {
    if (!document) return undefined;
    const { by, count, not_by_author: notByAuthor, timeout, show, receiver } = document;
    if (receiver !== undefined) this.#context.checkReceiver(receiver, [...this.#context.path, ...path, 'receiver']);
    return { by, count, notByAuthor, timeoutMs: durationMs(timeout), show, receiver };
  }

  #checkParams(action: ActionName, params: ActionParams, path: readonly PathPart[]): void {
    const has = (key: string) => (params as Record<string, unknown>)[key] !== undefined;
    const text = (key: string) => String((params as Record<string, unknown>)[key]);
    const full = (key: string) => [...this.#context.path, ...path, key];
    if (action === 'report' && has('receiver')) this.#context.checkReceiver(text('receiver'), full('receiver'));
    if (action === 'notify' && has('receiver')) this.#context.checkReceiver(text('receiver'), full('receiver'));
    if (action === 'notify' && !has('receiver') && !this.#context.hasRoute)
      this.#error(path, 'expected a receiver: a notify without one needs a route, and the file has none');
    if (action === 'capture_session' && has('notify')) this.#context.checkReceiver(text('notify'), full('notify'));
    if (action === 'webhook' && has('url') === has('url_file')) {
      this.#error(path, 'expected exactly one of url, url_file');
    }
    if (action === 'tag' && !has('set') && !has('remove')) this.#error(path, 'expected set, remove or both');
    if (action === 'emit_event' && has('source') && text('source').startsWith('aws.')) {
      this.#error([...path, 'source'], 'sources that start with aws. are reserved by AWS');
    }
  }

  #guards(document: GuardsDocument, trigger: Trigger, perChannel: boolean): Guards {
    const groupBy = (document.group_by ?? builtInGuards.group_by).map((part, index) =>
      this.#groupPart(part, index, { trigger, perChannel }),
    );
    return {
      cooldownMs: durationMs(document.cooldown ?? builtInGuards.cooldown),
      maxPerHour: document.max_per_hour,
      maxEventAgeMs: durationMs(document.max_event_age ?? builtInGuards.max_event_age),
      maxLivePercent: document.max_live_percent,
      groupBy,
      onDataGap: document.on_data_gap ?? builtInGuards.on_data_gap,
      minGapMs: document.min_gap === undefined ? undefined : durationMs(document.min_gap),
    };
  }

  #groupPart(
    text: string,
    index: number,
    { trigger, perChannel }: { trigger: Trigger; perChannel: boolean },
  ): GroupPart {
    if (text === 'channel') return { kind: 'channel' };
    if (text.startsWith('tags.') && text.length > 5) {
      if (!perChannel && this.#rule.guards?.group_by !== undefined)
        this.#error(
          ['guards', 'group_by', index],
          'the rule fires for no single channel, so there is no tag to group by',
        );
      return { kind: 'tag', tag: text.slice(5) };
    }
    const path = text.split('.');
    const [top = ''] = path;
    if (trigger.kind !== 'event') {
      this.#error(
        ['guards', 'group_by', index],
        `expected channel or tags.<key>; ${text} could only be a field of an event`,
      );
    } else if (!Object.hasOwn(envelopeFields, top) || path.includes('')) {
      this.#error(
        ['guards', 'group_by', index],
        'expected channel, tags.<key>, or a field of the event such as detail.limit_name',
      );
    }
    return { kind: 'event', path };
  }
}

function definedOnly(object: Readonly<Record<string, unknown>>): Pattern {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
