// Which shard a name, a channel or an event belongs to. This is the only place that decides it: the API, the page and the event queues all
// ask here.
import { parseChannelArn } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import type { EventObservation } from '#domain/observation.ts';

/** One (account, Region). */
export interface ShardIdentity {
  /** The account's name in the configuration. */
  readonly name: string;
  readonly region: string;
  /** The 12 digits; undefined until the configuration or the account's own channels show them. */
  readonly accountId: string | undefined;
}

/** An account and a Region, as named by an ARN or an event. */
interface Place {
  readonly region: string;
  readonly account: string;
}

/** What a directory knows about the accounts that this process does not carry. */
export interface Elsewhere<D extends ShardIdentity> {
  /** In the order of the configuration. */
  readonly shards: readonly D[];
  /** Who carries an account, in words. */
  readonly carriersOf: (name: string) => string;
}

/**
 * The shards of this process (`all`), and the owners of the channels that other processes carry. Both in the order of the
 * configuration.
 */
export class ShardDirectory<S extends ShardIdentity, D extends ShardIdentity = ShardIdentity> {
  readonly all: readonly [S, ...S[]];
  readonly #elsewhere: Elsewhere<D>;

  constructor(
    shards: readonly [S, ...S[]],
    elsewhere: Elsewhere<D> = { shards: [], carriersOf: () => 'another process' },
  ) {
    this.all = shards;
    this.#elsewhere = elsewhere;
  }

  /** The first that this process carries: the default where the API documents one. */
  get first(): S {
    return this.all[0];
  }

  /** Those that this process does not carry. */
  get elsewhere(): readonly D[] {
    return this.#elsewhere.shards;
  }

  /** Whether the configuration has only one account: then no request needs to name it. */
  get isOne(): boolean {
    return this.all.length + this.elsewhere.length === 1;
  }

  /** The shard of this account name. @throws AppError NOT_FOUND with the nearest name, ACCOUNT_ELSEWHERE */
  named(name: string): S {
    const found = this.all.find((shard) => shard.name === name);
    if (found) return found;
    this.#mustNotBeElsewhere(this.elsewhere.find((shard) => shard.name === name));
    const names = [...this.all, ...this.elsewhere].map((shard) => shard.name);
    throw new AppError(
      'NOT_FOUND',
      `query.account: there is no account ${name}${didYouMean(name, names)}; accounts of the configuration: ${names.join(', ')}`,
      { details: { setting: 'accounts' } },
    );
  }

  /**
   * For requests that must never reach an account by accident. @throws AppError REQUEST_INVALID if there are several and none is named,
   * NOT_FOUND, ACCOUNT_ELSEWHERE
   */
  namedOrOnly(name: string | undefined): S {
    if (name !== undefined) return this.named(name);
    if (this.isOne) return this.first;
    const names = this.all.map((shard) => shard.name).join(', ');
    throw new AppError('REQUEST_INVALID', `query.account: name one of the accounts ${names}`);
  }

  /**
   * The shard that owns a channel, whether the shard knows it or not.
   * @throws AppError NOT_FOUND for a channel of no configured account, ACCOUNT_ELSEWHERE for one of an account that another process carries
   */
  ofChannel(channelArn: string): S {
    const found = this.findOfChannel(channelArn);
    if (found) return found;
    this.#mustNotBeElsewhere(this.findElsewhere(channelArn));
    throw new AppError(
      'NOT_FOUND',
      `${channelArn}: no entry under accounts in the configuration has this account id and Region`,
      { details: { setting: 'accounts' } },
    );
  }

  /** As `ofChannel`; undefined for a channel that this process does not carry, or a text that is not a channel's ARN. */
  findOfChannel(channelArn: string): S | undefined {
    const place = parseChannelArn(channelArn);
    const found = place && this.#at(place);
    return this.all.find((shard) => shard === found);
  }

  /** As `named`, including those that another process carries. @throws AppError NOT_FOUND */
  anyNamed(name: string): S | D {
    return this.elsewhere.find((shard) => shard.name === name) ?? this.named(name);
  }

  /** As `ofChannel`, including those that another process carries. @throws AppError NOT_FOUND */
  anyOfChannel(channelArn: string): S | D {
    return this.findElsewhere(channelArn) ?? this.ofChannel(channelArn);
  }

  /** The shard that owns a channel, if another process carries it. */
  findElsewhere(channelArn: string): D | undefined {
    const place = parseChannelArn(channelArn);
    const found = place && this.#at(place);
    return this.elsewhere.find((shard) => shard === found);
  }

  /**
   * The shard that owns an event, whichever queue delivered it: that of its channel; without a channel, that of its `account` in the Region
   * of the queue, since an envelope can name any Region. An envelope that names no account belongs to no shard.
   */
  findOfEvent({ channelArn, envelope: { account } }: EventObservation, queueOf: ShardIdentity): S | D | undefined {
    if (channelArn !== undefined) return this.findOfChannel(channelArn) ?? this.findElsewhere(channelArn);
    return /^\d{12}$/.test(account) ? this.#at({ region: queueOf.region, account }) : undefined;
  }

  /**
   * The shard that owns an event of a queue that several accounts share: that of the account and Region in its envelope, which must match
   * its channel, and be known. An event whose owner is uncertain belongs to no shard.
   */
  findOfSharedEvent({ channelArn, envelope: { account, region } }: EventObservation): S | D | undefined {
    if (!/^\d{12}$/.test(account)) return undefined;
    const place = channelArn === undefined ? { account, region } : parseChannelArn(channelArn);
    if (place?.account !== account || place.region !== region) return undefined;
    const found = this.#at(place);
    return found?.accountId === account ? found : undefined;
  }

  /** A shard whose account is not known yet stands for every account that no other shard of the Region has. */
  #at({ region, account }: Place): S | D | undefined {
    const inRegion = [...this.all, ...this.elsewhere].filter((shard) => shard.region === region);
    return (
      inRegion.find(({ accountId }) => accountId === account) ??
      inRegion.find(({ accountId }) => accountId === undefined)
    );
  }

  #mustNotBeElsewhere(shard: D | undefined): void {
    if (shard === undefined) return;
    const carriers = this.#elsewhere.carriersOf(shard.name);
    throw new AppError(
      'ACCOUNT_ELSEWHERE',
      `this process does not carry the account ${shard.name}, and cannot do this for it: ask ${carriers}`,
      { details: { account: shard.name } },
    );
  }
}
