// A real Redis Cluster, or a primary with replicas and sentinels, in a temporary folder on free ports of loopback.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis, type RedisOptions } from 'ioredis';
import { lastingPort } from './ports.ts';
import { eventually } from './quiet.ts';

type Options = Omit<RedisOptions, 'replyMapping'>;

export interface TestNode {
  readonly port: number;
  /** A connection for inspection. */
  readonly redis: Redis;
  readonly isDead: boolean;
  /** kill -9 */
  kill(): Promise<void>;
  /** Starts it again after `kill`, with only what it knows of its cluster. */
  restart(): void;
  /** Suspends it (SIGSTOP); `false` continues it. */
  freeze(isFrozen: boolean): void;
}

/** Servers of one test; `await using` ends them, each by its pid. */
class Servers implements AsyncDisposable {
  readonly folder: string;
  readonly #children: ChildProcess[] = [];
  readonly #clients: Redis[] = [];

  constructor(folder: string) {
    this.folder = folder;
    process.once('exit', this.#onExit);
  }

  /** An interrupted run disposes of nothing. */
  readonly #onExit = () => {
    for (const child of this.#children) child.kill('SIGKILL');
  };

  static async create(): Promise<Servers> {
    return new Servers(await mkdtemp(join(tmpdir(), 'autopilot-redis-')));
  }

  /** Starts one server with a configuration of `name value` lines; `files` are in its folder. */
  async start(
    config: readonly string[],
    {
      port,
      flags = [],
      files = {},
      client = {},
    }: {
      readonly port: number;
      readonly flags?: readonly string[];
      readonly files?: Readonly<Record<string, string>>;
      readonly client?: Options;
    },
  ): Promise<TestNode> {
    const folder = join(this.folder, String(port));
    await mkdir(folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const file = join(folder, 'redis.conf');
    await writeFile(file, ['bind 127.0.0.1', `dir ${folder}`, 'daemonize no', ...config].join('\n'));
    let child = this.#spawn(file, flags);
    const redis = new Redis({
      host: '127.0.0.1',
      port,
      maxRetriesPerRequest: null,
      retryStrategy: () => 50,
      ...client,
    });
    redis.on('error', () => undefined);
    this.#clients.push(redis);
    let isDead = false;
    return {
      port,
      redis,
      get isDead() {
        return isDead;
      },
      async kill() {
        isDead = true;
        await ended(child);
      },
      restart: () => {
        child = this.#spawn(file, flags);
        isDead = false;
      },
      freeze: (isFrozen) => void child.kill(isFrozen ? 'SIGSTOP' : 'SIGCONT'),
    };
  }

  #spawn(file: string, flags: readonly string[]): ChildProcess {
    const program = process.env['AUTOPILOT_REDIS_SERVER'] ?? 'redis-server';
    const child = spawn(program, [file, ...flags], { stdio: 'ignore' });
    this.#children.push(child);
    return child;
  }

  async [Symbol.asyncDispose]() {
    for (const client of this.#clients) client.disconnect();
    await Promise.all(this.#children.map(ended));
    process.off('exit', this.#onExit);
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** kill -9 */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit').catch(() => undefined);
  child.kill('SIGKILL');
  await gone;
}

const slotCount = 16_384;
const idOf = (index: number) => String(index + 1).repeat(40);

export interface TestCluster extends AsyncDisposable {
  /** redis://host:port of the first node. */
  readonly url: string;
  /** Three primaries and then their replicas in the same order. */
  readonly nodes: readonly TestNode[];
  /** The node that owns a key's slot now. */
  ownerOf(key: string): Promise<TestNode>;
  /** A living replica of a primary. */
  replicaOf(primary: TestNode): Promise<TestNode>;
  /** Moves a key's slot with all of its keys to another primary; `between` runs when the move has begun and nothing has moved yet. */
  moveSlot(key: string, options?: { readonly between?: () => Promise<void> }): Promise<TestNode>;
}

/**
 * Starts three primaries and three replicas that know each other already, so that no agreement is needed first.
 * A primary counts as lost after a second.
 */
export async function redisCluster({
  extra = [],
  client = {},
  scheme = 'redis',
}: {
  readonly extra?: readonly string[];
  readonly client?: Options;
  readonly scheme?: 'redis' | 'rediss';
} = {}): Promise<TestCluster> {
  const servers = await Servers.create();
  try {
    const places: { port: number; bus: number }[] = [];
    for (let index = 0; index < 6; index += 1) places.push({ port: await lastingPort(), bus: await lastingPort() });
    const bounds = [0, 5_461, 10_923, slotCount];
    const lines = (self: number) => [
      ...places.map(({ port, bus }, index) => {
        const isPrimary = index < 3;
        const role = `${index === self ? 'myself,' : ''}${isPrimary ? 'master' : 'slave'}`;
        const slots = isPrimary ? ` ${bounds[index]}-${bounds[index + 1]! - 1}` : '';
        const master = isPrimary ? '-' : idOf(index - 3);
        return `${idOf(index)} 127.0.0.1:${port}@${bus} ${role} ${master} 0 0 ${(index % 3) + 1} connected${slots}`;
      }),
      'vars currentEpoch 6 lastVoteEpoch 0',
      '',
    ];
    const nodes: TestNode[] = [];
    for (const [index, { port, bus }] of places.entries())
      nodes.push(
        await servers.start(
          [
            ...(scheme === 'redis' ? [`port ${port}`] : ['port 0', `tls-port ${port}`]),
            `cluster-port ${bus}`,
            'cluster-enabled yes',
            'cluster-config-file nodes.conf',
            'cluster-node-timeout 1000',
            'cluster-replica-validity-factor 0',
            'repl-diskless-sync-delay 0',
            'appendonly no',
            'save ""',
            ...extra,
          ],
          { port, client, files: { 'nodes.conf': lines(index).join('\n') } },
        ),
      );
    const info = async ({ redis }: TestNode, part: string) => redis.info(part);
    await eventually(async () => {
      const states = await Promise.all(nodes.map(({ redis }) => redis.cluster('INFO')));
      const replicas = await Promise.all(nodes.slice(3).map((node) => info(node, 'replication')));
      return (
        states.every((state) => /cluster_state:ok/.test(state)) &&
        replicas.every((text) => /master_link_status:up/.test(text))
      );
    });
    const ownerOf = async (key: string, asked = nodes): Promise<TestNode> => {
      const alive = asked.find(({ isDead }) => !isDead)!;
      const slot = await alive.redis.cluster('KEYSLOT', key);
      const ranges = (await alive.redis.cluster('SLOTS')) as unknown as [number, number, [string, number]][];
      const [, , [, port]] = ranges.find(([from, to]) => from <= slot && slot <= to)!;
      return nodes.find((node) => node.port === port)!;
    };
    return {
      url: `${scheme}://127.0.0.1:${nodes[0]!.port}`,
      nodes,
      ownerOf: (key) => ownerOf(key),
      replicaOf: (primary) =>
        eventually(async () => {
          const text = await primary.redis.info('replication');
          const ports = Array.from(text.matchAll(/^slave\d+:.*port=(\d+),state=online/gm), ([, port]) => Number(port));
          return nodes.find((node) => !node.isDead && ports.includes(node.port));
        }),
      async moveSlot(key, { between } = {}) {
        const from = await ownerOf(key);
        const ranges = (await from.redis.cluster('SLOTS')) as unknown as [number, number, [string, number]][];
        const ports = new Set(ranges.map(([, , [, port]]) => port));
        const to = nodes.find((node) => node !== from && ports.has(node.port))!;
        const id = async ({ redis }: TestNode) => redis.cluster('MYID');
        const slot = await from.redis.cluster('KEYSLOT', key);
        await to.redis.cluster('SETSLOT', slot, 'IMPORTING', await id(from));
        await from.redis.cluster('SETSLOT', slot, 'MIGRATING', await id(to));
        await between?.();
        for (;;) {
          const keys = await from.redis.cluster('GETKEYSINSLOT', slot, 100);
          if (keys.length === 0) break;
          await from.redis.call('MIGRATE', '127.0.0.1', to.port, '', 0, 10_000, 'KEYS', ...keys);
        }
        await to.redis.cluster('SETSLOT', slot, 'NODE', await id(to));
        await from.redis.cluster('SETSLOT', slot, 'NODE', await id(to));
        return to;
      },
      [Symbol.asyncDispose]: () => servers[Symbol.asyncDispose](),
    };
  } catch (error) {
    await servers[Symbol.asyncDispose]();
    throw error;
  }
}

type Pair = readonly [primary: TestNode, replica: TestNode];

async function startPair(servers: Servers, password?: string): Promise<Pair> {
  const client = password === undefined ? {} : { password };
  const auth = password === undefined ? [] : [`requirepass ${password}`, `masterauth ${password}`];
  const start = async (...more: readonly string[]) => {
    const port = await lastingPort();
    const common = [`port ${port}`, 'appendonly no', 'save ""', 'repl-diskless-sync-delay 0'];
    return servers.start([...common, ...auth, ...more], { port, client });
  };
  const primary = await start();
  const replica = await start(`replicaof 127.0.0.1 ${primary.port}`);
  await eventually(async () => /master_link_status:up/.test(await replica.redis.info('replication')));
  // It does not count until it has confirmed its place for the first time.
  await eventually(async () => /state=online/.test(await primary.redis.info('replication')));
  return [primary, replica];
}

/** Starts a primary with a replica. */
export async function redisPair(): Promise<AsyncDisposable & { readonly nodes: Pair }> {
  const servers = await Servers.create();
  try {
    return { nodes: await startPair(servers), [Symbol.asyncDispose]: () => servers[Symbol.asyncDispose]() };
  } catch (error) {
    await servers[Symbol.asyncDispose]();
    throw error;
  }
}

export interface TestSentinels extends AsyncDisposable {
  /** redis+sentinel://… */
  readonly url: string;
  readonly nodes: readonly TestNode[];
  readonly sentinels: readonly TestNode[];
  /** The node that the sentinels name. */
  primary(): Promise<TestNode>;
}

/** Starts a primary with a replica, and three sentinels that count it as lost after a second. */
export async function redisSentinels({
  password,
  sentinelPassword,
}: {
  readonly password?: string;
  readonly sentinelPassword?: string;
} = {}): Promise<TestSentinels> {
  const servers = await Servers.create();
  try {
    const nodes = await startPair(servers, password);
    const sentinels: TestNode[] = [];
    for (let index = 0; index < 3; index += 1) {
      const port = await lastingPort();
      sentinels.push(
        await servers.start(
          [
            `port ${port}`,
            `sentinel monitor mymaster 127.0.0.1 ${nodes[0].port} 2`,
            ...(password === undefined ? [] : [`sentinel auth-pass mymaster ${password}`]),
            ...(sentinelPassword === undefined
              ? []
              : [`requirepass ${sentinelPassword}`, `sentinel sentinel-pass ${sentinelPassword}`]),
            'sentinel down-after-milliseconds mymaster 1000',
            'sentinel failover-timeout mymaster 3000',
          ],
          {
            port,
            flags: ['--sentinel'],
            client: sentinelPassword === undefined ? {} : { password: sentinelPassword },
          },
        ),
      );
    }
    // Each knows the replica and the other two.
    await eventually(async () => {
      const texts = await Promise.all(sentinels.map(({ redis }) => redis.info('sentinel')));
      return texts.every((text) => /status=ok,address=[^,]+,slaves=1,sentinels=3/.test(text));
    });
    const userinfo = password === undefined ? '' : `:${password}@`;
    return {
      url: `redis+sentinel://${userinfo}${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/mymaster`,
      nodes,
      sentinels,
      async primary() {
        const answer = await sentinels.at(-1)!.redis.call('SENTINEL', 'get-master-addr-by-name', 'mymaster');
        return nodes.find(({ port }) => String(port) === (answer as string[])[1])!;
      },
      [Symbol.asyncDispose]: () => servers[Symbol.asyncDispose](),
    };
  } catch (error) {
    await servers[Symbol.asyncDispose]();
    throw error;
  }
}
