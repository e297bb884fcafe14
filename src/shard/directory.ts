// Which shard a name, a channel or an event belongs to. The one rule: the API, the page and the event queues all ask here.
import { parseChannelArn } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import type { EventObservation } from '#domain/observation.ts';

/** One (account, Region). */
export interface ShardIdentity {
  /** Of the account in the configuration. */
  readonly name: string;
  readonly region: string;
  /** The 12 digits; undefined as long as neither the configuration nor the account's own channels tell. */
  readonly accountId: string | undefined;
}

/** An account and a Region, as an ARN or an event names them. */
interface Place {
  readonly region: string;
  readonly account: string;
}

/** The shards of this process, in the order of the configuration. */
export class ShardDirectory<S extends ShardIdentity> {
  readonly all: readonly [S, ...S[]];

  constructor(shards: readonly [S, ...S[]]) {
    this.all = shards;
  }

  /** The first of the configuration: the default where the API documents one. */
  get first(): S {
    return this.all[0];
  }

  /** The shard of this account name. @throws AppError NOT_FOUND with the nearest name */
  named(name: string): S {
    const found = this.all.find((shard) => shard.name === name);
    if (found) return found;
    const names = this.all.map((shard) => shard.name);
    throw new AppError(
      'NOT_FOUND',
      `query.account: there is no account ${name}${didYouMean(name, names)}; accounts of the configuration: ${names.join(', ')}`,
      { details: { setting: 'accounts' } },
    );
  }

  /** For what must never go to an account by chance. @throws AppError REQUEST_INVALID without a name among several, NOT_FOUND */
  namedOrOnly(name: string | undefined): S {
    if (name !== undefined) return this.named(name);
    if (this.all.length === 1) return this.first;
    const names = this.all.map((shard) => shard.name).join(', ');
    throw new AppError('REQUEST_INVALID', `query.account: name one of the accounts ${names}`);
  }

  /** The shard that owns a channel, known to it or not. @throws AppError NOT_FOUND for a channel of no configured account */
  ofChannel(channelArn: string): S {
    const found = this.findOfChannel(channelArn);
    if (found) return found;
    throw new AppError(
      'NOT_FOUND',
      `${channelArn}: no entry under accounts in the configuration has this account id and Region`,
      { details: { setting: 'accounts' } },
    );
  }

  /** As `ofChannel`; undefined for a channel of no configured account, or what is no ARN of a channel. */
  findOfChannel(channelArn: string): S | undefined {
    const place = parseChannelArn(channelArn);
    return place && this.#at(place);
  }

  /**
   * The shard that owns an event, whichever queue it came by: that of its channel; without one that of its `account` in the Region of
   * the queue, since an envelope can name any Region. An envelope that names no account is nobody's.
   */
  findOfEvent({ channelArn, envelope: { account } }: EventObservation, queueOf: S): S | undefined {
    if (channelArn !== undefined) return this.findOfChannel(channelArn);
    return /^\d{12}$/.test(account) ? this.#at({ region: queueOf.region, account }) : undefined;
  }

  /**
   * The shard that owns an event of a queue that several accounts share: that of the account and Region of its envelope, which must be
   * those of its channel, and known. What is not told for certain is nobody's.
   */
  findOfSharedEvent({ channelArn, envelope: { account, region } }: EventObservation): S | undefined {
    if (!/^\d{12}$/.test(account)) return undefined;
    const place = channelArn === undefined ? { account, region } : parseChannelArn(channelArn);
    if (place?.account !== account || place.region !== region) return undefined;
    const found = this.#at(place);
    return found?.accountId === account ? found : undefined;
  }

  /** A shard whose account is not known yet stands for every account that no other shard of the Region has. */
  #at({ region, account }: Place): S | undefined {
    const inRegion = this.all.filter((shard) => shard.region === region);
    return (
      inRegion.find(({ accountId }) => accountId === account) ??
      inRegion.find(({ accountId }) => accountId === undefined)
    );
  }
}
