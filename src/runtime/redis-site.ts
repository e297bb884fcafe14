// Where the server for a connection is: the one that REDIS_URL names, the primary that sentinels name, or the node of a cluster that owns a
// shard's keys. All keys of a shard are in one slot (`keyPrefix`), so a shard needs one node at a time; which node that is can change.
import { isIP } from 'node:net';
import { Redis as Client, type RedisOptions } from 'ioredis';
import { z } from 'zod';
import { AppError, messageOf } from '#domain/errors.ts';
import type { Logger } from './logger.ts';
import { accessOf, type RedisAccess, type RedisCredentials, type RedisTls } from './redis-access.ts';
import { RedisSiteError, troubleFrom } from './redis-trouble.ts';
import { isRedisHost, type RedisAddress, type RedisNode, redisNodeText } from './redis-url.ts';

/** One server to connect to. */
export interface Endpoint extends RedisNode {
  /** The name that its certificate must be for, if that is not the host. */
  readonly serverName?: string | undefined;
}

export interface RedisSiteOptions {
  readonly address: RedisAddress;
  /** What all keys begin with, including a hash tag: the site looks for the owner of their slot. */
  readonly prefix: string;
  /** Default: the credentials in the address. */
  readonly access?: RedisAccess | undefined;
  readonly logger: Logger;
}

/** How long the answer of a node or a sentinel may take. */
const askWithinMs = 2_000;
/** In a large cluster this many nodes are asked: each knows all of them. */
const mostAsked = 8;
/** Nodes that redirect us to each other are believed this often within the time; then others are asked. */
const mostHops = 5;
const hopsWithinMs = 10_000;

const slotCount = 16_384;

/** Shared by the connections of one shard: what one finds out, all know. */
export class RedisSite {
  readonly #address: RedisAddress;
  readonly #prefix: string;
  readonly #access: RedisAccess;
  readonly #logger: Logger;
  #isCluster: boolean;
  /** It has reported that it is not part of a cluster. */
  #isServer = false;
  /** In the order in which they are asked: for a cluster the known nodes, for sentinels those in the address. */
  #known: readonly RedisNode[];
  /** The owner of the keys, according to the node that was asked for them. */
  #hint: RedisNode | undefined;
  #hops = 0;
  #firstHopAt = 0;
  #asking: Promise<Endpoint> | undefined;
  /** Where the server was last found. */
  #last: Endpoint | undefined;

  constructor({ address, prefix, access = accessOf(address), logger }: RedisSiteOptions) {
    this.#address = address;
    this.#prefix = prefix;
    this.#access = access;
    this.#logger = logger;
    this.#isCluster = address.master === undefined && address.nodes.length > 1;
    this.#known = address.nodes;
  }

  get address(): RedisAddress {
    return this.#address;
  }

  /** How long a connection may use the credentials that it was opened with. */
  get renewMs(): number | undefined {
    return this.#access.renewMs;
  }

  /** For one connection, or to authenticate again. @throws RedisSiteError */
  async credentials(): Promise<RedisCredentials> {
    try {
      return await this.#access.credentials();
    } catch (error) {
      throw new RedisSiteError({
        kind: 'away',
        code: 'CREDENTIALS',
        said: `no password for Redis: ${messageOf(error)}`,
      });
    }
  }

  /** For one connection; undefined: without TLS. @throws AppError REDIS_URL_INVALID when a file cannot be read */
  async tls({ serverName }: Endpoint): Promise<RedisTls | undefined> {
    if (!this.#address.tls) return undefined;
    return { ...(serverName === undefined ? {} : { servername: serverName }), ...(await this.#access.tls()) };
  }

  get isCluster(): boolean {
    return this.#isCluster;
  }

  /** Whether the server may change over time. */
  get moves(): boolean {
    return this.#isCluster || this.#address.master !== undefined;
  }

  /** Two keys that never exist, in the same slot as all others. */
  get absentKeys(): readonly [string, string] {
    return [`${this.#prefix}:never:1`, `${this.#prefix}:never:2`];
  }

  /** A server has reported whether it is a node of a cluster. */
  learn(isNode: boolean): void {
    if (isNode) this.#isCluster = true;
    else this.#isServer = true;
  }

  /** Whether a server may redirect us: a redirect from a server outside a cluster would be odd, and is not believed. */
  get maySendOn(): boolean {
    return this.#isCluster || (this.#address.master === undefined && !this.#isServer);
  }

  /** The node that was asked for the keys says who owns them. */
  movedTo({ host, port }: RedisNode): void {
    this.#isCluster = true;
    // A node that has no name for the other one means the host where it was asked itself.
    const node = { host: host === '' ? (this.#last ?? this.#address.nodes[0]).host : host, port };
    // Another connection was faster.
    if (this.#last !== undefined && redisNodeText(this.#last) === redisNodeText(node)) {
      this.#hint = node;
      return;
    }
    const now = performance.now();
    if (now - this.#firstHopAt > hopsWithinMs) {
      this.#hops = 0;
      this.#firstHopAt = now;
    }
    this.#hops += 1;
    if (this.#hops <= mostHops) this.#hint = node;
  }

  /** The located server does not answer, or is not what it was said to be: whoever named it is asked last from now on. */
  missed(): void {
    const [first, ...others] = this.#known;
    this.#known = first === undefined ? this.#known : [...others, first];
  }

  /**
   * Finds the server.
   * @throws RedisSiteError if nobody knows; an error of ioredis if all that were asked refuse.
   */
  locate(): Promise<Endpoint> {
    if (!this.moves) return Promise.resolve(this.#address.nodes[0]);
    if (this.#hint) {
      const hint = this.#hint;
      this.#hint = undefined;
      return Promise.resolve(this.#tell(this.#endpoint(hint)));
    }
    // When the connections of a shard ask at the same moment, one query answers all.
    this.#asking ??= (this.#isCluster ? this.#askCluster() : this.#askSentinels())
      .then((endpoint) => this.#tell(endpoint))
      .finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  /** Where it was last found, for messages. */
  get current(): string {
    return this.describe(this.#last ?? this.#address.nodes[0]);
  }

  /** The server and its role, for messages: `10.0.0.7:6379 (primary of mymaster, say the sentinels)`. */
  describe(endpoint: RedisNode): string {
    const { master } = this.#address;
    if (!this.moves) return redisNodeText(endpoint);
    const part =
      master === undefined
        ? `owner of the keys of ${this.#prefix} in the cluster`
        : `primary of ${master}, say the sentinels`;
    return `${redisNodeText(endpoint)} (${part})`;
  }

  async #askSentinels(): Promise<Endpoint> {
    const { master, tls, nodes } = this.#address;
    let last: unknown;
    for (const sentinel of this.#known) {
      try {
        const answer = await this.#askSentinel(sentinel, master!);
        if (answer === undefined) {
          last = new RedisSiteError({
            kind: 'refuses',
            code: 'NO_SUCH_PRIMARY',
            said: `the sentinel at ${redisNodeText(sentinel)} watches no primary named ${master}`,
          });
          continue;
        }
        return { ...answer, ...(tls ? this.#serverName(answer) : {}) };
      } catch (error) {
        last = error;
      }
    }
    const trouble = troubleFrom(last);
    if (trouble.kind === 'refuses') throw last;
    throw new RedisSiteError({
      ...trouble,
      said: `none of ${nodes.length} sentinels answers (${nodes.map(redisNodeText).join(', ')}): ${trouble.said}`,
    });
  }

  /** A sentinel may have no password although the primary has one. */
  async #askSentinel(sentinel: RedisNode, master: string): Promise<RedisNode | undefined> {
    const question = async (client: Client) =>
      sentinelAnswer.parse(await client.call('SENTINEL', 'get-master-addr-by-name', master));
    const own = await this.#access.sentinelCredentials();
    try {
      return nodeOf(await this.#ask(sentinel, own ?? {}, question));
    } catch (error) {
      if (own !== undefined || !/^(?:NOAUTH|NOPERM)\b/.test(messageOf(error))) throw error;
      const ofServers = await this.credentials();
      if (ofServers.password === undefined) throw error;
      return nodeOf(await this.#ask(sentinel, ofServers, question));
    }
  }

  async #askCluster(): Promise<Endpoint> {
    const { database, tls } = this.#address;
    const credentials = await this.credentials();
    const candidates = distinct([...this.#known, ...this.#address.nodes]).slice(0, mostAsked);
    const down: ClusterView[] = [];
    const errors: unknown[] = [];
    const views = candidates.map(async (node) => {
      try {
        const view = await this.#ask(node, credentials, (client) => viewOf(client, node, this.#prefix));
        if (view.isUp && view.owner !== undefined) return view;
        down.push(view);
      } catch (error) {
        errors.push(error);
      }
      throw new Error('no use');
    });
    const view = await Promise.any(views).catch(() => undefined);
    if (view?.owner) {
      if (database !== 0) throw new RedisSiteError(databaseOnCluster(database));
      this.#known = view.nodes;
      return { ...view.owner, ...(tls ? this.#serverName(view.owner) : {}) };
    }
    const [one] = down;
    if (one) {
      const { slotsServed, slot, node } = one;
      throw new RedisSiteError({
        kind: 'away',
        code: 'CLUSTERDOWN',
        said: one.isUp
          ? `no node of the cluster owns slot ${slot}, where the keys of ${this.#prefix} belong (${redisNodeText(node)} says so)`
          : `the cluster is down: ${down.length} of ${candidates.length} nodes answer, and ${slotsServed} of ${slotCount} slots are served (${redisNodeText(node)} says so)`,
      });
    }
    const noCluster = errors.find((error) => /cluster support disabled/i.test(messageOf(error)));
    if (noCluster !== undefined)
      throw new RedisSiteError({
        kind: 'refuses',
        code: 'NO_CLUSTER',
        said: 'several servers are named, and they are no nodes of a cluster: name one server, nodes of one cluster, or sentinels by redis+sentinel://',
      });
    const refusal = errors.find((error) => troubleFrom(error).kind === 'refuses');
    if (refusal !== undefined) throw refusal;
    const trouble = troubleFrom(errors.at(-1));
    throw new RedisSiteError({
      ...trouble,
      said: `none of ${candidates.length} nodes of the cluster answers (${candidates.map(redisNodeText).join(', ')}): ${trouble.said}`,
    });
  }

  async #ask<T>(
    node: RedisNode,
    { username, password }: RedisCredentials,
    question: (client: Client) => Promise<T>,
  ): Promise<T> {
    const tls = await this.tls(this.#endpoint(node));
    const options: Omit<RedisOptions, 'replyMapping'> = {
      host: node.host,
      port: node.port,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(tls === undefined ? {} : { tls }),
      protocol: 2,
      lazyConnect: true,
      enableReadyCheck: false,
      disableClientInfo: true,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      connectTimeout: askWithinMs,
      commandTimeout: askWithinMs,
    };
    const client = new Client(options);
    let first: Error | undefined;
    client.on('error', (error: Error) => (first ??= error));
    try {
      await client.connect();
      return await question(client);
    } catch (error) {
      // The connection's error is nearer to the cause than the fact that it was closed.
      throw first ?? error;
    } finally {
      client.disconnect();
      client.stream?.destroy();
    }
  }

  #endpoint(node: RedisNode): Endpoint {
    return this.#address.tls ? { ...node, ...this.#serverName(node) } : node;
  }

  /** The certificate of a node that is named by its bare address is for the name under which the cluster was asked. */
  #serverName({ host }: RedisNode): Pick<Endpoint, 'serverName'> {
    const named = this.#address.nodes.find((node) => isIP(node.host) === 0);
    return isIP(host) !== 0 && named ? { serverName: named.host } : {};
  }

  #tell(endpoint: Endpoint): Endpoint {
    const before = this.#last && redisNodeText(this.#last);
    this.#last = endpoint;
    const node = redisNodeText(endpoint);
    if (before !== undefined && before !== node)
      this.#logger.info({ node, before }, `Redis is now at ${this.describe(endpoint)}`);
    return endpoint;
  }
}

/** A cluster has one database. */
export function databaseOnCluster(database: number) {
  return {
    kind: 'refuses',
    code: 'DATABASE',
    said: `the server is a node of a cluster, which has database 0 only, and the address names database ${database}: remove it`,
  } as const;
}

/** What one node says about its cluster. */
interface ClusterView {
  readonly node: RedisNode;
  readonly isUp: boolean;
  readonly slotsServed: number;
  readonly slot: number;
  readonly owner: RedisNode | undefined;
  /** All nodes, those that serve the slot first. */
  readonly nodes: readonly RedisNode[];
}

const sentinelAnswer = z.tuple([z.string(), z.string()]).nullable();
const hostText = z.string().max(255).nullable();
const isUnnamed: ReadonlySet<string> = new Set(['', '?']);
const portNumber = z.number().int().min(1).max(65_535);
/** https://redis.io/docs/latest/commands/cluster-slots/ */
const slotsAnswer = z.array(
  z.tuple([z.number().int(), z.number().int()], z.tuple([hostText, z.number().int()], z.unknown())),
);

async function viewOf(client: Client, node: RedisNode, key: string): Promise<ClusterView> {
  const [text, ranges, slot] = await Promise.all([
    client.cluster('INFO'),
    client.cluster('SLOTS').then((answer) => slotsAnswer.parse(answer)),
    client.cluster('KEYSLOT', key).then((answer) => z.number().int().parse(answer)),
  ]);
  // A node that has no name for itself is where it was asked.
  const toNodes = (entries: readonly (readonly [string | null, number, ...unknown[]])[]) =>
    entries.flatMap(([host, port]): RedisNode[] =>
      portNumber.safeParse(port).success && (host === null || isUnnamed.has(host) || isRedisHost(host))
        ? [{ host: host === null || isUnnamed.has(host) ? node.host : host, port }]
        : [],
    );
  const serving = ranges.find(([from, to]) => from <= slot && slot <= to);
  const [, , ...ofSlot] = serving ?? [0, 0];
  const ordered = [...toNodes(ofSlot), ...ranges.flatMap(([, , ...nodes]) => toNodes(nodes))];
  return {
    node,
    isUp: /^cluster_state:ok/m.test(text),
    slotsServed: Number(/^cluster_slots_ok:(\d+)/m.exec(text)?.[1] ?? 0),
    slot,
    owner: toNodes(ofSlot.slice(0, 1))[0],
    nodes: distinct(ordered),
  };
}

function nodeOf(answer: [string, string] | null): RedisNode | undefined {
  if (answer === null) return undefined;
  const [host, port] = answer;
  if (!isRedisHost(host) || !portNumber.safeParse(Number(port)).success)
    throw new AppError('REDIS_ANSWER_INVALID', `a sentinel's answer is not an address`);
  return { host, port: Number(port) };
}

function distinct(nodes: readonly RedisNode[]): readonly RedisNode[] {
  return [...new Map(nodes.map((node) => [redisNodeText(node), node])).values()];
}

/** An endpoint that cannot be reached, with its role. */
export function unreached(site: RedisSite, endpoint: Endpoint, cause: unknown): Error {
  const trouble = troubleFrom(cause);
  return new RedisSiteError({ ...trouble, said: `${site.describe(endpoint)}: ${trouble.said}` }, cause);
}
