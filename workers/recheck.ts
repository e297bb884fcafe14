// Pause and holds are checked again right before the first change that a rule's action makes: between the handler's own check and the call
// there are a write to Redis and the wait for a permit, which can be long while one operation is in demand.
import type { ActionJob } from '#domain/action.ts';
import { isOnHold, readPause } from '#domain/controls-in-force.ts';
import { AppError } from '#domain/errors.ts';
import type { CallOptions, HandlerContext, IvsActions } from './ports.ts';

/** The calls that change something, with the position of their options among the arguments. */
const changingCalls = {
  stopStream: 1,
  insertAdBreak: 2,
  updateChannel: 2,
  deleteChannel: 1,
  createStreamKey: 1,
  deleteStreamKey: 1,
  deleteRecordingConfiguration: 1,
  importPlaybackKeyPair: 1,
  deletePlaybackKeyPair: 1,
  tagResource: 2,
  untagResource: 2,
  updatePlaybackRestrictionPolicy: 2,
  revokeViewerSessions: 2,
  createChannel: 1,
  createRecordingConfiguration: 1,
} as const satisfies Partial<Record<keyof IvsActions, number>>;

/**
 * The context of one run of a rule's action. Once the handler has checked the pause (preconditions.ts), its first changing call checks
 * again when it is sent; later ones do not, since what was begun is finished. A call that is prevented fails with CONTROLS_CHANGED.
 */
export function withRecheck(job: ActionJob, context: HandlerContext): HandlerContext {
  if (job.cause.kind !== 'rule') return context;
  const { state } = context;
  let isAwaited = false;
  const confirm = (): void => {
    if (!isAwaited) return;
    const isKeptBack =
      readPause(state.view) !== undefined ||
      (job.channelArn !== undefined && isOnHold(state.view, job.channelArn, state.nowMs()));
    if (isKeptBack)
      throw new AppError('CONTROLS_CHANGED', `${job.action} was not sent: a pause or a hold came while it waited`);
    isAwaited = false;
  };
  const ivs = new Proxy(context.ivs, {
    get(target, name, receiver) {
      const call: unknown = Reflect.get(target, name, receiver);
      if (typeof call !== 'function' || !Object.hasOwn(changingCalls, name)) return call;
      const at = changingCalls[name as keyof typeof changingCalls];
      return (...args: unknown[]) => {
        const options = args[at] as CallOptions;
        const both = () => {
          confirm();
          options.confirm?.();
        };
        return call.apply(target, args.with(at, { ...options, confirm: both })) as unknown;
      };
    },
  });
  return {
    ...context,
    ivs,
    check: (name, holds, compared) => {
      if (name === 'pause' && holds) isAwaited = true;
      return context.check(name, holds, compared);
    },
  };
}
