// The cost of the rules engine on one core, in memory (no Redis): observations per second with 200 rules over 10,000 live channels, and how
// long it takes to decide when all of them starve at once.
import { parseConfig } from '#config/load.ts';
import type { Channel, ChannelArn, StreamHealth } from '#domain/channel.ts';
import type { Ruleset } from '#domain/rule.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import type { StreamChange, StreamRecord } from '#domain/stream-record.ts';
import { decideAll, decideDue, nextDueMs } from '#rules/decide.ts';
import { MemoryState } from '#store/memory-state.ts';
import { foldStream } from '#test/support/stream-fold.ts';

/** Changes that share one commit, as src/streams splits a sweep. */
const pieceSize = 500;
const startMs = Date.UTC(2026, 10, 20, 12);

const arnOf = (index: number) =>
  `arn:aws:ivs:us-west-2:111122223333:channel/c${String(index).padStart(11, '0')}` as ChannelArn;

/** A mixed file: most rules look at states, each at a tag of its own, as teams write them. */
function rulesFile(count: number): string {
  const rules = [
    `- {name: mass, mode: enforce, trigger: {aggregate: {health: [STARVING], percent_of_live: [{numeric: [">=", 30]}], min_live: 10}}, actions: [{emit_event: {detail_type: mass, detail: {}}}]}`,
    `- {name: slate, mode: enforce, trigger: {state: {health: [STARVING]}}, for: 30s, actions: [{put_metadata: {payload: slate}}, {after: 3m, stop_stream: {}}], guards: {max_live_percent: 5}}`,
  ];
  for (let index = rules.length; index < count; index += 1) {
    const tag = `match: {tags: {team: [t${index % 50}]}}`;
    const actions = 'actions: [{put_metadata: {payload: x}}]';
    const kind = index % 4;
    if (kind === 0)
      rules.push(
        `- {name: r${index}, trigger: {state: {health: [STARVING], viewerCount: [{numeric: [">", ${index}]}]}}, ${tag}, for: 1m, ${actions}}`,
      );
    else if (kind === 1)
      rules.push(
        `- {name: r${index}, trigger: {threshold: {field: viewerCount, rises_to: [${1000 + index}]}}, ${tag}, ${actions}}`,
      );
    else if (kind === 2) rules.push(`- {name: r${index}, trigger: {state: {live: [true]}}, ${tag}, ${actions}}`);
    else
      rules.push(
        `- {name: r${index}, trigger: {event: {detail-type: [IVS Stream State Change], detail: {event_name: [Stream End]}}}, ${tag}, while: {live: [false]}, for: 1m, ${actions}}`,
      );
  }
  return `version: 1\ninhibit_rules: [{source_matchers: ['rule="mass"'], target_matchers: ['action="put_metadata"']}]\nrules:\n${rules.map((rule) => `  ${rule}`).join('\n')}\n`;
}

function compile(count: number): Ruleset {
  const result = parseConfig(rulesFile(count), 'bench.yaml');
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.config.ruleset;
}

class Fleet {
  nowMs = startMs;
  readonly state = new MemoryState({ now: () => this.nowMs });
  readonly #ruleset: Ruleset;
  decided = 0;
  jobs = 0;

  constructor(ruleset: Ruleset) {
    this.#ruleset = ruleset;
  }

  async transact(body: (tx: Transaction) => readonly unknown[]): Promise<void> {
    this.decided += (await this.state.transact(body)).length;
    const taken = Array.from(this.state.view.entries(kinds.job), ([id]) => id);
    this.jobs += taken.length;
    if (taken.length > 0) await this.state.transact((tx) => taken.forEach((id) => tx.delete(kinds.job.of(id))));
  }

  async observe(from: number, to: number, change: (index: number) => Partial<StreamRecord>): Promise<void> {
    await this.transact((tx) => {
      const changes: StreamChange[] = [];
      for (let index = from; index < to; index += 1) changes.push(foldStream(tx, arnOf(index), change(index)));
      return decideAll(tx, changes, this.#ruleset);
    });
  }

  async observeAll(count: number, change: (index: number) => Partial<StreamRecord>): Promise<void> {
    for (let from = 0; from < count; from += pieceSize)
      await this.observe(from, Math.min(count, from + pieceSize), change);
  }

  async due(): Promise<number> {
    let rounds = 0;
    do {
      await this.transact((tx) => decideDue(tx, this.#ruleset));
      rounds += 1;
    } while ((nextDueMs(this.state.view) ?? Number.POSITIVE_INFINITY) <= this.nowMs);
    return rounds;
  }

  async inventory(count: number): Promise<void> {
    for (let from = 0; from < count; from += pieceSize) {
      await this.transact((tx) => {
        const channelArns: ChannelArn[] = [];
        for (let index = from; index < Math.min(count, from + pieceSize); index += 1) {
          const arn = arnOf(index);
          const tags = { team: `t${index % 50}`, tier: 'gold' };
          const channel: Channel = {
            arn,
            name: `show-${index}`,
            type: 'STANDARD',
            latencyMode: 'LOW',
            recordingConfigurationArn: '',
            tags,
          };
          tx.set(kinds.channel.of(arn), channel);
          channelArns.push(arn);
        }
        return decideAll(tx, [{ kind: 'inventory', channelArns, atMs: this.nowMs }], this.#ruleset);
      });
    }
  }
}

/** Prints observations per second, and the time to decide when every channel starves at once. `--rules`, `--channels`: how many. */
export async function run(args: readonly string[]): Promise<void> {
  const option = (name: string, fallback: number) => {
    const at = args.indexOf(`--${name}`);
    return at < 0 ? fallback : Number(args[at + 1]);
  };
  const [rules, channels] = [option('rules', 200), option('channels', 10_000)];
  const fleet = new Fleet(compile(rules));
  await fleet.inventory(channels);
  await fleet.observeAll(channels, () => ({ viewerCount: 10 }));
  fleet.nowMs += 10_000;
  await fleet.due();

  const passes = 3;
  const counts = await timed(async () => {
    for (let pass = 0; pass < passes; pass += 1) {
      fleet.nowMs += 10_000;
      await fleet.observeAll(channels, (index) => ({ viewerCount: 10 + ((index + pass) % 900) }));
    }
  });
  const perSecond = Math.round((passes * channels * 1000) / counts.cpuMs);
  const nothing = await timed(async () => {
    for (let times = 0; times < 10; times += 1) await fleet.due();
  });

  fleet.nowMs += 10_000;
  const before = { decided: fleet.decided, jobs: fleet.jobs, heap: heapMb() };
  const starve = await timed(() => fleet.observeAll(channels, () => ({ health: 'STARVING' satisfies StreamHealth })));
  const atOnce = fleet.decided - before.decided;
  const states =
    fleet.state.view.count(kinds.ruleMemory) + fleet.state.view.count(kinds.timer) + fleet.state.view.count(kinds.last);
  fleet.nowMs += 30_000;
  const cap = await timed(() => fleet.due());
  const heap = heapMb();

  console.log(`rules                              ${rules}`);
  console.log(`live channels                      ${channels}`);
  console.log(`observations (new viewer counts)   ${perSecond.toLocaleString('en')} per second on one core`);
  console.log(`a tick with nothing due            ${(nothing.cpuMs / 10).toFixed(1)} ms`);
  console.log(
    `all starve at once: decided in     ${starve.text} (${atOnce.toLocaleString('en')} decisions, incident open: ${incidentOpen(fleet)})`,
  );
  console.log(
    `30 s later, the capped rule: in    ${cap.text} (jobs since: ${fleet.jobs - before.jobs}, stopped by its cap: ${fleet.state.view.get(kinds.alert.of('cap', 'slate')) !== undefined})`,
  );
  console.log(`rule memories and timers                ${states.toLocaleString('en')}`);
  console.log(`heap before and after              ${before.heap} MB, ${heap} MB`);
}

function incidentOpen({ state }: Fleet): boolean {
  return Array.from(state.view.entries(kinds.incident)).some(([, { closedAtMs }]) => closedAtMs === undefined);
}

/** CPU time, which other work on the machine does not affect, and wall-clock time. */
async function timed(work: () => Promise<unknown>): Promise<{ readonly cpuMs: number; readonly text: string }> {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  const cpuMs = (user + system) / 1000;
  return {
    cpuMs,
    text: `${cpuMs.toFixed(0)} ms of CPU (${(performance.now() - startedAt).toFixed(0)} ms by the clock)`,
  };
}

function heapMb(): number {
  globalThis.gc?.();
  return Math.round(process.memoryUsage().heapUsed / 1_048_576);
}
