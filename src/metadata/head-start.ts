// A job's metadata that is accepted before the job is in its queue (workers/head-start.ts). The accepting script makes sure that it
// overtakes nothing: everything in the queue at that moment must have been accepted.

/** Something older waits in the queue, or somebody has paused it: nothing was accepted, and the job takes its way through the queue. */
export class Overtakes extends Error {
  constructor() {
    super('the queue has older jobs, or is paused');
  }
}

/** More jobs than this in a list of the queue: a head start would gain nothing. */
const mostInList = 100;

/**
 * Lua: whether a job has its head start. A job that is in the queue already, whatever became of it there, is left to the queue. The
 * keys are BullMQ's: https://docs.bullmq.io/guide/architecture
 */
export const headStartLua = `
local function mayGoFirst(queue, jobId, accepted)
  if redis.call('EXISTS', queue .. ':' .. jobId) == 1 or redis.call('HEXISTS', queue .. ':meta', 'paused') == 1 then return false end
  for _, name in ipairs({'delayed', 'prioritized', 'waiting-children'}) do
    if redis.call('ZCARD', queue .. ':' .. name) > 0 then return false end
  end
  local known
  for _, name in ipairs({'active', 'wait', 'paused'}) do
    for place, id in ipairs(redis.call('LRANGE', queue .. ':' .. name, 0, ${mostInList})) do
      if not known then
        known = {}
        for each in string.gmatch(accepted, '%S+') do known[each] = true end
      end
      if place > ${mostInList} or not known[id] then return false end
    end
  end
  return true
end
`;
