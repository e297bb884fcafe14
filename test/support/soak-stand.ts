// The long soak's stand: a simulator of IVS, an SQS, a Redis that can go back to an older file, a receiver of webhooks, and two daemons
// that are replaced one after the other. The simulator and the receiver, outside of the daemons, record what acted.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startEmbeddedRedis } from '#runtime/embedded-redis.ts';
import { type Broadcast, broadcast, quickSettings, testCredentials } from './broadcast.ts';
import { type DaemonProcess, daemonProcess } from './daemon-process.ts';
import { isWithin, ownStandMs, readStands, type Window } from './loop-stands.ts';

export interface Delivery {
  readonly atMs: number;
  /** The daemon's own id of it: a repeat has the same one. */
  readonly id: string;
  readonly body: { readonly cause: string };
}

/** One of the two places for a daemon; each has a folder that stays when its process ends. */
interface Place {
  readonly folder: string;
  daemon: DaemonProcess | undefined;
}

interface Life {
  readonly file: string;
  readonly listensFromMs: number;
}

const rules = (receiver: string) => `
limits: {request_timeout: 2s}
rules:
  - name: told
    mode: enforce
    trigger: {event: {detail-type: [IVS Limit Breach]}}
    actions: [{webhook: {url: "${receiver}", body: {cause: "{{ event.id }}"}}}]
    guards: {group_by: [detail.limit_name], cooldown: 0s, max_per_hour: 100000}
  - name: goal
    mode: enforce
    trigger: {http: {name: score}}
    actions: [{put_metadata: {payload: {cause: "{{ http.body.n }}"}}}]
    guards: {cooldown: 0s, max_per_hour: 100000, max_live_percent: 100}
  - name: stop
    mode: enforce
    match: {tags: {kind: [loose]}}
    trigger: {state: {health: [STARVING]}}
    for: 1s
    actions: [{stop_stream: {}}]
    guards: {cooldown: 0s, max_per_hour: 100000, max_live_percent: 100}
`;

export class SoakStand implements AsyncDisposable {
  readonly platform: Broadcast;
  readonly deliveries: Delivery[] = [];
  /** Settings of a client that waits little, for connections to a daemon. */
  readonly redis: Redis;
  readonly places: readonly Place[];
  readonly #stack: AsyncDisposableStack;
  readonly #folder: string;
  readonly #receiverUrl: string;
  readonly #lives: Life[] = [];
  readonly #stopped: Window[] = [];
  readonly #random: () => number;
  #server: Awaited<ReturnType<typeof startEmbeddedRedis>>;
  #backupAtMs: number | undefined;

  private constructor(parts: {
    platform: Broadcast;
    stack: AsyncDisposableStack;
    folder: string;
    receiverUrl: string;
    server: Awaited<ReturnType<typeof startEmbeddedRedis>>;
    deliveries: Delivery[];
    random: () => number;
  }) {
    this.platform = parts.platform;
    this.deliveries = parts.deliveries;
    this.#stack = parts.stack;
    this.#folder = parts.folder;
    this.#receiverUrl = parts.receiverUrl;
    this.#server = parts.server;
    this.#random = parts.random;
    this.redis = new Redis(parts.server.url, { maxRetriesPerRequest: null });
    this.redis.on('error', () => undefined);
    this.places = [0, 1].map((place) => ({ folder: join(parts.folder, `data-${place}`), daemon: undefined }));
  }

  /** Starts all but the daemons. Use with `await using`. */
  static async create(random: () => number): Promise<SoakStand> {
    const stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'autopilot-soak-'));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const platform = stack.use(await broadcast());
    const deliveries: Delivery[] = [];
    const receiver = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk) => (text += String(chunk)));
      request.on('end', () => {
        const id = String(request.headers['x-autopilot-delivery']);
        deliveries.push({ atMs: Date.now(), id, body: JSON.parse(text) as Delivery['body'] });
        response.end('ok');
      });
    });
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    stack.defer(() => void receiver.close());
    const program = process.env['AUTOPILOT_REDIS_SERVER'] ?? 'redis-server';
    const server = await startEmbeddedRedis({ program, directory: join(folder, 'redis') });
    const receiverUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
    const stand = new SoakStand({ platform, stack, folder, receiverUrl, server, deliveries, random });
    stack.defer(() => stand.#server.stop());
    stack.defer(() => stand.redis.disconnect());
    const bare = spawn(process.execPath, ['--import', preload('loop-stands.mjs'), '-e', 'setInterval(() => {}, 1e6)'], {
      stdio: 'ignore',
      env: { TEST_LOOP_FILE: stand.#bareFile },
    });
    stack.defer(() => void bare.kill('SIGKILL'));
    return stand;
  }

  get #bareFile(): string {
    return join(this.#folder, 'loop-bare');
  }

  get daemons(): readonly DaemonProcess[] {
    return this.places.flatMap(({ daemon }) => daemon ?? []);
  }

  /** Starts a daemon in a place. Its clock is wrong, and jumps while it runs. */
  async start(place: Place): Promise<DaemonProcess> {
    const file = join(this.#folder, `loop-${this.#lives.length}`);
    const hourly = () => Math.round((this.#random() - 0.5) * 7_200_000);
    place.daemon = await daemonProcess({
      config: quickSettings + rules(this.#receiverUrl),
      env: {
        NODE_OPTIONS: `--import ${preload('shifted-clock.mjs')} --import ${preload('loop-stands.mjs')}`,
        TEST_LOOP_FILE: file,
        TEST_CLOCK: `0:${hourly()},${Math.round(this.#random() * 30_000)}:${hourly()}`,
        REDIS_URL: this.#server.url,
        AUTOPILOT_DATA_DIR: place.folder,
        AUTOPILOT_QUEUE_URL: this.platform.queueUrl,
        AWS_ACCESS_KEY_ID: testCredentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: testCredentials.secretAccessKey,
        AWS_ENDPOINT_URL_IVS: this.platform.simulator.url,
        AWS_ENDPOINT_URL_SQS: this.platform.sqs.endpoint,
      },
    });
    this.#lives.push({ file, listensFromMs: Date.now() });
    return place.daemon;
  }

  /** Ends the daemon of a place: orderly, or at once. */
  async end(place: Place, how: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { daemon } = place;
    place.daemon = undefined;
    if (how === 'SIGKILL') await daemon?.kill();
    else await daemon?.[Symbol.asyncDispose]();
  }

  /** A daemon that is suspended for a while and continues. */
  async freeze(daemon: DaemonProcess, ms: number): Promise<void> {
    const fromMs = Date.now();
    process.kill(daemon.pid, 'SIGSTOP');
    await pauseFor(ms);
    process.kill(daemon.pid, 'SIGCONT');
    this.#stopped.push({ fromMs: fromMs - 50, toMs: Date.now() + 50 });
  }

  async freezeRedis(ms: number): Promise<void> {
    process.kill(this.#server.pid, 'SIGSTOP');
    await pauseFor(ms);
    process.kill(this.#server.pid, 'SIGCONT');
  }

  /** Keeps a copy of Redis's file. */
  async backUp(): Promise<void> {
    const atMs = Date.now();
    await rm(join(this.#folder, 'backup'), { recursive: true, force: true });
    await cp(join(this.#folder, 'redis', 'appendonlydir'), join(this.#folder, 'backup'), { recursive: true });
    this.#backupAtMs = atMs;
  }

  get backupAtMs(): number | undefined {
    return this.#backupAtMs;
  }

  /** Kills Redis and starts it again on the same port; with `rollBack`, from the copy of its file. */
  async restartRedis({ rollBack = false, awayMs = 0 } = {}): Promise<void> {
    const { port, password } = new URL(this.#server.url);
    await this.#server.kill();
    await pauseFor(awayMs);
    const directory = join(this.#folder, 'redis');
    if (rollBack) {
      await rm(join(directory, 'appendonlydir'), { recursive: true, force: true });
      await cp(join(this.#folder, 'backup'), join(directory, 'appendonlydir'), { recursive: true });
    }
    const program = process.env['AUTOPILOT_REDIS_SERVER'] ?? 'redis-server';
    this.#server = await startEmbeddedRedis({ program, directory, port: Number(port), password });
  }

  /**
   * The longest time that any daemon's loop was blocked by its own work, and in total; while it listened and was not stopped on purpose.
   */
  async loopMs(): Promise<{ readonly own: number; readonly whole: number; readonly waited: number }> {
    const bare = await readStands(this.#bareFile);
    let [own, whole, waited] = [0, 0, 0];
    for (const { file, listensFromMs } of this.#lives)
      for (const stand of await readStands(file)) {
        if (stand.fromMs < listensFromMs || isWithin(stand, this.#stopped)) continue;
        own = Math.max(own, ownStandMs(stand, bare));
        whole = Math.max(whole, stand.stoodMs);
        waited = Math.max(waited, stand.waitedMs);
      }
    return { own, whole, waited };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const place of this.places) await this.end(place, 'SIGTERM');
    await this.#stack.disposeAsync();
  }
}

const preload = (name: string) => join(import.meta.dirname, name);

export const pauseFor = (ms: number) => new Promise((done) => setTimeout(done, ms));
