// `/v1/rules` and `/v1/incidents`: what each rule does and is doing, what its cap has stopped, and what affects many channels together.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { RuleAlert } from '#domain/alert.ts';
import type { Control } from '#domain/control.ts';
import { decisionOutcomes } from '#domain/decision.ts';
import { iso } from '#domain/duration.ts';
import { notFound } from '#domain/not-found.ts';
import { type Rule, ruleModes } from '#domain/rule.ts';
import type { StateView } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { type DecisionRow, queryDecisions } from '#journal/query.ts';
import { restartRule } from '#rules/controls.ts';
import { listIncidents } from '#rules/incidents.ts';
import { hasActed, ruleMemories, withheldMoments } from '#rules/memory.ts';
import { actorOf } from '../auth.ts';
import { askEach, Reach, unaskedField, unaskedOf } from '../reach.ts';
import { type RuleShards, ruleNamed } from '../rule-lookup.ts';

const time = z.iso.datetime();
const count = z.number().int();
const tags = ['Rules'];
const dayMs = 86_400_000;
/** Most decisions that are counted for one account. */
const mostDecisions = 10_000;
const mostNewest = 10;

const alert = z.object({ since: time, text: z.string() });
const wouldHave = z.object({
  times: count.describe('How often, on all channels together'),
  actions: z.record(z.string(), count).describe('By action'),
  heldBack: z.record(z.string(), count).describe('How often a guard would have held it back, by the reason'),
  newest: z
    .array(
      z.object({
        decisionId: z.string(),
        at: time,
        channelArn: z.string().optional(),
        channelName: z.string().optional(),
        count: count.describe('On how many channels at that moment'),
        actions: z.array(z.string()),
      }),
    )
    .describe('At most 10'),
  partial: z.boolean().describe('Part of the journal was not searched'),
});

const rule = z.object({
  name: z.string(),
  description: z.string().optional(),
  mode: z.enum(ruleModes),
  trigger: z.string(),
  actions: z.array(z.string()),
  onResolve: z.array(z.string()),
  hash: z.string(),
  waiting: count.describe('Channels (or groups) for which `for` runs'),
  firing: count.describe('Channels (or groups) whose condition has lasted and that the rule has acted on'),
  heldBack: count.describe('Channels (or groups) whose condition has lasted but that a guard holds back'),
  stopped: alert.optional().describe('By max_live_percent; POST …/reset starts it again'),
  rateReached: alert.optional().describe('It has reached max_per_hour'),
  items: z
    .record(z.string(), count)
    .optional()
    .describe('Metadata items that it sent, by their result on each channel'),
  last24h: z
    .record(z.enum(decisionOutcomes), count)
    .optional()
    .describe('Decisions by outcome; only for a single rule'),
  wouldHave: wouldHave
    .optional()
    .describe('What a rule in dry run would have done in the last 24 hours, from the journal; only for a single rule'),
  patch: z
    .object({
      file: z.string(),
      line: count.describe('Line that changes, from 1'),
      text: z.string().describe('A unified diff, for `patch -p1` or `git apply`'),
    })
    .optional()
    .describe('Changes a rule from dry run to enforce. Absent if no single line of the file sets its mode'),
});

const incident = z.object({
  id: z.string(),
  kind: z.enum(['aggregate', 'cap']),
  rule: z.string(),
  openedAt: time,
  closedAt: time.optional(),
  affected: count,
  peak: count,
  live: count,
  withheld: count.describe('Actions that were held back because of it'),
  text: z.string(),
});

export interface RuleRoutesOptions {
  readonly shards: RuleShards;
  /** The change of the file that sets a rule to enforce, if there is one. */
  readonly patchOf?: (
    rule: string,
  ) => { readonly file: string; readonly line: number; readonly text: string } | undefined;
  /** Called for each committed control. */
  readonly onControl?: ((control: Control) => void) | undefined;
}

export function ruleRoutes({ shards, patchOf = () => undefined, onControl }: RuleRoutesOptions): FastifyPluginAsyncZod {
  const ruleOf = (name: string): Rule => ruleNamed(shards.first.ruleset, name);
  const views = () => shards.all.map(({ state }) => state.view);
  const reach = new Reach(shards);
  const params = z.strictObject({ rule: z.string().min(1).max(200) });
  return async (app) => {
    app.get(
      '/rules',
      {
        schema: {
          operationId: 'listRules',
          summary: 'List the rules in force and what they are doing',
          tags,
          querystring: z.strictObject({}),
          response: { 200: z.object({ hash: z.string(), rules: z.array(rule) }) },
        },
      },
      async () => {
        const { hash, rules } = shards.first.ruleset;
        const doing = countMemories(views());
        return { hash, rules: rules.map((one) => shown(one, views(), doing)) };
      },
    );
    app.get(
      '/rules/:rule',
      {
        schema: {
          operationId: 'getRule',
          summary: 'Show one rule, with its decisions of the last 24 hours',
          tags,
          params,
          querystring: z.strictObject({}),
          response: { 200: rule },
        },
      },
      async ({ params: { rule: name } }) => {
        const one = ruleOf(name);
        const last24h = Object.fromEntries(decisionOutcomes.map((outcome) => [outcome, 0])) as Record<
          (typeof decisionOutcomes)[number],
          number
        >;
        const rows: DecisionRow[] = [];
        let partial = false;
        for (const { state } of shards.all) {
          const filter = { rule: name, sinceMs: state.nowMs() - dayMs, limit: mostDecisions };
          const { decisions, truncated } = await queryDecisions(state, filter);
          partial ||= truncated || decisions.length === mostDecisions;
          rows.push(...decisions);
        }
        for (const row of rows) last24h[row.outcome] += row.count;
        const dryRun = one.mode === 'dry_run';
        const patch = dryRun ? patchOf(name) : undefined;
        return {
          ...shown(one, views(), countMemories(views())),
          last24h,
          ...(dryRun ? { wouldHave: { ...wouldHaveDone(rows), partial } } : {}),
          ...(patch ? { patch } : {}),
        };
      },
    );
    app.post(
      '/rules/:rule/reset',
      {
        schema: {
          operationId: 'resetRule',
          summary: 'Start a rule again that max_live_percent has stopped',
          tags,
          params,
          body: z.strictObject({ reason: z.string().min(1).max(500).optional() }).optional(),
          response: { 200: z.object({ restarted: z.literal(true) }) },
        },
      },
      async ({ params: { rule: name }, body, caller }) => {
        ruleOf(name);
        const by = { rule: name, who: actorOf(caller), reason: body?.reason ?? 'reset' };
        const { found } = await askEach(reach.all, (shard) => shard.transact((tx) => restartRule(tx, by)));
        if (!found.some(({ value }) => value)) throw notFound('stopped_rule', `the rule ${name} is not stopped`);
        onControl?.({ kind: 'restart_rule', ...by });
        return { restarted: true as const };
      },
    );
    app.get(
      '/incidents',
      {
        schema: {
          operationId: 'listIncidents',
          summary: 'List incidents, the open ones first',
          tags,
          querystring: z.strictObject({}),
          response: { 200: z.object({ incidents: z.array(incident), unasked: unaskedField }) },
        },
      },
      async () => {
        const answers = await askEach(reach.all, (shard) => shard.read(({ view }) => listIncidents(view)));
        return {
          incidents: answers.found
            .flatMap(({ value }) => value)
            .map(({ openedAtMs, closedAtMs, ...rest }) => ({
              ...rest,
              openedAt: iso(openedAtMs),
              ...(closedAtMs === undefined ? {} : { closedAt: iso(closedAtMs) }),
            })),
          ...unaskedOf(answers),
        };
      },
    );
  };
}

/** What a rule in dry run would have done, from these decisions. */
function wouldHaveDone(rows: readonly DecisionRow[]): Omit<z.infer<typeof wouldHave>, 'partial'> {
  const acted = rows.filter(({ outcome }) => outcome === 'would_act').toSorted((a, b) => b.atMs - a.atMs);
  const actions: Record<string, number> = {};
  const heldBack: Record<string, number> = {};
  for (const { jobs, count: channels } of acted)
    for (const { action } of jobs) actions[action] = (actions[action] ?? 0) + channels;
  for (const { outcome, reason, count: channels } of rows)
    if (outcome === 'suppressed') heldBack[reason] = (heldBack[reason] ?? 0) + channels;
  return {
    times: acted.reduce((sum, row) => sum + row.count, 0),
    actions,
    heldBack,
    newest: acted.slice(0, mostNewest).map(({ id, atMs, channelArn, channelName, count: channels, jobs }) => ({
      decisionId: id,
      at: iso(atMs),
      ...(channelArn === undefined ? {} : { channelArn }),
      ...(channelName === undefined ? {} : { channelName }),
      count: channels,
      actions: jobs.map(({ action }) => action),
    })),
  };
}

interface Counts {
  waiting: number;
  firing: number;
  heldBack: number;
}
type Doing = ReadonlyMap<string, Readonly<Counts>>;
const none: Readonly<Counts> = { waiting: 0, firing: 0, heldBack: 0 };

/** Reads all rule memories once, for all rules. */
function countMemories(views: readonly StateView[]): Doing {
  const doing = new Map<string, Counts>();
  for (const view of views) {
    for (const [, memory] of ruleMemories(view)) {
      const { rule: name, pending, firing } = memory;
      const own = { ...(doing.get(name) ?? none) };
      if (pending) own.waiting += 1;
      if (firing) own[hasActed(memory) ? 'firing' : 'heldBack'] += 1;
      doing.set(name, own);
    }
    for (const { rule: name } of withheldMoments(view)) {
      const own = doing.get(name) ?? none;
      doing.set(name, { ...own, waiting: own.waiting + 1 });
    }
  }
  return doing;
}

function shown(one: Rule, views: readonly StateView[], doing: Doing): z.infer<typeof rule> {
  const alertOf = (kind: RuleAlert['kind']) => {
    const found = views
      .map((view) => view.get(kinds.alert.of(kind, one.name)))
      .find((candidate) => candidate?.ruleHash === one.hash);
    return found && { since: iso(found.sinceMs), text: found.text };
  };
  const [stopped, rateReached] = [alertOf('cap'), alertOf('rate')];
  const items: Record<string, number> = {};
  for (const view of views)
    for (const [end, n] of Object.entries(view.get(kinds.items.of(one.name)) ?? {})) items[end] = (items[end] ?? 0) + n;
  return {
    name: one.name,
    ...(one.description === undefined ? {} : { description: one.description }),
    mode: one.mode,
    trigger: one.trigger.kind,
    actions: one.actions.map(({ action }) => action),
    onResolve: one.onResolve.map(({ action }) => action),
    hash: one.hash,
    ...(doing.get(one.name) ?? none),
    ...(Object.keys(items).length > 0 ? { items } : {}),
    ...(stopped ? { stopped } : {}),
    ...(rateReached ? { rateReached } : {}),
  };
}
