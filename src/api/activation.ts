// What activating a standby will cause, in sentences: shown before somebody activates it, from what is known here.
import { pausesOf, silencesInForce } from '#domain/controls-in-force.ts';
import { callerText } from '#domain/person.ts';
import type { Ruleset } from '#domain/rule.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { waitingApprovals } from '#rules/approvals.ts';

/** One account of a standby. */
export interface StandbyShard {
  readonly name: string;
  readonly region: string;
  /** The process started as a standby, and nobody has activated it. */
  readonly standsBy: boolean;
  readonly state: SharedState;
  readonly ruleset: Ruleset;
  /** How its event queue is identified, its own or a shared one; undefined: it has none. */
  readonly queueKey: string | undefined;
}

/** At most this many rules are named. */
const mostNamed = 10;

/**
 * What happens as soon as these accounts are activated, in the order in which a person should read it.
 * @param elsewhere names of the accounts that other processes of the deployment carry
 */
export function effectsOf(shards: readonly StandbyShard[], elsewhere: readonly string[] = []): string[] {
  return [
    'Make sure first that the other deployment is stopped: two that share no Redis act twice, and neither knows of the other’s calls.',
    ...shards.map(workOf),
    ...(elsewhere.length === 0
      ? []
      : [`The same for what other processes of this deployment carry: ${elsewhere.join(', ')}.`]),
    rulesText(shards[0]?.ruleset),
    controlsText(shards),
    ...waitingText(shards),
    'Nothing acts before the first complete poll.',
  ];
}

function workOf({ name, region, queueKey }: StandbyShard): string {
  return queueKey !== undefined
    ? `Account ${name} (${region}): polls streams and channels, reads the event queue, works jobs, delivers metadata.`
    : `Account ${name} (${region}): polls streams and channels, works jobs, delivers metadata. It has no event queue.`;
}

function rulesText(ruleset: Ruleset | undefined): string {
  const rules = ruleset?.rules ?? [];
  const acting = rules.filter(({ mode }) => mode === 'enforce').map(({ name }) => name);
  const recording = rules.filter(({ mode }) => mode === 'dry_run').length;
  const more = acting.length > mostNamed ? ` and ${acting.length - mostNamed} more` : '';
  const names = acting.length === 0 ? '' : `: ${acting.slice(0, mostNamed).join(', ')}${more}`;
  return `${counted(acting.length, 'rule')} in mode enforce${names}; ${recording} in mode dry_run.`;
}

function controlsText(shards: readonly StandbyShard[]): string {
  const holds = sum(shards, ({ state }) => state.view.count(kinds.hold));
  // Silences apply to every account.
  const silences = Math.max(0, ...shards.map(({ state }) => silencesInForce(state.view, state.nowMs()).length));
  const [pause] = shards.flatMap(({ state }) => pausesOf(state.view));
  const known = `Known here: ${counted(holds, 'hold')}, ${counted(silences, 'silence')}. Those of the other deployment are not, unless its Redis was taken over.`;
  return pause === undefined
    ? `Automation is not paused: rules act at once. Pause it first if you need time for holds and silences. ${known}`
    : `All automation stays paused (${callerText(pause.who)}: ${pause.reason}) until it is resumed. ${known}`;
}

/** Work that was left here earlier, or that came with a Redis that was taken over. */
function waitingText(shards: readonly StandbyShard[]): string[] {
  const waiting = [
    ['job', sum(shards, ({ state }) => state.view.count(kinds.job))],
    ['timer', sum(shards, ({ state }) => state.view.count(kinds.timer))],
    ['approval', sum(shards, ({ state }) => waitingApprovals(state.view).length)],
    ['deferred action', sum(shards, ({ state }) => state.view.count(kinds.intent))],
  ] as const;
  const found = waiting.filter(([, count]) => count > 0).map(([noun, count]) => counted(count, noun));
  return found.length === 0 ? [] : [`Found in this Redis, and continued: ${found.join(', ')}.`];
}

function sum(shards: readonly StandbyShard[], of: (shard: StandbyShard) => number): number {
  return shards.reduce((total, shard) => total + of(shard), 0);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
