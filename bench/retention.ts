// Does what is kept stay bounded? `npm run bench -- retention [--channels 1000] [--days 7]`
// Virtual time: every channel broadcasts once or twice a day, starves now and then, and some of its events are lost; polls run
// beside. Rules decide on all of it. Each row is the end of a day: what a Redis would hold, entry by entry as JSON.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from '#config/load.ts';
import type { StreamSnapshot } from '#domain/channel.ts';
import { channelIdOf } from '#domain/channel.ts';
import type { EventObservation, Observation } from '#domain/observation.ts';
import type { Ruleset } from '#domain/rule.ts';
import type { StateView } from '#domain/shared-state.ts';
import { observeEvent } from '#intake/events/observe.ts';
import { parseEnvelope } from '#intake/events/schema.ts';
import { decideAll, decideDue } from '#rules/decide.ts';
import { MemoryState } from '#store/memory-state.ts';
import { applyObservation, splitObservation } from '#streams/apply.ts';
import { channelArnAt, eventBody, streamIdAt } from './noticing/events.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const pollEveryMs = 10 * minute;
const lostShare = 0.1;

export async function run(args: string[]): Promise<void> {
  const options = { channels: { type: 'string', default: '1000' }, days: { type: 'string', default: '7' } } as const;
  const { values } = parseArgs({ args, options });
  const channels = Number(values.channels);
  const { ruleset } = await loadConfig(join(import.meta.dirname, '../config/autopilot.example.yaml'));
  const fleet = new Fleet(channels, ruleset);
  const rows: Record<string, object> = {};
  for (let passed = 1; passed <= Number(values.days); passed += 1) {
    await fleet.until(passed * day);
    rows[`day ${passed}`] = await fleet.size();
  }
  console.log(
    `${channels} channels over ${values.days} days, ${fleet.sessions} sessions, ${fleet.events} events delivered`,
  );
  console.table(rows);
}

interface Show {
  readonly channel: number;
  readonly session: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly starving: readonly [fromMs: number, toMs: number] | undefined;
}

class Fleet {
  sessions = 0;
  events = 0;
  readonly #epochMs = Date.UTC(2026, 10, 20);
  readonly #state = new MemoryState({ now: () => this.#epochMs + this.#nowMs });
  readonly #channels: number;
  readonly #ruleset: Ruleset;
  #nowMs = 0;
  #random = 1;
  readonly #live = new Map<number, Show>();

  constructor(channels: number, ruleset: Ruleset) {
    this.#channels = channels;
    this.#ruleset = ruleset;
  }

  async until(endMs: number): Promise<void> {
    while (this.#nowMs < endMs) {
      const fromMs = this.#nowMs;
      for (let channel = 0; channel < this.#channels; channel += 1) await this.#play(channel, fromMs);
      this.#nowMs = fromMs + pollEveryMs;
      for (const scope of ['starving', 'all'] as const) await this.#see(this.#poll(scope));
      await this.#state.transact((tx) => decideDue(tx, this.#ruleset, { startedAtMs: 0 }));
      await this.#relay();
    }
  }

  /** What a Redis would hold. */
  async size() {
    const { view } = this.#state;
    const kinds = ['stream', 'past', 'meta', 'fact', 'timer', 'incident', 'alert'];
    const kb = (bytes: number) => Math.round(bytes / 1024);
    let logged = 0;
    let logBytes = 0;
    const logs = ['journal', 'journal-quiet', 'audit', 'events-unknown'];
    for (let channel = 0; channel < this.#channels; channel += 1)
      logs.push(`sessions:${channelIdOf(channelArnAt(channel))}`);
    for (const log of logs) {
      const entries = await this.#state.readLog(log, { limit: 1_000_000 });
      logged += entries.length;
      for (const { entry } of entries) logBytes += JSON.stringify(entry).length;
    }
    return {
      live: this.#live.size,
      ...Object.fromEntries(kinds.slice(0, 2).map((kind) => [kind, view.count(kind)])),
      'state KB': kb(kinds.reduce((sum, kind) => sum + bytesOf(view, kind), 0)),
      'log entries': logged,
      'logs KB': kb(logBytes),
    };
  }

  /** Begins and ends the shows of one channel within the next interval. */
  async #play(channel: number, fromMs: number): Promise<void> {
    const show = this.#live.get(channel);
    if (show && show.toMs < fromMs + pollEveryMs) {
      this.#live.delete(channel);
      await this.#events(show, [
        ['Session Ended', show.toMs],
        ['Stream End', show.toMs],
      ]);
    } else if (!show && this.#chance(pollEveryMs / (16 * hour))) {
      const beginsMs = fromMs + 1000 * Math.floor(this.#next() * 500);
      const toMs = beginsMs + hour + Math.floor(this.#next() * 3 * hour);
      const starvesMs = beginsMs + 10 * minute;
      const starving = this.#chance(0.5) ? ([starvesMs, starvesMs + 5 * minute] as const) : undefined;
      this.sessions += 1;
      const next: Show = { channel, session: this.sessions, fromMs: beginsMs, toMs, starving };
      this.#live.set(channel, next);
      await this.#events(next, [
        ['Session Created', beginsMs],
        ['Stream Start', beginsMs + 6_000],
      ]);
      if (starving)
        await this.#events(next, [
          ['Starvation Start', starving[0]],
          ['Starvation End', starving[1]],
        ]);
    }
  }

  async #events({ channel, session }: Show, events: readonly (readonly [name: string, atMs: number])[]): Promise<void> {
    for (const [name, atMs] of events) {
      if (this.#chance(lostShare)) continue;
      this.#nowMs = Math.max(this.#nowMs, atMs);
      this.events += 1;
      const body = eventBody(
        name,
        channelArnAt(channel),
        streamIdAt(channel, session),
        this.#epochMs + atMs,
        `${session}-${name}`,
      );
      await this.#see(eventOf(body, this.#epochMs + this.#nowMs));
    }
  }

  #poll(scope: 'starving' | 'all'): Observation {
    const atMs = this.#nowMs;
    const streams: StreamSnapshot[] = [];
    for (const { channel, session, fromMs, starving } of this.#live.values()) {
      const isStarving = starving !== undefined && atMs >= starving[0] && atMs < starving[1];
      if (scope === 'starving' && !isStarving) continue;
      streams.push({
        channelArn: channelArnAt(channel),
        streamId: streamIdAt(channel, session),
        health: isStarving ? 'STARVING' : 'HEALTHY',
        viewerCount: Math.floor(this.#next() * 5000),
        startTimeMs: this.#epochMs + fromMs + 6_000,
      });
    }
    const startedAtMs = this.#epochMs + atMs;
    return {
      kind: 'poll',
      scope,
      pollId: `${scope}-${atMs}`,
      startedAtMs,
      finishedAtMs: startedAtMs,
      complete: true,
      pages: 1,
      streams,
    };
  }

  async #see(observation: Observation): Promise<void> {
    for (const piece of splitObservation(observation)) {
      await this.#state.transact((tx) => {
        const changes = applyObservation(tx, piece, { retentionMs: 60 * day });
        decideAll(tx, changes, this.#ruleset, { startedAtMs: 0 });
      });
    }
  }

  /** Jobs leave for their queue. */
  async #relay(): Promise<void> {
    await this.#state.transact((tx) => {
      for (const [id] of tx.entries('job')) tx.delete(`job/${id}`);
    });
  }

  #chance(share: number): boolean {
    return this.#next() < share;
  }

  /** The same numbers in every run: a linear congruential generator. */
  #next(): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#random / 4_294_967_296;
  }
}

function eventOf(body: string, arrivedAtMs: number): EventObservation {
  const parsed = parseEnvelope(body);
  const seen = 'envelope' in parsed ? observeEvent(parsed.envelope, { arrivedAtMs, sources: ['aws.ivs'] }) : undefined;
  if (seen?.kind !== 'observation') throw new Error('the bench made an event that is none');
  return seen.observation;
}

function bytesOf(view: StateView, kind: string): number {
  let bytes = 0;
  for (const [id, value] of view.entries(kind)) bytes += kind.length + id.length + JSON.stringify(value).length;
  return bytes;
}
