// tag: sets and removes tags of the channel; tags that are already as wanted are not touched.

import type { ActionHandler } from './ports.ts';
import { channelGone, channelOf, isCode, onlyIfFailsFresh, planned } from './preconditions.ts';

export const tag: ActionHandler<'tag'> = async (job, context) => {
  const { ivs, signal } = context;
  const channelArn = channelOf(job);
  try {
    const skip = await onlyIfFailsFresh(job, context);
    if (skip) return skip;
    const before = await ivs.listTagsForResource(channelArn, { signal });
    const { set = {}, remove = [] } = job.params;
    const toSet = Object.fromEntries(Object.entries(set).filter(([key, value]) => before[key] !== value));
    const toRemove = remove.filter((key) => Object.hasOwn(before, key) && !Object.hasOwn(set, key));
    const calls = [
      ...(Object.keys(toSet).length > 0 ? [`TagResource ${channelArn} ${JSON.stringify(toSet)}`] : []),
      ...(toRemove.length > 0 ? [`UntagResource ${channelArn} ${toRemove.join(', ')}`] : []),
    ];
    context.check('tags', calls.length > 0, { asked: { set, remove }, found: { tags: before } });
    if (job.dryRun) return planned(calls, { tags: before });
    if (calls.length === 0) return { outcome: 'already_done', reason: 'set', before: { tags: before } };
    // Removed first: the channel may already have the most tags that it can have.
    if (toRemove.length > 0) {
      await context.progress('untag_resource', { keys: toRemove });
      await ivs.untagResource(channelArn, toRemove, { signal });
    }
    if (Object.keys(toSet).length > 0) {
      await context.progress('tag_resource', { tags: toSet });
      await ivs.tagResource(channelArn, toSet, { signal });
    }
    const after = await ivs.listTagsForResource(channelArn, { signal });
    return { outcome: 'done', before: { tags: before }, after: { tags: after } };
  } catch (error) {
    if (isCode(error, 'IVS_NOT_FOUND')) return channelGone(channelArn);
    throw error;
  }
};
