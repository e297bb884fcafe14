// What the daemon's own calls change about channels, put into the inventory at once: an action that is done must not be contradicted by
// the last listing, which may be minutes old.
import { type Channel, type ChannelArn, isChannelArn } from '#domain/channel.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import type { Observe } from '#intake/ports.ts';
import type { createActionCalls } from '#ivs/action-calls.ts';
import { codeOf } from '#runtime/episode.ts';
import type { Logger } from '#runtime/logger.ts';

type Calls = ReturnType<typeof createActionCalls>;

export interface OwnChangesOptions {
  readonly state: Pick<SharedState, 'view' | 'refresh' | 'nowMs'>;
  readonly observe: Observe;
  readonly logger: Logger;
}

/**
 * The same calls; UpdateChannel, TagResource and UntagResource of a known channel are also observed, so that rules and readers see them.
 * A change that cannot be committed is logged and left to the next listing: the call itself succeeded.
 */
export function observingOwnChanges(calls: Calls, { state, observe, logger }: OwnChangesOptions): Calls {
  const changed = async (arn: string, change: (known: Channel) => Partial<Channel>) => {
    if (!isChannelArn(arn)) return;
    try {
      await state.refresh();
      const known = state.view.get(kinds.channel.of(arn));
      if (!known) return;
      // `known`: whatever was read meanwhile is newer, and stays.
      await observe({
        kind: 'inventory',
        channels: [{ ...known, ...change(known) }],
        removed: [],
        atMs: state.nowMs(),
        complete: false,
        known: new Map<ChannelArn, Channel>([[arn, known]]),
      });
    } catch (error) {
      logger.warn(
        { channelArn: arn, code: codeOf(error) },
        'the inventory shows an own change only after the next listing',
      );
    }
  };
  return {
    ...calls,
    async updateChannel(channelArn, change, options) {
      const answered = await calls.updateChannel(channelArn, change, options);
      await changed(channelArn, () => answered);
      return answered;
    },
    async tagResource(resourceArn, tags, options) {
      await calls.tagResource(resourceArn, tags, options);
      await changed(resourceArn, (known) => ({ tags: { ...known.tags, ...tags } }));
    },
    async untagResource(resourceArn, tagKeys, options) {
      await calls.untagResource(resourceArn, tagKeys, options);
      const isLeft = ([key]: readonly [string, string]) => !tagKeys.includes(key);
      await changed(resourceArn, ({ tags }) => ({ tags: Object.fromEntries(Object.entries(tags).filter(isLeft)) }));
    },
  };
}
