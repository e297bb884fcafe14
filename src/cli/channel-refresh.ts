// `channel refresh`: reads names, tags and settings of channels from IVS again, instead of waiting for the next listing.
import type { Command } from 'commander';
import { follow } from './ask-action.ts';
import { resolveChannel } from './channels.ts';
import { type ApiClient, apiClient, type CliIo, CommandFailed, example, printData } from './support.ts';

interface Flags {
  readonly all?: boolean;
  readonly reason?: string;
  /** False with `--no-wait`. */
  readonly wait: boolean;
  readonly json?: boolean;
}

interface Refreshed {
  readonly channel: Readonly<Record<string, unknown>> & { readonly arn: string; readonly name: string };
  readonly changed: readonly string[];
}

interface Listing {
  readonly account: string;
  readonly jobId: string;
}

interface ListingJob {
  readonly jobId: string;
  readonly state: string;
  readonly result: { readonly channels?: number } | null;
  readonly error?: string;
}

/** Adds `refresh` to the commands of `channel`. */
export function registerRefresh(channel: Command, io: CliIo): void {
  channel
    .command('refresh')
    .description('read the name, tags and settings of a channel again, so that rules see changes at once')
    .argument('[channel]', 'ARN, last part of the ARN, or name; a new channel by its ARN')
    .option('--all', 'instead of a channel: read all channels')
    .option('--reason <text>', 'the reason, for the audit', 'requested on the command line')
    .option('--no-wait', 'with --all: do not wait for the result')
    .option('--json', 'print the answer as JSON')
    .addHelpText(
      'after',
      example('ivs-autopilot channel refresh studio-a', 'ivs-autopilot channel refresh --all --reason "retagged"'),
    )
    .action(async (given: string | undefined, flags: Flags) => {
      if ((given === undefined) === (flags.all === undefined))
        throw new CommandFailed('Name a channel by its ARN, id or name, or use --all.', 2);
      const api = apiClient(io);
      if (given === undefined) await refreshAll(io, api, flags);
      else await refreshOne(io, api, given, flags);
    });
}

async function refreshOne(io: CliIo, api: ApiClient, given: string, { reason, json }: Flags): Promise<void> {
  const arn = await resolveChannel(api, given);
  const answer = (await api.send('POST', `/v1/channels/${encodeURIComponent(arn)}/refresh`, { reason })) as Refreshed;
  const { channel, changed } = answer;
  printData(io, json, answer, () => {
    const name = channel.name === '' ? channel.arn : channel.name;
    if (changed.length === 0) return [`${name}: nothing has changed.`];
    if (changed[0] === 'new') return [`${name}: new, with ${fieldText(channel['tags'])}.`];
    return [`${name}: ${changed.map((field) => `${field} is now ${fieldText(channel[field])}`).join('; ')}.`];
  });
}

async function refreshAll(io: CliIo, api: ApiClient, { reason, wait, json }: Flags): Promise<void> {
  const answer = (await api.send('POST', '/v1/channels/refresh', { reason })) as { jobs: readonly Listing[] };
  if (!wait) return printData(io, json, answer, () => answer.jobs.map(({ jobId }) => `Accepted as ${jobId}`));
  const ended = await Promise.all(
    answer.jobs.map(async ({ account, jobId }) => {
      const left = `No longer following; the listing continues as job ${jobId}.`;
      const path = `/v1/jobs/${encodeURIComponent(jobId)}`;
      return { account, ...(await follow<ListingJob>(io, api, path, ['completed', 'failed'], left)) };
    }),
  );
  printData(io, json, { jobs: ended }, () => ended.map((job) => listingLine(job, ended.length > 1)));
  if (ended.some(({ state }) => state === 'failed')) throw new CommandFailed('', 1);
}

function listingLine({ account, jobId, state, result, error }: ListingJob & Listing, named: boolean): string {
  const prefix = named ? `${account}: ` : '';
  if (state === 'failed') return `${prefix}failed: ${error ?? 'unknown'} (job ${jobId})`;
  return `${prefix}${result?.channels ?? 0} channels read.`;
}

/** A text from IVS is not trusted on the terminal, so it is quoted as JSON. */
function fieldText(value: unknown): string {
  if (value === '') return 'empty';
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const pairs = Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}=${JSON.stringify(each)}`);
  return pairs.length === 0 ? 'no tags' : pairs.join(', ');
}
