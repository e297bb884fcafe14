// What the action commands share: naming channels, requesting an action from the daemon, waiting for its job, printing how it ended.
import type { Command } from 'commander';
import { messageOf } from '#domain/errors.ts';
import { idOf, named, resolveChannel, tagsMeant } from './channels.ts';
import {
  type ApiClient,
  apiClient,
  type CliIo,
  CommandFailed,
  example,
  printData,
  printLine,
  table,
} from './support.ts';
import type { Line } from './terminal.ts';

export interface ActionFlags {
  readonly reason?: string;
  readonly dryRun?: boolean;
  /** False with `--no-wait`. */
  readonly wait: boolean;
  readonly tag?: readonly string[];
  readonly live?: boolean;
  readonly maxChannels?: string;
  readonly json?: boolean;
}

interface Job {
  readonly jobId: string;
  readonly state: string;
  readonly steps: readonly {
    readonly step: string;
    /** An entry of `not_revoked`. */
    readonly errors?: readonly { readonly viewerId: string; readonly code: string; readonly message: string }[];
  }[];
  readonly result: {
    readonly outcome?: string;
    readonly reason?: string;
    readonly calls?: readonly string[];
    readonly until?: string;
    readonly deliveredTo?: string;
  } | null;
  readonly error?: string;
}

interface Bulk {
  readonly bulkId: string;
  readonly state: string;
  readonly channels: number;
  readonly started: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly dryRun?: boolean;
  readonly wouldDo?: readonly { readonly channelArn: string; readonly calls: readonly string[] }[];
}

/** One channel's turn, for calls that the account may make once a second. */
interface Turn {
  readonly channelArn: string;
  readonly startsAt: string;
  readonly channelName: string;
  readonly behindSeconds: number;
}

const lookEveryMs = 300;

/** The options that all of these commands have. */
export function actionOptions(command: Command, { bulk }: { readonly bulk: boolean }): Command {
  if (bulk)
    command
      .option('--tag <key=value...>', 'instead of a channel: every channel with these tags')
      .option('--live', 'instead of a channel: every live channel')
      .option('--max-channels <count>', 'do nothing if there are more channels than this (default: 500)');
  return command
    .option('--reason <text>', 'the reason, for the audit')
    .option('--dry-run', 'read the current state and show the calls it would make')
    .option('--no-wait', 'do not wait for the result')
    .option('--json', 'print the answer as JSON');
}

/** Requests the action and follows it. Exit code 1 if it failed. */
export async function askAction(
  io: CliIo,
  {
    channel,
    action,
    flags,
    streamId,
    ofAccount,
  }: {
    channel: string | undefined;
    action: object;
    flags: ActionFlags;
    streamId?: string | undefined;
    /** The action is about no channel; the account has this name, or is the only one. */
    ofAccount?: { readonly account: string | undefined };
  },
): Promise<void> {
  const api = apiClient(io);
  const targets = targetsOf(flags);
  if (!ofAccount && (channel === undefined) === (targets === undefined))
    throw new CommandFailed('Name one channel by its ARN, id or name, or several by --tag or --live.', 2);
  const about = channel === undefined ? { targets } : { channelArn: await resolveChannel(api, channel) };
  const query = ofAccount?.account === undefined ? '' : `?account=${encodeURIComponent(ofAccount.account)}`;
  const answer = (await api.send('POST', `/v1/actions${query}`, {
    action,
    ...(ofAccount ? {} : about),
    ...(streamId === undefined ? {} : { streamId }),
    ...(flags.maxChannels === undefined ? {} : { maxChannels: capOf(flags.maxChannels) }),
    reason: flags.reason ?? 'requested on the command line',
    ...(flags.dryRun ? { dryRun: true } : {}),
  })) as { jobId: string } | { bulkId: string; channels: number; plan?: readonly Turn[] };
  if ('bulkId' in answer) {
    if (answer.channels === 0) throw new CommandFailed(await noChannels(api, flags), 1);
    if (answer.plan && !flags.json) for (const line of planLines(io, answer.plan)) printLine(io, line);
    const asDryRun = flags.dryRun ? ' (dry run: nothing is changed)' : '';
    if (!flags.wait)
      return printData(io, flags.json, answer, () => [
        `Accepted as ${answer.bulkId}: ${answer.channels} channels${asDryRun}`,
      ]);
    const stop = `No longer following; it continues. Stop it with: ivs-autopilot actions stop ${answer.bulkId}`;
    const bulk = await follow<Bulk>(io, api, `/v1/actions/bulk/${answer.bulkId}`, ['finished', 'stopped'], stop);
    printData(io, flags.json, bulk, () => bulkLines(bulk));
    if ((bulk.outcomes['failed'] ?? 0) + (bulk.outcomes['unknown'] ?? 0) > 0) throw new CommandFailed('', 1);
    return;
  }
  if (!flags.wait) return printData(io, flags.json, answer, () => [`Accepted as ${answer.jobId}`]);
  const left = `No longer following; the job ${answer.jobId} continues.`;
  const job = await follow<Job>(io, api, `/v1/jobs/${encodeURIComponent(answer.jobId)}`, ['completed', 'failed'], left);
  printData(io, flags.json, job, () => jobLines(job));
  if (job.state === 'failed' || job.result?.outcome === 'unknown' || isLeftUndone(job, flags))
    throw new CommandFailed('', 1);
}

/** The action was skipped, and the user had not asked for that. */
function isLeftUndone({ result }: Job, { dryRun }: ActionFlags): boolean {
  return result?.outcome === 'skipped' && result.reason !== 'live' && !dryRun;
}

async function noChannels(api: ApiClient, { tag = [] }: ActionFlags): Promise<string> {
  if (tag.length === 0) return 'Nothing was done: no channel is live.';
  return `Nothing was done: no channel has ${tag.join(', ')}${await tagsMeant(api, tag)}.`;
}

/** `actions stop`: stops a bulk action. */
export function register(program: Command, io: CliIo): void {
  const actions = program
    .command('actions')
    .description('bulk actions: show their progress and stop them')
    .addHelpText('after', example('ivs-autopilot actions status'));
  actions
    .command('status')
    .description('list running bulk actions, and those of the last week')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', '\nExample:\n  $ ivs-autopilot actions status\n')
    .action(async ({ json }: { json?: boolean }) => {
      const answer = (await apiClient(io).get('/v1/actions/bulk')) as { bulks: readonly Bulk[] };
      printData(io, json, answer, () => (answer.bulks.length === 0 ? ['none'] : answer.bulks.flatMap(bulkLines)));
    });
  actions
    .command('stop')
    .description('stop a bulk action: start no further channels')
    .argument('<bulkId>', 'id of the bulk action, as printed at its start')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', '\nExample:\n  $ ivs-autopilot actions stop bulk-1f0c…\n')
    .action(async (bulkId: string, { json }: { json?: boolean }) => {
      const bulk = (await apiClient(io).send('DELETE', `/v1/actions/bulk/${encodeURIComponent(bulkId)}`)) as Bulk;
      printData(io, json, bulk, () => bulkLines(bulk));
    });
}

function capOf(text: string): number {
  if (!/^[1-9][0-9]{0,5}$/.test(text)) throw new CommandFailed(`--max-channels ${text}: expected a number from 1.`, 2);
  return Number(text);
}

function targetsOf({ tag, live }: ActionFlags): object | undefined {
  if (tag !== undefined && live) throw new CommandFailed('Give either --tag or --live.', 2);
  if (live) return { live: true };
  if (tag === undefined) return undefined;
  const tags = new Map<string, string[]>();
  for (const pair of tag) {
    const at = pair.indexOf('=');
    if (at < 1) throw new CommandFailed(`--tag ${pair}: write it as key=value.`, 2);
    const key = pair.slice(0, at);
    tags.set(key, [...(tags.get(key) ?? []), pair.slice(at + 1)]);
  }
  return { tags: Object.fromEntries(tags) };
}

/** Polls until a final state is reached; a daemon that is briefly away does not end this. */
export async function follow<T extends { readonly state: string }>(
  { signal }: CliIo,
  api: ApiClient,
  path: string,
  last: readonly string[],
  left: string,
): Promise<T> {
  for (let failures = 0; ; ) {
    try {
      const seen = (await api.get(path)) as T;
      if (last.includes(seen.state)) return seen;
      failures = 0;
    } catch (error) {
      failures += 1;
      if (signal.aborted || failures > 20) throw new CommandFailed(`${left} (${messageOf(error)})`);
    }
    await new Promise((done) => setTimeout(done, lookEveryMs));
    if (signal.aborted) throw new CommandFailed(left, 130);
  }
}

function planLines(io: CliIo, plan: readonly Turn[]): Line[] {
  const rows = plan.map((turn) => [named(turn), turn.startsAt, `+${turn.behindSeconds}s`]);
  return table([['CHANNEL', 'STARTS AT', 'BEHIND'], ...rows], io);
}

function jobLines({ jobId, state, result, error, steps }: Job): string[] {
  const errors = steps.flatMap((step) => step.errors ?? []);
  if (state === 'failed')
    return [
      `failed: ${error ?? 'unknown'} (job ${jobId})`,
      ...errors.map(({ viewerId, code, message }) => `  ${viewerId}: ${code} ${message}`.trimEnd()),
    ];
  const { outcome = state, reason, calls, until, deliveredTo } = result ?? {};
  if (calls) return calls.length === 0 ? ['nothing to do'] : ['would do:', ...calls.map((call) => `  ${call}`)];
  const more = [reason?.replaceAll('_', ' '), until && `until ${until}`, deliveredTo && `delivered to ${deliveredTo}`];
  const done = steps.map(({ step }) => step).join(', ');
  return [
    `${outcome.replaceAll('_', ' ')}${more
      .filter(Boolean)
      .map((text) => `, ${text}`)
      .join('')}${done && ` (${done})`}`,
  ];
}

function bulkLines({ bulkId, state, channels, started, outcomes, dryRun, wouldDo = [] }: Bulk): string[] {
  const ends = Object.entries(outcomes).map(([name, count]) => `${count} ${name.replaceAll('_', ' ')}`);
  // In a dry run, a job that says what it would do counts as skipped.
  const more = (outcomes['skipped'] ?? 0) - wouldDo.length;
  return [
    `${bulkId} ${state}${dryRun ? ' (dry run: nothing is changed)' : ''}: ${started} of ${channels} channels started${ends.length > 0 ? `; ${ends.join(', ')}` : ''}`,
    ...wouldDo.flatMap(({ channelArn, calls }) =>
      calls.length === 0
        ? [`  ${idOf(channelArn)}: nothing to do`]
        : [`  ${idOf(channelArn)} would do:`, ...calls.map((call) => `    ${call}`)],
    ),
    ...(dryRun && wouldDo.length > 0 && more > 0 ? [`  and ${more} more`] : []),
  ];
}
