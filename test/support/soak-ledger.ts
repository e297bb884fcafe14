// The long soak's own records: what people requested and since when it is in force, what was accepted, what acted, and what the journal
// contained before a loss could take it. At the end all of it is compared.
import type { CallRecord, CueRecord } from '#simulator/client.ts';
import { unpackCue } from '#src/player/cues.ts';
import type { Delivery } from './soak-stand.ts';

/**
 * Something that holds back automation: from the answer that confirmed it, plus the time that a replica may take to learn of it, to its
 * end.
 */
export interface Brake {
  readonly kind: 'pause' | 'hold' | 'silence';
  /** The channel on hold, or the silenced rule. */
  readonly of?: string;
  readonly fromMs: number;
  toMs: number;
}

interface Accepted {
  readonly what: 'event' | 'request' | 'item';
  readonly id: string;
  readonly atMs: number;
}

interface JournalEntry {
  readonly id: string;
  /** How many equal decisions of one moment it stands for; the causes of the others are not listed. */
  readonly count: number;
  readonly rule: string;
  readonly cause: string;
  readonly outcome: string;
  readonly reason: string;
  readonly at: string;
  readonly jobs: readonly { readonly outcome?: string; readonly detail?: string }[];
}

interface Effect {
  readonly rule: 'told' | 'goal' | 'stop';
  readonly atMs: number;
  readonly channelArn?: string;
  /** The id of the event or the request. */
  readonly cause?: string;
  /** The same for every repeat of one delivery. */
  readonly id?: string;
}

/** A replica learns of a pause or hold within a second and checks again before each action; the call itself takes time. */
const learnMs = 2_000;
/** What was accepted this long before a loss must have been done or judged by then, even on a busy machine with faults. */
const settledMs = 30_000;

export class SoakLedger {
  readonly counts: Record<string, number> = {};
  readonly brakes: Brake[] = [];
  /** When known data may have been lost: it may be missing, or be done again. */
  readonly losses: number[] = [];
  /** Moments after which a delivery may come again with the same id: a process died in the middle of it. */
  readonly crashes: number[] = [];
  readonly #accepted: Accepted[] = [];
  readonly #timeline: { readonly atMs: number; readonly what: string }[] = [];
  readonly #starved: { readonly channelArn: string; readonly atMs: number }[] = [];
  readonly #journal = new Map<string, JournalEntry>();
  /** Final verdicts whose causes a shared entry does not name: how many, by rule and id. */
  readonly #unnamed = new Map<string, { readonly rule: string; readonly count: number }>();

  count(what: string, by = 1): void {
    this.counts[what] = (this.counts[what] ?? 0) + by;
  }

  /** What was done to the fleet, for the analysis of a failure. */
  note(what: string): void {
    this.#timeline.push({ atMs: Date.now(), what });
  }

  /** What was done in the seconds before a moment. */
  #before(atMs: number): string {
    const near = this.#timeline.filter((one) => one.atMs > atMs - 12_000 && one.atMs < atMs + 1_000);
    return near.map((one) => `${one.what} ${((one.atMs - atMs) / 1_000).toFixed(1)} s`).join(', ');
  }

  /** It holds from now on, and counts once everybody can know it. */
  brake(kind: Brake['kind'], of?: string): Brake {
    const fromMs = Date.now() + learnMs;
    const brake: Brake = { kind, fromMs, toMs: Number.POSITIVE_INFINITY, ...(of === undefined ? {} : { of }) };
    this.brakes.push(brake);
    this.count(`${kind}s`);
    return brake;
  }

  inForce(kind: Brake['kind']): Brake[] {
    return this.brakes.filter((brake) => brake.kind === kind && brake.toMs > Date.now());
  }

  accept(what: Accepted['what'], id: string): void {
    this.#accepted.push({ what, id, atMs: Date.now() });
    this.count('accepted');
  }

  starve(channelArn: string): void {
    this.#starved.push({ channelArn, atMs: Date.now() });
  }

  /** What the journal says now; a later entry about a cause replaces an earlier one. */
  readJournal(entries: readonly JournalEntry[]): void {
    for (const entry of [...entries].sort((a, b) => a.at.localeCompare(b.at))) {
      const key = `${entry.rule} ${entry.cause}`;
      if (entry.count > 1 && isFinal(entry)) this.#unnamed.set(entry.id, { rule: entry.rule, count: entry.count - 1 });
      const known = this.#journal.get(key);
      // The entry that acted contains its job's end.
      if (known?.outcome !== 'acted' || entry.outcome === 'acted') this.#journal.set(key, entry);
    }
  }

  /** Compares. Returns sentences about what was broken; empty if nothing was. */
  judge({
    calls,
    cues,
    deliveries,
    tagged,
  }: {
    readonly calls: readonly CallRecord[];
    readonly cues: readonly CueRecord[];
    readonly deliveries: readonly Delivery[];
    readonly tagged: readonly string[];
  }): string[] {
    const items = cues.flatMap(({ at, channelArn, metadata }) =>
      unpackCue(metadata).map(({ id, data }) => ({
        atMs: at,
        channelArn,
        id,
        data: data as { cause?: string; item?: string },
      })),
    );
    const effects: Effect[] = [
      ...deliveries.map(({ atMs, id, body }): Effect => ({ rule: 'told', atMs, id, cause: body.cause })),
      ...items.flatMap(({ atMs, channelArn, id, data }): Effect[] =>
        data.cause === undefined
          ? []
          : [{ rule: 'goal', atMs, channelArn, cause: data.cause, ...(id === undefined ? {} : { id }) }],
      ),
      ...calls
        .filter(({ operation, outcome }) => operation === 'StopStream' && outcome === 'ok')
        .map(({ at, channelArn }): Effect => ({ rule: 'stop', atMs: at, channelArn: channelArn! })),
    ];
    this.count('actions', effects.length);
    this.count('decisions', this.#journal.size);
    for (const { outcome } of this.#journal.values()) if (outcome === 'suppressed') this.count('withheld');
    const arrived = new Set(items.flatMap(({ data }) => data.item ?? []));
    return [
      ...this.#underBrakes(effects, tagged),
      ...this.#underSilences(),
      ...this.#twice(effects),
      ...this.#lost(effects, arrived),
    ];
  }

  #underBrakes(effects: readonly Effect[], tagged: readonly string[]): string[] {
    const broken: string[] = [];
    for (const { rule, atMs, channelArn, cause } of effects) {
      const told = `${rule} ${cause ?? ''} ${channelArn ?? ''} at ${new Date(atMs).toISOString()}`;
      if (channelArn !== undefined && tagged.includes(channelArn))
        broken.push(`acted on a channel with the tag: ${told}`);
      for (const brake of this.brakes) {
        if (brake.kind === 'silence' || atMs < brake.fromMs || atMs >= brake.toMs) continue;
        if (brake.kind === 'hold' && brake.of !== channelArn) continue;
        const since = new Date(brake.fromMs).toISOString();
        broken.push(
          `acted under a ${brake.kind} that everybody could know since ${since}: ${told} (${this.#before(atMs)})`,
        );
      }
    }
    this.count('under a pause or hold', broken.length);
    return broken;
  }

  /** A silence counts at the time when a rule decides. */
  #underSilences(): string[] {
    const broken: string[] = [];
    for (const { rule, cause, outcome, at } of this.#journal.values()) {
      const atMs = Date.parse(at);
      const silence = this.brakes.find(
        ({ kind, of, fromMs, toMs }) => kind === 'silence' && of === rule && atMs >= fromMs && atMs < toMs,
      );
      if (silence && outcome === 'acted') broken.push(`${rule} ${cause} was decided under a silence at ${at}`);
    }
    this.count('decided under a silence', broken.length);
    return broken;
  }

  #twice(effects: readonly Effect[]): string[] {
    const broken: string[] = [];
    const byCause = Map.groupBy(
      effects.filter(({ cause }) => cause !== undefined),
      ({ rule, cause }) => `${rule} ${cause}`,
    );
    for (const [cause, all] of byCause) {
      const [first, ...again] = all.toSorted((a, b) => a.atMs - b.atMs);
      for (const { atMs, id } of again) {
        const between = (moment: number) => moment > first!.atMs - 30_000 && moment <= atMs;
        if (this.losses.some(between)) this.count('again after a loss');
        else if (id === first!.id && this.crashes.some(between)) this.count('repeated with the same id after a crash');
        else broken.push(`acted twice: ${cause}, ${first!.id} at ${first!.atMs} and ${id} at ${atMs}`);
      }
    }
    for (const [channelArn, stops] of Map.groupBy(
      effects.filter(({ rule }) => rule === 'stop'),
      ({ channelArn }) => channelArn!,
    )) {
      const times = stops.map(({ atMs }) => atMs).sort((a, b) => a - b);
      for (const [index, atMs] of times.entries()) {
        const fromMs = times[index - 1] ?? 0;
        const isAsked = this.#starved.some(
          (one) => one.channelArn === channelArn && one.atMs > fromMs - 100 && one.atMs <= atMs + 100,
        );
        if (!isAsked) broken.push(`stopped twice: ${channelArn} at ${atMs}, after ${fromMs}`);
      }
    }
    this.count('twice', broken.length);
    return broken;
  }

  #lost(effects: readonly Effect[], arrived: ReadonlySet<string>): string[] {
    const broken: string[] = [];
    const done = new Set(effects.map(({ rule, cause }) => `${rule} ${cause}`));
    const unnamed = { told: 0, goal: 0 };
    for (const { rule, count } of this.#unnamed.values())
      if (rule === 'told' || rule === 'goal') unnamed[rule] += count;
    for (const { what, id, atMs } of this.#accepted) {
      const rule = what === 'event' ? 'told' : 'goal';
      const entry = this.#journal.get(`${rule} ${what === 'event' ? id : `score:${id}`}`);
      if (what === 'item' ? arrived.has(id) : done.has(`${rule} ${id}`) || (entry && isFinal(entry))) continue;
      if (this.losses.some((lostMs) => lostMs >= atMs - 1_000 && lostMs <= atMs + settledMs))
        this.count('lost with the state');
      else if (what === 'request' && entry?.outcome === 'acted' && this.#wasCancelled(Date.parse(entry.at)))
        this.count('cancelled by a pause or hold');
      else if (what !== 'item' && !entry && unnamed[rule] > 0) unnamed[rule] -= 1;
      else broken.push(`lost: ${what} ${id}, accepted at ${new Date(atMs).toISOString()}, ${JSON.stringify(entry)}`);
    }
    this.count('lost', broken.length);
    return broken;
  }

  /** A pause or hold cancels waiting metadata of a rule. */
  #wasCancelled(atMs: number): boolean {
    return this.brakes.some(
      ({ kind, fromMs }) => kind !== 'silence' && fromMs >= atMs - 1_000 && fromMs - learnMs <= atMs + 30_000,
    );
  }
}

/** Whether nothing more comes of the cause: it was finally held back, or what acted has ended. */
function isFinal({ outcome, reason, jobs }: JournalEntry): boolean {
  if (outcome === 'acted') return jobs.some((job) => job.outcome === 'skipped');
  return outcome !== 'pending' && reason !== 'warming_up' && reason !== 'data_gap';
}
