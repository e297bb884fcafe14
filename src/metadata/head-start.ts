// A job's metadata that is accepted before the job is in its queue (workers/head-start.ts). The accepting script makes sure that it
// overtakes nothing: whatever is older, and waits or runs at that moment, must have been accepted.
import type { HeadStart } from '#domain/job.ts';

/** Something older waits, or somebody has paused the queue: nothing was accepted, and the job takes its way through the queue. */
export class Overtakes extends Error {
  constructor() {
    super('older jobs wait, or the queue is paused');
  }
}

/** More jobs than this in a list of the queue: a head start would gain nothing. */
const mostInList = 100;

/** The arguments of `mayGoFirst`; without a head start all of them are empty. */
export function headStartArguments(headStart: HeadStart | undefined): string[] {
  if (!headStart) return ['', '', '', ''];
  const { queue, jobId, older, accepted } = headStart;
  return [queue, jobId, older.join(' '), Array.from(accepted, (pair) => pair.join(' ')).join(' ')];
}

/**
 * Lua: whether a job has its head start. One that is in the queue already, whatever became of it there, is left to the queue. An acceptance
 * counts only as long as its batch is there: Redis may have lost it in a failover. A job that waits for its time, or for its next try, is
 * overtaken by others in the queue too. The keys are BullMQ's: https://docs.bullmq.io/guide/architecture
 */
export const headStartLua = `
local function mayGoFirst(queue, jobId, older, accepted)
  if redis.call('EXISTS', queue .. ':' .. jobId) == 1 or redis.call('HEXISTS', queue .. ':meta', 'paused') == 1
    or redis.call('ZCARD', queue .. ':prioritized') > 0 then return false end
  local batches
  local function wasAccepted(id)
    if not batches then
      batches = {}
      for job, batch in string.gmatch(accepted, '(%S+) (%S+)') do batches[job] = batch end
    end
    return batches[id] and redis.call('EXISTS', P .. ':b:' .. batches[id]) == 1
  end
  for id in string.gmatch(older, '%S+') do
    if not wasAccepted(id) then return false end
  end
  for _, name in ipairs({'active', 'wait', 'paused'}) do
    for place, id in ipairs(redis.call('LRANGE', queue .. ':' .. name, 0, ${mostInList})) do
      if place > ${mostInList} or not wasAccepted(id) then return false end
    end
  end
  return true
end
`;
