// What happens to the jobs of a commit: the handlers of metadata run at once (workers/head-start.ts), and all jobs go to their queues.
import { memberOfJobId } from '#domain/metadata-fanout.ts';
import type { StateView } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import type { Relay } from '#jobs/relay.ts';
import type { Committed } from '#src/pipeline.ts';
import type { HeadStarts } from '#workers/head-start.ts';

export interface HandOverParts {
  readonly view: StateView;
  readonly headStarts: Pick<HeadStarts, 'begin'> | undefined;
  readonly relay: Pick<Relay, 'nudge' | 'holdBack'>;
}

/** To be called after a commit of this process. */
export function handOver(
  { decisions }: Pick<Committed, 'decisions'>,
  { view, headStarts, relay }: HandOverParts,
): void {
  const decided = decisions.flatMap(({ jobs }) => jobs).filter(({ action }) => action === 'put_metadata');
  if (headStarts && decided.length > 0) {
    const own = new Set(decided.map(({ jobId }) => memberOfJobId(jobId)?.fanoutId ?? jobId));
    const pending = Array.from(view.entries(kinds.job), ([, job]) => job);
    const { jobIds, ended } = headStarts.begin(pending, (jobId) => own.has(jobId));
    if (jobIds.length > 0) relay.holdBack(jobIds, ended);
  }
  relay.nudge();
}
