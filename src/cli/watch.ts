// `watch`: prints changes of streams, alerts and decisions as they happen, one line each. It follows the feed of the operator's page.
import type { Command } from 'commander';
import type { LiveRow } from '#api/live/row.ts';
import type { ActivityLine, LiveStatus } from '#api/live/status.ts';
import { callerText } from '#domain/person.ts';
import { systemClock } from '#runtime/clock.ts';
import { idOf, resolveChannels } from './channels.ts';
import { choicesOption } from './options.ts';
import {
  type ApiClient,
  apiClient,
  type CliIo,
  CommandFailed,
  example,
  printLine,
  RequestFailed,
  repeatedly,
} from './support.ts';
import { type Cell, cut, type Line, toned } from './terminal.ts';
import { roughly } from './times.ts';

const subjects = ['streams', 'alerts', 'decisions'] as const;
type Subject = (typeof subjects)[number];

interface Flags {
  readonly only?: readonly Subject[];
  readonly json?: boolean;
}

/** One line: its subject, and its text. */
interface News {
  readonly subject: Subject;
  readonly atMs: number;
  readonly line: readonly Cell[];
  /** For --json. */
  readonly data: object;
}

/** Failures in a row without an answer: enough for a daemon to restart. */
const mostTries = 30;
const nameWidth = 24;

export function register(program: Command, io: CliIo): void {
  program
    .command('watch')
    .description('show what is live, then each change of streams, alerts and decisions until Ctrl-C')
    .argument('[channels...]', 'only these channels: ARN, last part of the ARN, or name')
    .addOption(choicesOption('--only <what...>', 'only these of streams, alerts and decisions', subjects))
    .option('--json', 'print one JSON object per line')
    .addHelpText('after', example('ivs-autopilot watch', 'ivs-autopilot watch studio-a --only streams decisions'))
    .action(async (channels: string[], { only = subjects, json }: Flags) => {
      const api = apiClient(io);
      const arns = channels.length === 0 ? undefined : new Set(await resolveChannels(api, channels));
      const feed = new Feed((arn) => arns === undefined || (arn !== undefined && arns.has(arn)));
      try {
        await repeatedly(io, mostTries, (heard) =>
          follow(api, feed, heard, (news) => {
            if (only.includes(news.subject)) print(io, json, news);
          }),
        );
      } catch (error) {
        // Ctrl-C is the normal way to end it.
        if (io.signal.aborted) throw new CommandFailed('', 130);
        throw error;
      }
    });
}

async function follow(api: ApiClient, feed: Feed, heard: () => void, tell: (news: News) => void): Promise<never> {
  feed.begin();
  for await (const { name, data } of api.events('/v1/live')) {
    heard();
    for (const news of feed.take(name, data)) tell(news);
  }
  throw new RequestFailed('The daemon ended the stream of events.', 1000);
}

function print(io: CliIo, json: boolean | undefined, { subject, atMs, line, data }: News): void {
  const at = new Date(atMs).toISOString();
  if (json) io.print(JSON.stringify({ at, subject, ...data }));
  else printLine(io, [{ text: at.slice(11, 19), tone: 'faint' }, ' ', ...line]);
}

/** Keeps the state of the feed, and returns what is new in each of its events. */
class Feed {
  readonly #wants: (channelArn: string | undefined) => boolean;
  /** By number, within this connection. */
  #rows = new Map<number, LiveRow>();
  /** What was last printed for each channel; kept across connections, so that nothing is printed twice. */
  readonly #said = new Map<string, string>();
  readonly #alerts = new Map<string, string>();
  readonly #decisions = new Set<string>();
  #isFirstStatus = true;
  /** Names of channels from the last update that had them: an event contains only what changed. */
  #names: LiveStatus['names'] = {};
  #nowMs = 0;

  constructor(wants: (channelArn: string | undefined) => boolean) {
    this.#wants = wants;
  }

  /** A new connection: rows are sent again, under other numbers. */
  begin(): void {
    this.#rows = new Map();
  }

  /** What an event of `GET /v1/live` brings. */
  take(name: string, data: unknown): News[] {
    if (name === 'status') return this.#status(data as Partial<LiveStatus>);
    if (name === 'rows') return this.#changed(data as readonly (readonly [number, LiveRow])[]);
    if (name === 'ready') return this.#gone();
    if (name !== 'delta') return [];
    const {
      rows = [],
      patches = [],
      removed = [],
    } = data as {
      rows?: readonly (readonly [number, LiveRow])[];
      patches?: readonly (readonly [number, Record<string, unknown>])[];
      removed?: readonly number[];
    };
    const patched = patches.flatMap(([number, patch]) => {
      const row = this.#rows.get(number);
      return row ? [[number, patchedRow(row, patch)] as const] : [];
    });
    return [...this.#changed([...rows, ...patched]), ...removed.flatMap((number) => this.#removed(number))];
  }

  #changed(rows: readonly (readonly [number, LiveRow])[]): News[] {
    return rows.flatMap(([number, row]) => {
      this.#rows.set(number, row);
      if (!this.#wants(row.arn)) return [];
      // Viewer counts change all the time, so they are printed only together with another change.
      const { state, health, recording, hold, next, pending } = row;
      const what = JSON.stringify([state, health, recording, hold, next?.text, next?.withheld?.why, pending]);
      if (this.#said.get(row.arn) === what) return [];
      this.#said.set(row.arn, what);
      const { spark: _, ...shown } = row;
      return [this.#news('streams', rowLine(row, this.#now), shown)];
    });
  }

  #removed(number: number): News[] {
    const row = this.#rows.get(number);
    this.#rows.delete(number);
    return row && this.#said.delete(row.arn) && this.#wants(row.arn) ? [this.#left(row.arn, row.name)] : [];
  }

  /** Channels that were known before the connection was lost, and are gone now. */
  #gone(): News[] {
    const there = new Set(Array.from(this.#rows.values(), ({ arn }) => arn));
    return Array.from(this.#said.keys())
      .filter((arn) => !there.has(arn))
      .map((arn) => {
        this.#said.delete(arn);
        return this.#left(arn, idOf(arn));
      });
  }

  #left(arn: string, name: string): News {
    return this.#news('streams', [nameCell(name), { text: 'no longer listed', tone: 'faint' }], {
      arn,
      name,
      state: 'gone',
    });
  }

  #status({ nowMs, needs, activity, names }: Partial<LiveStatus>): News[] {
    this.#nowMs = nowMs ?? this.#nowMs;
    this.#names = names ?? this.#names;
    const news: News[] = [];
    if (needs) news.push(...this.#alertNews(needs));
    if (activity) {
      for (const entry of activity.toReversed()) {
        if (this.#decisions.has(entry.id)) continue;
        this.#decisions.add(entry.id);
        // Earlier decisions are history; `decision list` shows them.
        if (!this.#isFirstStatus && this.#wants(entry.arn)) news.push(this.#decision(entry));
      }
      this.#isFirstStatus = false;
    }
    return news;
  }

  #alertNews(needs: LiveStatus['needs']): News[] {
    const news = needs
      .filter(({ id, cause }) => this.#alerts.get(id) !== cause)
      .filter(({ channelArn }) => this.#wants(channelArn))
      .map((alert) => {
        const { id, severity, title, cause } = alert;
        this.#alerts.set(id, cause);
        return this.#news('alerts', [nameCell(title), toned(severity), ` ${cause}`], alert);
      });
    const open = new Set(needs.map(({ id }) => id));
    for (const [id, cause] of this.#alerts) {
      if (open.has(id)) continue;
      this.#alerts.delete(id);
      news.push(
        this.#news('alerts', [nameCell('over'), { text: 'resolved', tone: 'good' }, ` ${cause}`], {
          id,
          end: this.#now,
        }),
      );
    }
    return news;
  }

  #decision(entry: ActivityLine): News {
    const { rule, outcome, text, arn } = entry;
    const channel = arn === undefined ? '' : ` ${this.#names[arn] ?? idOf(arn)}`;
    return {
      ...this.#news('decisions', [nameCell(rule), toned(outcome), `${channel} ${text}`], entry),
      atMs: entry.atMs,
    };
  }

  #news(subject: Subject, line: readonly Cell[], data: object): News {
    return { subject, atMs: this.#now, line, data };
  }

  get #now(): number {
    return this.#nowMs || systemClock.now();
  }
}

/** A patch contains only what changed; removed fields are null. */
function patchedRow(row: LiveRow, patch: Record<string, unknown>): LiveRow {
  const merged = Object.entries({ ...row, ...patch }).filter(([, value]) => value !== null);
  return Object.fromEntries(merged) as unknown as LiveRow;
}

function rowLine(
  { name, state, health, since, viewers, hold, next, pending }: LiveRow,
  nowMs: number,
): Line & readonly Cell[] {
  return [
    nameCell(name),
    toned(state === 'live' && health ? health : state),
    ...(since === undefined ? [] : [` for ${roughly(nowMs - since)}`]),
    ...(viewers === undefined ? [] : [`, ${viewers} viewers`]),
    ...(hold ? [', ', { text: 'on hold', tone: 'warn' as const }, ` by ${callerText(hold.who)}: ${hold.reason}`] : []),
    ...(next ? [`, next: ${next.text}${next.withheld === undefined ? '' : ` (held back: ${next.withheld.why})`}`] : []),
    ...(pending === undefined ? [] : [`, recording then: ${pending}`]),
  ];
}

function nameCell(name: string): Cell {
  return { text: `${cut(name, nameWidth).padEnd(nameWidth)} `, tone: 'strong' };
}
