// One connection to Redis: it reconnects by itself, knows its current trouble, and follows its keys to another server.
import { createHash } from 'node:crypto';
import { Redis as Client, type Command, type RedisOptions } from 'ioredis';
import { backoffMs } from './backoff.ts';
import type { RedisCredentials } from './redis-access.ts';
import { connectorOf } from './redis-connector.ts';
import { breakWhenSilent } from './redis-silence.ts';
import { databaseOnCluster, type RedisSite } from './redis-site.ts';
import { isUnsent, RedisNotConnected, RedisSiteError, type RedisTrouble, troubleFrom } from './redis-trouble.ts';
import { isRedisHost, type RedisNode } from './redis-url.ts';
import { type RedisWatch } from './redis-watch.ts';

export type Redis = Client;

/**
 * - `queue`: producers (BullMQ Queue): fails fast while Redis is away.
 * - `worker`: BullMQ Worker and QueueEvents: blocks, waits for Redis forever.
 * - `limiter`, `store`: scripts whose answer somebody waits for: fails fast.
 */
export type RedisRole = 'queue' | 'worker' | 'limiter' | 'store';

export type ConnectionOptions = Omit<RedisOptions, 'replyMapping'>;

/** Between attempts to connect: a server that is away is found again soon; one that refuses is tried rarely. */
const reconnect = { away: { baseMs: 100, maxMs: 2_000 }, refuses: { baseMs: 100, maxMs: 10_000 } };
/** Before a worker learns that its command was refused: it would repeat it at once. */
const refusedAgain = { baseMs: 100, maxMs: 2_000 };
/** Before a command is sent again whose keys are moving to another node. */
const movingAgain = { baseMs: 20, maxMs: 500 };
/** This often in a row it leaves at once for the node that has the keys; after that the nodes send it back and forth, so it pauses. */
const followsAtOnce = 3;
/** After being well for this long, a connection begins with short pauses again. */
const wellMs = 10_000;
/** How long the refusal of a command counts that is not sent again. */
const refusedMs = 60_000;

export interface ConnectionSetup {
  readonly site: RedisSite;
  readonly role: RedisRole;
  readonly watch: RedisWatch;
  readonly patienceMs: () => number;
}

/** Commands that a server may forbid and still be usable. */
const optional = new Set(['config', 'info', 'client']);

export class Connection extends Client {
  readonly #setup: ConnectionSetup;
  /** What was refused in the current handshake. */
  #handshake: RedisTrouble | undefined;
  /** What was refused in the last handshake, until one succeeds. */
  #unusable: RedisTrouble | undefined;
  #away: RedisTrouble | undefined;
  /** Commands that were refused the last time they were sent. */
  readonly #refused = new Map<string, { trouble: RedisTrouble; times: number; at: number }>();
  #forgetting: NodeJS.Timeout | undefined;
  #closes = 0;
  #readySince: number | undefined;
  /** Refusals that are delayed, so that a caller that repeats at once does so with pauses. */
  readonly #delayed = new Map<NodeJS.Timeout, () => void>();
  /** Commands that no node has run because their keys moved: they are sent again. */
  readonly #held = new Map<Command, Held>();
  /** How often a command was held. */
  readonly #heldBefore = new WeakMap<Command, { readonly since: number; readonly times: number }>();
  /** Set while the connection leaves a node for the one that has the keys: `begun` until it tries to reach that one. */
  #following: 'begun' | 'under way' | undefined;
  readonly #whole = new WeakSet<Command>();
  #renewal: NodeJS.Timeout | undefined;

  constructor(options: ConnectionOptions, setup: ConnectionSetup) {
    super({
      ...options,
      Connector: connectorOf(setup.site, (credentials) => this.#authenticate(credentials)),
      lazyConnect: true,
      retryStrategy: () => this.#pauseMs(),
      reconnectOnError: isReadOnly,
    });
    this.#setup = setup;
    // Where a connection decides whether the server's report about itself is acceptable; public only in the class of connectors.
    (this as unknown as { connector: { check(info: unknown): boolean } }).connector.check = (info) => this.#suits(info);
    // As a property: its type in the class refers to itself, and cannot be overridden.
    Object.defineProperty(this, 'duplicate', {
      value: (other?: ConnectionOptions) => this.#duplicate(other),
      configurable: true,
      writable: true,
    });
    breakWhenSilent(this, setup.patienceMs);
    this.on('connect', () => (this.#handshake = undefined));
    this.on('error', (error: Error) => this.#failed(error));
    // A node ends a subscription when the channel's slot moves to another node.
    this.on('moved', () => this.#follow());
    this.on('ready', () => {
      this.#renewLater();
      this.#readySince = performance.now();
      this.#away = undefined;
      this.#unusable = undefined;
      this.#following = undefined;
      this.#tell();
      for (const command of this.#held.keys()) this.#sendHeld(command);
    });
    this.on('close', () => {
      clearTimeout(this.#renewal);
      const isOld = this.#readySince !== undefined && performance.now() - this.#readySince > wellMs;
      this.#closes = isOld && this.#refused.size === 0 ? 1 : this.#closes + 1;
      this.#readySince = undefined;
      if (this.#refused.size === 0 && this.#following === undefined) this.#away ??= closed;
      for (const [timer, release] of this.#delayed) {
        clearTimeout(timer);
        release();
      }
      this.#delayed.clear();
    });
    this.on('end', () => {
      for (const [command, { error }] of this.#held) this.#letGo(command)?.reject(error);
      clearTimeout(this.#forgetting);
      setup.watch.forget(this);
    });
  }

  /** What keeps it from working now. */
  get trouble(): RedisTrouble | undefined {
    const [refused] = this.#refused.values();
    return this.#unusable ?? this.#away ?? refused?.trouble ?? (this.status === 'connect' ? notReady : undefined);
  }

  /** What the next handshake sends: a member of ioredis' connection that its types hide. */
  #authenticate({ username, password }: RedisCredentials): void {
    const auth = username === undefined || password === undefined ? password : [username, password];
    (this as unknown as { condition: { auth: string | readonly string[] | undefined } }).condition.auth = auth;
  }

  /** A server may end a connection whose credentials have become too old. */
  #renewLater(): void {
    const { site } = this.#setup;
    if (site.renewMs === undefined) return;
    this.#renewal = setTimeout(() => {
      this.#renewLater();
      site
        .credentials()
        .then(({ username = 'default', password = '' }) => this.auth(username, password))
        // Then the server ends the connection some time later, and the next one sends new ones.
        .catch(() => undefined);
    }, site.renewMs).unref();
  }

  /** Whether it is between a node and another that has the keys: not trouble yet. */
  get isFollowing(): boolean {
    return this.#following !== undefined;
  }

  /** BullMQ duplicates a worker's connection, and gives up permanently if that connection's own first `connect` call fails. */
  begun(): this {
    if (this.#setup.role === 'worker') this.connect().catch(() => undefined);
    return this;
  }

  #duplicate(other: ConnectionOptions = {}): Client {
    return new Connection({ ...this.options, ...other }, this.#setup).begun();
  }

  override sendCommand(command: Command, stream?: Parameters<Client['sendCommand']>[1]): unknown {
    if (this.#setup.site.isCluster) this.#keepWhole(command);
    if (this.#following !== undefined && stream === undefined && this.#mayWait(command)) {
      if (!this.#hold(command, notReached, { isElsewhere: true })) command.reject(notReached);
      return command.promise;
    }
    if (this.status !== 'ready' || !this.stream?.writable) this.#tellWhyUnsent(command);
    const answer = super.sendCommand(command, stream);
    if (this.#refused.size > 0)
      command.promise.then(
        () => this.#accepted(nameOf(command)),
        () => undefined,
      );
    return answer;
  }

  /** ioredis says how it is configured; a person must read that there is no connection. */
  #tellWhyUnsent(command: Command): void {
    const { reject } = command;
    // It may have broken a moment ago, before 'close'.
    const broken = this.#readySince === undefined ? undefined : closed;
    command.reject = (error) => reject(isUnsent(error) ? new RedisNotConnected(this.trouble ?? broken) : error);
  }

  /** Called for every refusal outside the handshake. */
  override handleReconnection(error: Error, item: Parameters<Client['handleReconnection']>[1]): void {
    const command = item.command as unknown as Command;
    const move = moveOf(error, this.#setup.site);
    if (move !== undefined && this.#holds(error, command, move)) return;
    // It is on its way there: not trouble yet.
    if (move?.isElsewhere && this.#following !== undefined) return super.handleReconnection(error, item);
    const times = this.#refuses(error, command);
    const handOn = () => super.handleReconnection(error, item);
    if (this.#setup.role !== 'worker' || times < 2) return handOn();
    const timer = setTimeout(
      () => {
        this.#delayed.delete(timer);
        handOn();
      },
      backoffMs(refusedAgain, times - 2, Math.random),
    );
    this.#delayed.set(timer, handOn);
  }

  /** Returns how often in a row this command was refused. */
  #refuses(error: Error, command: Command): number {
    const name = nameOf(command);
    const times = (this.#refused.get(name)?.times ?? 0) + 1;
    const trouble = troubleFrom(error);
    // Not a refusal: the script is then sent in full, and what Redis answers to that counts. A Redis that becomes a replica forgets all scripts.
    if (command.name === 'evalsha' && trouble.code === 'NOSCRIPT') return times;
    if (optional.has(command.name)) return times;
    this.#refused.set(name, { trouble, times, at: performance.now() });
    this.#forgetting ??= setTimeout(() => this.#forget(), refusedMs).unref();
    if (isOfServer(trouble)) this.#setup.watch.troubled(this, trouble, this.#setup.role);
    return times;
  }

  /** A command that nobody repeats is no longer trouble. */
  #forget(): void {
    this.#forgetting = undefined;
    const sinceAt = performance.now() - refusedMs;
    for (const [name, { at }] of this.#refused) if (at <= sinceAt) this.#refused.delete(name);
    if (this.#refused.size > 0) this.#forgetting = setTimeout(() => this.#forget(), refusedMs).unref();
    this.#tell();
  }

  #accepted(name: string): void {
    if (this.#refused.size === 0) return;
    this.#refused.delete(name);
    this.#tell();
  }

  /**
   * A script is run by a node that has all of its keys, or by none: while a slot moves, a node refuses a script if it lacks a
   * key that is named, and these two never exist. Keys that a script does not name, such as those of BullMQ's scripts, could otherwise be
   * found missing half-way.
   */
  #keepWhole(command: Command): void {
    if ((command.name !== 'evalsha' && command.name !== 'eval') || this.#whole.has(command)) return;
    this.#whole.add(command);
    const [script = '', count, ...rest] = command.args;
    const keys = Number(count);
    const absent = this.#setup.site.absentKeys;
    command.args = [script, String(keys + absent.length), ...rest.slice(0, keys), ...absent, ...rest.slice(keys)];
  }

  /** Whether a refused command waits to be sent again: nothing of it was run, because its keys are elsewhere or moving. */
  #holds(error: Error, command: Command, move: Move): boolean {
    const { site, role } = this.#setup;
    if (move.to) site.movedTo(move.to);
    if (move.isElsewhere) this.#follow();
    // Permits are counted by the time at which they were requested. No part of a transaction is sent again alone.
    if (role === 'limiter' || command.inTransaction || command.pipelineIndex !== undefined) return false;
    return this.#hold(command, error, move);
  }

  /** Commands of the handshake with the next server, and the final one, go at once; a worker's wait in ioredis' queue. */
  #mayWait({ name }: Command): boolean {
    const { role } = this.#setup;
    if (role !== 'store' && role !== 'queue') return false;
    return !ofThisSession.has(name) && !(this.status === 'connect' && handshake.has(name));
  }

  /** False: it has been held for too long. */
  #hold(command: Command, error: Error, { isElsewhere }: { readonly isElsewhere: boolean }): boolean {
    const { role, patienceMs } = this.#setup;
    const now = performance.now();
    const { since, times } = this.#heldBefore.get(command) ?? { since: now, times: 0 };
    this.#heldBefore.set(command, { since, times: times + 1 });
    const leftMs = since + patienceMs() - now;
    if (role !== 'worker' && leftMs <= 0) return false;
    // A command whose keys are elsewhere is sent when the connection to that server is ready.
    const again = isElsewhere
      ? undefined
      : setTimeout(() => this.#sendHeld(command), backoffMs(movingAgain, times, Math.random));
    const end = role === 'worker' ? undefined : setTimeout(() => this.#giveUp(command, error), leftMs);
    this.#held.set(command, { error, again, end });
    return true;
  }

  /** It took too long for the caller: now it is trouble. */
  #giveUp(command: Command, error: Error): void {
    if (this.#letGo(command) === undefined) return;
    if (error !== notReached) this.#refuses(error, command);
    command.reject(error);
  }

  #sendHeld(command: Command): void {
    const held = this.#held.get(command);
    // Not yet: 'ready' sends it.
    if (held === undefined || this.status !== 'ready' || this.#following !== undefined) return;
    this.#letGo(command);
    this.sendCommand(command);
  }

  #letGo(command: Command): Command | undefined {
    const held = this.#held.get(command);
    if (held === undefined) return undefined;
    clearTimeout(held.again);
    clearTimeout(held.end);
    this.#held.delete(command);
    return command;
  }

  /** Leaves for the server that has the keys now. */
  #follow(): void {
    if (this.status !== 'ready' || !this.#setup.site.moves) return;
    this.#following = 'begun';
    this.disconnect(true);
  }

  #failed(error: Error): void {
    this.#following = undefined;
    const trouble = troubleFrom(error);
    if (trouble.kind === 'refuses') this.#handshake = this.#unusable = trouble;
    else this.#away = trouble;
    this.#setup.watch.troubled(this, trouble, this.#setup.role);
  }

  #tell(): void {
    if (this.trouble === undefined) this.#setup.watch.well(this);
  }

  #suits(info: unknown): boolean {
    const { site } = this.#setup;
    const { redis_mode: mode, cluster_enabled: isCluster, role } = (info ?? {}) as Record<string, string | undefined>;
    const { database } = site.address;
    const isNode = mode === 'cluster' || isCluster === '1';
    const misfit = isNode && database !== 0 ? databaseOnCluster(database) : (this.#handshake ?? misfitOf(mode));
    if (misfit === undefined && isNode && !site.isCluster) {
      site.learn(true);
      this.#following = 'begun';
      return false;
    }
    if (misfit === undefined && mode !== undefined) site.learn(isNode);
    if (misfit === undefined && site.moves && role !== undefined && role !== 'master') {
      site.missed();
      this.#failed(notPrimary(site));
      return false;
    }
    if (misfit === undefined) return true;
    this.#unusable = misfit;
    this.#setup.watch.troubled(this, misfit, this.#setup.role);
    return false;
  }

  #pauseMs(): number {
    if (this.#following === 'begun') {
      this.#following = 'under way';
      const tooOften = this.#closes - followsAtOnce;
      return tooOften <= 0 ? 0 : backoffMs(reconnect.away, tooOften - 1, Math.random);
    }
    this.#following = undefined;
    const refuses = this.#unusable !== undefined || this.#refused.size > 0;
    return backoffMs(refuses ? reconnect.refuses : reconnect.away, this.#closes - 1, Math.random);
  }
}

/** Commands that ioredis sends before a connection is ready. */
const handshake = new Set(['hello', 'auth', 'select', 'client', 'info', 'readonly']);

/** WAIT is about what was written over this very connection: on the next server it would confirm writes that it does not know. */
const ofThisSession = new Set(['quit', 'wait']);

const notReached = new Error('the server that has the keys now was not reached in time');

const closed: RedisTrouble = { kind: 'away', code: 'CLOSED', said: 'the connection was closed' };

const notReady: RedisTrouble = {
  kind: 'away',
  code: 'CONNECTING',
  said: 'the connection is open, but the server is not ready (it may be loading its data)',
};

/** A script by its hash, any other command by its name. */
function nameOf({ name, args }: Command): string {
  if (name === 'evalsha') return `script ${String(args[0])}`;
  return name === 'eval' ? `script ${createHash('sha1').update(String(args[0])).digest('hex')}` : name;
}

/** After a failover the old primary is read-only: the address leads to the new one. */
function isReadOnly({ message }: Error): boolean {
  return /\bREADONLY\b/.test(message);
}

/** What keeps a server from working; not an error that a single command causes, nor the end of a blocking command by a failover. */
function isOfServer({ code }: RedisTrouble): boolean {
  return !['BUSYGROUP', 'BUSYKEY', 'UNBLOCKED'].includes(code);
}

/** @param mode from INFO; undefined if the user may not ask. */
function misfitOf(mode: string | undefined): RedisTrouble | undefined {
  if (mode !== 'sentinel') return undefined;
  return {
    kind: 'refuses',
    code: 'SENTINEL',
    said: 'the server is a sentinel: write redis+sentinel://host:26379/name, with the name of the primary',
  };
}

function notPrimary(site: RedisSite): Error {
  return new RedisSiteError({
    kind: 'away',
    code: 'NOT_PRIMARY',
    said: `${site.current} is a replica: a failover is under way, or what names it is out of date`,
  });
}

interface Held {
  readonly error: Error;
  readonly again: NodeJS.Timeout | undefined;
  readonly end: NodeJS.Timeout | undefined;
}

interface Move {
  /** Who has the keys, if the server said so. */
  readonly to?: RedisNode;
  /** They are at another server; otherwise moving, or owned by nobody. */
  readonly isElsewhere: boolean;
}

/** What a refusal says about where keys are; undefined: nothing, or the server is the only one. */
function moveOf({ message }: Error, site: RedisSite): Move | undefined {
  const [, host, port] = /^MOVED \d+ (\S*):(\d{1,5})$/.exec(message) ?? [];
  if (host !== undefined && site.maySendOn && (host === '' || isRedisHost(host)))
    return { to: { host, port: Number(port) }, isElsewhere: true };
  if (!site.moves) return undefined;
  if (/^READONLY\b/.test(message)) return { isElsewhere: true };
  return /^(?:ASK|TRYAGAIN|CLUSTERDOWN)\b/.test(message) ? { isElsewhere: false } : undefined;
}
