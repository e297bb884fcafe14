// What a NOT_FOUND is about: the code is the same for every kind of thing, its title and remedy are those of the thing.
import { AppError } from './errors.ts';

/** Titles and remedies by the kind of thing. */
export const missingThings = {
  address: {
    title: 'There is nothing at this address.',
    remedy: 'Check the method and the path; /docs lists all paths.',
  },
  batch: {
    title: 'There is no such metadata batch.',
    remedy: 'Check the id: `GET /v1/metadata/batches` lists the newest batches.',
  },
  job: {
    title: 'There is no such job.',
    remedy: 'Check the id. `ivs-autopilot audit` shows what jobs did, also those that are no longer kept.',
  },
  bulk: {
    title: 'There is no such bulk action.',
    remedy: 'Check the id: `GET /v1/actions/bulk` lists those that are kept.',
  },
  rule: { title: 'There is no such rule.', remedy: 'Check the name: `GET /v1/rules` lists the rules in force.' },
  stopped_rule: {
    title: 'The rule is not stopped.',
    remedy: 'There is nothing to start again: max_live_percent has not stopped it.',
  },
  channel: {
    title: 'There is no such channel.',
    remedy: 'Check the ARN, the account and the Region; `ivs-autopilot channel list` lists the channels.',
  },
  session: {
    title: 'There is no such stream session.',
    remedy: 'Check the ids: `ivs-autopilot stream show <channel>` shows the sessions that are kept.',
  },
  decision: {
    title: 'There is no such decision.',
    remedy: 'Check the id: `GET /v1/decisions` lists the decisions that are kept.',
  },
  alert: {
    title: 'There is no such alert.',
    remedy: 'Check the id: `ivs-autopilot alert list` lists the open alerts.',
  },
  approval: {
    title: 'There is no such approval.',
    remedy: 'Check the id: `ivs-autopilot approval list --all` also lists those of the last day.',
  },
  receiver: {
    title: 'There is no such receiver.',
    remedy: 'Check the name under `receivers` in the rules file.',
  },
} as const;

/** An error NOT_FOUND about this kind of thing. */
export function notFound(thing: keyof typeof missingThings, message: string): AppError {
  return new AppError('NOT_FOUND', message, missingThings[thing]);
}
