// What happens in the long soak: traffic, people who pause, hold and silence, peers that lie and drip, and machines that fail, each in a
// loop of its own until the time is over. Every fault ends before the next one of its loop begins.
import { randomUUID } from 'node:crypto';
import type { FaultRule } from '#simulator/client.ts';
import type { DaemonProcess } from './daemon-process.ts';
import { SoakLedger } from './soak-ledger.ts';
import { pauseFor, type SoakStand } from './soak-stand.ts';

const patienceMs = 90_000;
/** What a failover loses, and more than that. */
const failoverMs = 5_000;

interface Channels {
  /** Always live; people send them metadata. */
  readonly steady: readonly string[];
  /** Always live; a rule sends them metadata, people hold them. */
  readonly firm: readonly string[];
  /** They starve, a rule stops them, and their encoders come back. */
  readonly loose: readonly string[];
  /** Like the loose ones, and with the tag that keeps automation away. */
  readonly tagged: readonly string[];
}

export class SoakPlay {
  readonly ledger = new SoakLedger();
  readonly broken: string[] = [];
  readonly #stand: SoakStand;
  readonly #random: () => number;
  readonly #channels: Channels;
  readonly #untilMs: number;
  /** Messages that are not events: nobody deletes them, and this queue has no dead-letter queue. */
  #unreadable = 0;
  /** People do nothing while the state is being lost: a control set then has no certain start. */
  #isBusy = false;

  private constructor(
    stand: SoakStand,
    channels: Channels,
    { seconds, random }: { seconds: number; random: () => number },
  ) {
    this.#stand = stand;
    this.#channels = channels;
    this.#random = random;
    this.#untilMs = Date.now() + seconds * 1_000;
  }

  static async begin(
    stand: SoakStand,
    options: { readonly seconds: number; readonly random: () => number },
  ): Promise<SoakPlay> {
    const { control } = stand.platform.simulator;
    const make = async (count: number, tags: Record<string, string>) =>
      (await control.createChannels(count, { tags })).map(({ arn }) => arn);
    const channels: Channels = {
      steady: await make(3, { kind: 'steady' }),
      firm: await make(3, { kind: 'firm' }),
      loose: await make(4, { kind: 'loose' }),
      tagged: await make(2, { kind: 'loose', 'ops-hold': 'by hand' }),
    };
    await control.goLive(Object.values(channels).flat(), { autoReconnect: true });
    await Promise.all(stand.places.map((place) => stand.start(place)));
    await ready(stand.daemons);
    return new SoakPlay(stand, channels, options);
  }

  /** Plays until the time is over and everything has settled. */
  async run(): Promise<void> {
    const loops = [
      this.#traffic(),
      this.#starvation(),
      this.#people(),
      this.#peers(),
      this.#machines(),
      this.#readers(),
    ];
    try {
      await Promise.all(loops);
    } finally {
      await Promise.allSettled(loops);
    }
    await this.#rest();
    await this.#judge();
  }

  get #isOver(): boolean {
    return Date.now() >= this.#untilMs;
  }

  #below(most: number): number {
    return Math.floor(this.#random() * most);
  }

  #any<T>(all: readonly T[]): T {
    return all[this.#below(all.length)]!;
  }

  /** The answer of any daemon; undefined: none, or none that accepts. */
  async #ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<any> {
    const { daemons } = this.#stand;
    if (daemons.length === 0) return undefined;
    try {
      const answer = await this.#any(daemons).ask(method, path, body, headers);
      return answer.status < 300 ? (answer.body ?? {}) : undefined;
    } catch {
      return undefined;
    }
  }

  async #traffic(): Promise<void> {
    const { platform } = this.#stand;
    const { ledger } = this;
    for (; !this.#isOver; await pauseFor(200 + this.#below(400))) {
      const kind = this.#below(4);
      if (kind < 2) {
        const id = randomUUID();
        const body = JSON.stringify({
          id,
          'detail-type': 'IVS Limit Breach',
          source: 'aws.ivs',
          account: '111122223333',
          time: new Date(Date.now() - this.#below(60_000)).toISOString(),
          region: 'us-west-2',
          resources: [],
          detail: { limit_name: 'Concurrent Viewers', limit_value: 1, exceeded_by: 1, limit_unit: 'viewers' },
        });
        // Sometimes twice, with something unreadable in between.
        await platform.send(body);
        ledger.accept('event', id);
        if (this.#below(6) === 0) {
          await platform.send('{"id": 7}');
          this.#unreadable += 1;
          await platform.send(body);
        }
      } else if (kind === 2) {
        const n = randomUUID();
        const request = { channelArn: this.#any(this.#channels.firm), body: { n } };
        if (await this.#ask('POST', '/v1/triggers/score', request, { 'idempotency-key': n }))
          ledger.accept('request', n);
      } else {
        const item = randomUUID();
        const batch = { targets: { channelArns: [this.#any(this.#channels.steady)] }, items: [{ payload: { item } }] };
        if (await this.#ask('POST', '/v1/metadata/batches', batch, { 'idempotency-key': item }))
          ledger.accept('item', item);
      }
      ledger.count('observations');
    }
  }

  async #starvation(): Promise<void> {
    const { control } = this.#stand.platform.simulator;
    for (; !this.#isOver; await pauseFor(1_000 + this.#below(2_000))) {
      const arn = this.#any([...this.#channels.loose, ...this.#channels.tagged]);
      if (this.#below(3) === 0) await control.recover(arn).catch(() => undefined);
      else {
        this.ledger.starve(arn);
        await control.starve(arn).catch(() => undefined);
      }
      this.ledger.count('observations');
    }
  }

  async #people(): Promise<void> {
    for (; !this.#isOver; await pauseFor(500 + this.#below(2_500))) {
      if (this.#isBusy) continue;
      const act = this.#below(5);
      if (act === 0) await this.#pauseAndResume();
      else if (act < 3) await this.#holdOrRelease();
      else await this.#silence();
    }
  }

  async #pauseAndResume(): Promise<void> {
    const { ledger } = this;
    const paused = ledger.inForce('pause');
    if (paused.length === 0) {
      const answer = await this.#ask('POST', '/v1/pause', { reason: 'soak' });
      if (answer?.paused && answer.written !== false) ledger.brake('pause');
      // Only one replica holds, and nobody knows for how long.
      else await this.#resume();
      return;
    }
    await this.#resume();
  }

  async #resume(): Promise<void> {
    for (const brake of this.ledger.inForce('pause')) brake.toMs = Date.now();
    await this.#until(
      'a resume',
      async () => (await this.#ask('POST', '/v1/resume', { reason: 'soak' })) !== undefined,
    );
  }

  async #holdOrRelease(): Promise<void> {
    const { ledger } = this;
    const held = ledger.inForce('hold');
    const free = [...this.#channels.firm, ...this.#channels.loose].filter((arn) => !held.some(({ of }) => of === arn));
    if (held.length < 2) {
      const arn = this.#any(free);
      if (await this.#ask('PUT', `/v1/holds/${encodeURIComponent(arn)}`, { reason: 'soak' })) ledger.brake('hold', arn);
      return;
    }
    const brake = this.#any(held);
    brake.toMs = Date.now();
    await this.#ask('DELETE', `/v1/holds/${encodeURIComponent(brake.of!)}`);
  }

  async #silence(): Promise<void> {
    const { ledger } = this;
    const rule = this.#any(['told', 'goal', 'stop']);
    if (ledger.inForce('silence').length > 0) return;
    const seconds = 3 + this.#below(8);
    const asked = { matchers: [`rule="${rule}"`], reason: 'soak', duration: `${seconds}s` };
    if (!(await this.#ask('POST', '/v1/silences', asked))) return;
    ledger.brake('silence', rule).toMs = Date.now() + (seconds - 2) * 1_000;
  }

  /** IVS returns false answers, drips, hangs, and loses answers. */
  async #peers(): Promise<void> {
    const { control } = this.#stand.platform.simulator;
    const lies: readonly (readonly [what: string, rule: FaultRule])[] = [
      ['lying IVS', { operation: 'ListStreams', answer: { json: {} } }],
      ['lying IVS', { operation: 'ListStreams', answer: { json: { streams: null } } }],
      ['lying IVS', { operation: 'ListStreams', answer: {} }],
      ['lying IVS', { operation: 'ListStreams', answer: { pages: 'same-token' } }],
      ['lying IVS', { operation: 'ListChannels', answer: { json: { channels: null } } }],
      ['lying IVS', { operation: 'GetStream', answer: { json: {} } }],
      ['dripping IVS', { operation: 'ListStreams', drip: { everyMs: 200 } }],
      ['dripping IVS', { operation: 'PutMetadata', drip: { everyMs: 500 } }],
      ['hanging IVS', { operation: 'ListStreams', hang: 'half-way' }],
      ['hanging IVS', { operation: 'StopStream', hang: 'no-answer', probability: 0.5 }],
      ['lost answers', { operation: 'PutMetadata', reset: 'after-effect', probability: 0.3 }],
      ['slow IVS', { operation: 'ListStreams', answerLatencyMs: [100, 900] }],
    ];
    for (; !this.#isOver; await pauseFor(2_000 + this.#below(4_000))) {
      const [what, rule] = this.#any(lies);
      const id = await control.addFault(rule);
      this.ledger.note(`${what} ${rule.operation}`);
      this.ledger.count(`fault: ${what}`);
      await pauseFor(1_500 + this.#below(3_000));
      await control.clearFaults(id);
      this.ledger.note(`end of ${what}`);
    }
  }

  async #machines(): Promise<void> {
    const { ledger } = this;
    const faults: readonly (readonly [what: string, run: () => Promise<void>])[] = [
      ['Redis emptied', () => this.#emptied()],
      ['Redis rolled back', () => this.#rolledBack({ failover: false, living: true })],
      ['Redis failed over', () => this.#rolledBack({ failover: true, living: true })],
      ['Redis restored with no replica alive', () => this.#rolledBack({ failover: false, living: false })],
      ['Redis killed', () => this.#stand.restartRedis({ awayMs: this.#below(2_000) })],
      ['Redis read-only', () => this.#refuses(['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE'])],
      [
        'Redis out of memory',
        () => this.#refuses(['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']),
      ],
      [
        'Redis slow',
        async () => void (await this.#stand.redis.call('CLIENT', 'PAUSE', String(500 + this.#below(2_500)), 'ALL')),
      ],
      ['Redis frozen', () => this.#stand.freezeRedis(500 + this.#below(2_500))],
      ['daemon SIGTERM', () => this.#replaced('SIGTERM')],
      ['daemon SIGKILL', () => this.#replaced('SIGKILL')],
      ['daemon frozen', () => this.#stand.freeze(this.#any(this.#stand.daemons), 1_000 + this.#below(5_000))],
    ];
    // Every kind in a random order, repeatedly, so that even a short run covers most of them.
    let left: (typeof faults)[number][] = [];
    for (; !this.#isOver; await pauseFor(1_000 + this.#below(3_000))) {
      if (left.length === 0) left = [...faults];
      const [[what, run]] = left.splice(this.#below(left.length), 1) as [(typeof faults)[number]];
      const from = Date.now();
      ledger.note(what);
      await run();
      ledger.note(`end of ${what}`);
      ledger.count(`fault: ${what}`);
      await ready(this.#stand.daemons).catch((error: unknown) => {
        throw new Error(`after ${what}, ${Date.now() - from} ms ago: ${String(error)}`);
      });
    }
  }

  async #refuses(begin: readonly string[], end: readonly string[]): Promise<void> {
    const [command, ...words] = begin as [string, ...string[]];
    const [ending, ...last] = end as [string, ...string[]];
    await this.#stand.redis.call(command, ...words);
    await pauseFor(1_000 + this.#below(3_000));
    await this.#stand.redis.call(ending, ...last);
  }

  async #replaced(how: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const place = this.#any(this.#stand.places);
    if (how === 'SIGKILL') this.ledger.crashes.push(Date.now());
    await this.#stand.end(place, how);
    await this.#stand.start(place);
  }

  async #emptied(): Promise<void> {
    await this.#losing(async () => {
      await this.#stand.redis.flushall();
      return { pauses: true };
    });
  }

  async #rolledBack({ failover, living }: { readonly failover: boolean; readonly living: boolean }): Promise<void> {
    const { places } = this.#stand;
    if (!failover) {
      await this.#stand.backUp();
      await pauseFor(failoverMs + 3_000 + this.#below(6_000));
    }
    await this.#losing(async () => {
      if (failover) {
        await this.#stand.backUp();
        await pauseFor(500 + this.#below(2_000));
      }
      if (!living) {
        for (const place of places) await this.#stand.end(place, 'SIGKILL');
        this.ledger.crashes.push(Date.now());
      }
      await this.#stand.restartRedis({ rollBack: true });
      const pauses = !failover;
      if (!living) for (const place of places) await this.#stand.start(place);
      return { pauses, living };
    });
  }

  /** A loss of the state, and what people do about it according to the run book. */
  async #losing(lose: () => Promise<{ readonly pauses: boolean; readonly living?: boolean }>): Promise<void> {
    const { ledger } = this;
    this.#isBusy = true;
    try {
      // Both replicas know a control that was set a moment ago before the loss comes.
      await pauseFor(2_500);
      await this.#readJournal();
      const held = ledger.inForce('hold');
      const atMs = Date.now();
      const { pauses, living = true } = await lose();
      ledger.losses.push(atMs, Date.now());
      if (!living) for (const brake of ledger.brakes) brake.toMs = Math.min(brake.toMs, atMs);
      if (!pauses) return await this.#controlsAreBack(held);
      await this.#until('state_lost', async () => {
        const all = await Promise.all(this.#stand.daemons.map((daemon) => pauseOf(daemon)));
        return all.length > 0 && all.every((each) => each?.reason === 'state_lost');
      });
      // Paused from here on, whatever a replica may still have to learn.
      const { fromMs: _, ...paused } = ledger.brake('pause');
      ledger.brakes[ledger.brakes.length - 1] = { ...paused, fromMs: Date.now() };
      if (living) await this.#controlsAreBack(held);
      else await this.#releaseAll();
      await pauseFor(this.#below(3_000));
      await this.#resume();
    } finally {
      this.#isBusy = false;
    }
  }

  /** There may be more: a hold whose answer was lost. */
  async #controlsAreBack(held: readonly { readonly of?: string }[]): Promise<void> {
    const expected = held.map(({ of }) => of!);
    let seen: readonly (readonly string[] | undefined)[] = [];
    const areBack = async () => {
      seen = await Promise.all(this.#stand.daemons.map((daemon) => holdsOf(daemon)));
      return seen.length > 0 && seen.every((each) => each !== undefined && expected.every((arn) => each.includes(arn)));
    };
    await this.#until(() => `the holds ${expected.join()} (there are ${JSON.stringify(seen)})`, areBack);
  }

  /** Released older holds may be back: nothing counts as held until somebody holds it again. */
  async #releaseAll(): Promise<void> {
    for (const arn of [...this.#channels.firm, ...this.#channels.loose])
      await this.#ask('DELETE', `/v1/holds/${encodeURIComponent(arn)}`);
  }

  /** The journal is read repeatedly: a loss takes it. */
  async #readers(): Promise<void> {
    for (; !this.#isOver; await pauseFor(2_000)) await this.#readJournal();
  }

  async #readJournal(limit = 300): Promise<void> {
    for (const rule of ['told', 'goal', 'stop']) {
      const answer = await this.#ask('GET', `/v1/decisions?rule=${rule}&limit=${limit}`);
      if (answer) this.ledger.readJournal(answer.decisions);
    }
  }

  /** Nothing fails any longer, nothing is held back, and what is on its way arrives. */
  async #rest(): Promise<void> {
    const { platform, daemons } = this.#stand;
    await platform.simulator.control.clearFaults();
    await ready(daemons);
    for (const brake of this.ledger.brakes) brake.toMs = Math.min(brake.toMs, Date.now());
    await this.#releaseAll();
    await this.#resume();
    await this.#until('an empty queue', async () => (await platform.queueDepth()) <= this.#unreadable);
    let seen = -1;
    await this.#until('rest', async () => {
      const before = seen;
      seen = this.#stand.deliveries.length + (await platform.simulator.control.cues()).length;
      await pauseFor(5_000);
      return seen === before;
    });
    await this.#readJournal(1_000);
  }

  async #judge(): Promise<void> {
    const { control } = this.#stand.platform.simulator;
    const calls = await control.calls();
    for (const { at, operation, fault } of calls)
      if (operation === 'PutMetadata' && fault) this.ledger.crashes.push(at);
    const { ListStreams = 0 } = Object.fromEntries(
      (await control.summary()).map(({ operation, calls: all }) => [operation, all]),
    );
    this.ledger.count('observations', ListStreams);
    const { deliveries } = this.#stand;
    this.broken.push(
      ...this.ledger.judge({ calls, cues: await control.cues(), deliveries, tagged: this.#channels.tagged }),
    );
  }

  async #until(what: string | (() => string), isSo: () => Promise<boolean | undefined>): Promise<void> {
    for (const deadline = performance.now() + patienceMs; !(await isSo()); await pauseFor(200))
      if (performance.now() > deadline)
        throw new Error(`within ${patienceMs} ms there was not: ${typeof what === 'string' ? what : what()}`);
  }
}

async function ready(daemons: readonly DaemonProcess[]): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (const daemon of daemons)
    for (;;) {
      const answer = await daemon.ask('GET', '/readyz').catch((error: unknown) => ({ status: 0, body: String(error) }));
      if (answer.status === 200) break;
      if (performance.now() > deadline)
        throw new Error(`not ready: ${JSON.stringify(answer)}\n${daemon.log.slice(-20).join('\n')}`);
      await pauseFor(200);
    }
}

const pauseOf = (daemon: DaemonProcess) =>
  daemon.ask('GET', '/v1/pause').then(
    ({ body }) => body as { reason?: string },
    () => undefined,
  );

const holdsOf = (daemon: DaemonProcess) =>
  daemon.ask('GET', '/v1/holds').then(
    ({ body }) => (body.holds as { channelArn: string }[]).map(({ channelArn }) => channelArn),
    () => undefined,
  );
