// `silence add|list|edit|end`: holds back matching decisions for a time.
import { type Command, Option } from 'commander';
import { didYouMean, nearestName } from '#domain/nearest-name.ts';
import { callerText } from '#domain/person.ts';
import { parseLabelMatcher } from '#rules/label-matcher.ts';
import { checkLabelMatcher } from '#rules/label-values.ts';
import { systemClock } from '#runtime/clock.ts';
import { channelMeant, listChannels } from './channels.ts';
import { noReason, requireDuration } from './controls.ts';
import {
  type ApiClient,
  apiClient,
  type CliIo,
  CommandFailed,
  example,
  printData,
  RequestFailed,
  table,
} from './support.ts';
import { leftUntil, shortTime } from './times.ts';

interface AddFlags {
  readonly reason: string;
  readonly for?: string;
  readonly expire?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

type EditFlags = Partial<Pick<AddFlags, 'reason' | 'for' | 'force' | 'json'>>;

interface SilenceView {
  readonly id: string;
  readonly matchers: readonly string[];
  readonly author: string;
  readonly reason: string;
  readonly starts: string;
  readonly ends: string;
}

interface SilenceMatch {
  readonly matches: { readonly rules: number; readonly channels: number };
  readonly matchesNothing: boolean;
  readonly examples: { readonly rules: readonly string[] };
  readonly didYouMean: readonly string[];
}

export function register(program: Command, io: CliIo): void {
  const group = program
    .command('silence')
    .description('hold back matching decisions for a time; without a subcommand: add')
    .addHelpText(
      'after',
      example(
        'ivs-autopilot silence list',
        'ivs-autopilot silence \'action="stop_stream"\' \'tag_show="finals"\' --for 2h --reason "finals tonight"',
        'ivs-autopilot silence end s-0123abcd',
      ),
    );
  group
    .command('add', { isDefault: true })
    .description('hold back matching decisions for a time')
    .argument('[matchers...]', 'such as rule="starving-slate", channel="studio-a" or action=~"stop_.*"; all must match')
    .option('--reason <text>', 'the reason', noReason)
    .option('--for <duration>', 'how long, such as 1h; a silence always ends')
    .option('--force', 'add it even if no rule or channel matches yet')
    .addOption(new Option('--expire <id>', 'the same as `silence end`').hideHelp())
    .option('--json', 'print the answer as JSON')
    .addHelpText(
      'after',
      example(
        'ivs-autopilot silence add \'action="stop_stream"\' \'tag_show="finals"\' --for 2h --reason "finals tonight"',
      ),
    )
    .action((matchers: string[], flags: AddFlags) =>
      flags.expire === undefined ? add(io, group, matchers, flags) : end(io, flags.expire, flags),
    );
  group
    .command('list')
    .description('list the silences that have not ended')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot silence list'))
    .action(async ({ json }: { json?: boolean }) => {
      const answer = (await apiClient(io).get('/v1/silences')) as { silences: readonly SilenceView[] };
      const nowMs = systemClock.now();
      const rows = answer.silences
        .toSorted((a, b) => a.ends.localeCompare(b.ends))
        .map(({ id, matchers, author, reason, ends }) => [
          id,
          matchers.join(' '),
          shortTime(ends),
          leftUntil(ends, nowMs),
          callerText(author),
          reason,
        ]);
      printData(io, json, answer, () =>
        rows.length === 0
          ? ['Nothing is silenced.']
          : table([['ID', 'MATCHERS', 'ENDS', 'LEFT', 'WHO', 'REASON'], ...rows], io),
      );
    });
  group
    .command('edit')
    .description('change or extend a silence; omitted options stay unchanged')
    .argument('<silence>', 'the id in `silence list`')
    .argument('[matchers...]', 'new matchers, which replace the current ones')
    .option('--reason <text>', 'the reason')
    .option('--for <duration>', 'how long from now on, such as 1h')
    .option('--force', 'add it even if no rule or channel matches yet')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot silence edit s-0123abcd --for 2h'))
    .action((id: string, matchers: string[], flags: EditFlags) => edit(io, id, matchers, flags));
  group
    .command('end')
    .description('end a silence now')
    .argument('<silence>', 'the id in `silence list`')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot silence end s-0123abcd'))
    .action((id: string, flags: { json?: boolean }) => end(io, id, flags));
}

async function add(
  io: CliIo,
  group: Command,
  matchers: readonly string[],
  { reason, for: duration, force, json }: AddFlags,
): Promise<void> {
  if (matchers.length === 0) throw new CommandFailed('Say what to silence, for example rule="starving-slate".', 2);
  for (const matcher of matchers) {
    const problem = problemOf(matcher);
    if (problem === undefined) continue;
    const command = nearestName(
      matcher,
      group.commands.map((each) => each.name()),
    );
    const meant = command === undefined ? channelMeantBy(matcher) : ` (did you mean \`silence ${command}\`?)`;
    throw new CommandFailed(`${matcher}: ${problem}${meant}.`, 2);
  }
  if (duration === undefined) throw new CommandFailed('Say how long with --for, for example --for 1h.', 2);
  requireDuration(duration);
  const api = apiClient(io);
  const wanted = { matchers: await withChannels(api, matchers), reason, duration };
  if (!force) {
    const planned = (await api.send('POST', '/v1/silences', { ...wanted, dryRun: true })) as SilenceMatch;
    if (planned.matchesNothing) throw new CommandFailed(nothingMatches(planned), 1);
  }
  const answer = (await api.send('POST', '/v1/silences', wanted)) as { readonly id?: string } & SilenceMatch;
  printData(io, json, answer, () => [
    `It matches ${matchText(answer)}.`,
    `Silenced for ${duration}. \`ivs-autopilot silence end ${answer.id ?? '<id>'}\` ends it earlier.`,
  ]);
}

async function edit(
  io: CliIo,
  id: string,
  matchers: readonly string[],
  { reason, for: duration, force, json }: EditFlags,
): Promise<void> {
  if (matchers.length === 0 && reason === undefined && duration === undefined)
    throw new CommandFailed('Say what to change: matchers, --reason or --for.', 2);
  for (const matcher of matchers) {
    const problem = problemOf(matcher);
    if (problem !== undefined) throw new CommandFailed(`${matcher}: ${problem}${channelMeantBy(matcher)}.`, 2);
  }
  if (duration !== undefined) requireDuration(duration);
  const api = apiClient(io);
  const meant = await withChannels(api, matchers);
  if (matchers.length > 0 && !force) {
    const wanted = { matchers: meant, reason: reason ?? 'edited', duration: duration ?? '1h', dryRun: true };
    const planned = (await api.send('POST', '/v1/silences', wanted)) as SilenceMatch;
    if (planned.matchesNothing) throw new CommandFailed(nothingMatches(planned, 'changed'), 1);
  }
  const body = {
    ...(matchers.length === 0 ? {} : { matchers: meant }),
    ...(reason === undefined ? {} : { reason }),
    ...(duration === undefined ? {} : { duration }),
  };
  const answer = (await orMeant(io, id, () =>
    api.send('PUT', `/v1/silences/${encodeURIComponent(id)}`, body),
  )) as SilenceView & SilenceMatch;
  printData(io, json, answer, () => [
    `It matches ${matchText(answer)}, until ${shortTime(answer.ends)}.`,
    `Its id is now ${answer.id}.`,
  ]);
}

/** What is wrong with a matcher. A channel in it may have any form that `withChannels` understands. */
function problemOf(text: string): string | undefined {
  if (channelIn(text)) return undefined;
  const parsed = checkLabelMatcher(text);
  return parsed.ok ? undefined : parsed.message;
}

/** The channel that a matcher names other than by its ARN, as `channel="studio-a"` does. */
function channelIn(text: string): { readonly op: string; readonly name: string } | undefined {
  const parsed = parseLabelMatcher(text);
  if (!parsed.ok) return undefined;
  const { label, op, value } = parsed.matcher;
  const isName = label === 'channel' && (op === '=' || op === '!=') && value !== '' && !value.startsWith('arn:');
  return isName ? { op, name: value } : undefined;
}

/** The matchers, with the ARN of each channel that is named otherwise. @throws CommandFailed if it is no channel, or several */
async function withChannels(api: ApiClient, matchers: readonly string[]): Promise<readonly string[]> {
  const named = matchers.map((text) => ({ text, channel: channelIn(text) }));
  if (named.every(({ channel }) => !channel)) return matchers;
  const channels = await listChannels(api);
  return named.map(({ text, channel }) =>
    channel ? `channel${channel.op}"${channelMeant(channels, channel.name).arn}"` : text,
  );
}

/** For a single word, which may be a channel: how to say that. */
function channelMeantBy(text: string): string {
  if (!/^[\w.:/-]+$/.test(text)) return '';
  return `; for a channel write channel="${text}", and to keep every rule off it run \`ivs-autopilot hold ${text}\``;
}

async function end(io: CliIo, id: string, { json }: { readonly json?: boolean }): Promise<void> {
  const api = apiClient(io);
  const answer = await orMeant(io, id, () => api.send('DELETE', `/v1/silences/${encodeURIComponent(id)}`));
  printData(io, json, answer ?? {}, () => [`The silence ${id} has ended.`]);
}

/** A request about a silence; if no silence has this id, the error names the one that was probably meant. */
async function orMeant<T>(io: CliIo, id: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof RequestFailed) || error.code !== 'NOT_FOUND') throw error;
    throw new CommandFailed(`${error.message}${await idMeant(io, id)}`);
  }
}

/** ` (did you mean s-0123abcd?)` for an id that no silence has. */
async function idMeant(io: CliIo, id: string): Promise<string> {
  const answer = (await apiClient(io)
    .get('/v1/silences')
    .catch(() => undefined)) as { silences?: readonly SilenceView[] } | undefined;
  return didYouMean(
    id,
    (answer?.silences ?? []).map((each) => each.id).filter((known) => known !== id),
  );
}

function matchText({ matches: { rules, channels }, examples }: SilenceMatch): string {
  const named = rules === 0 ? '' : ` (${examples.rules.join(', ')}${rules > examples.rules.length ? ', …' : ''})`;
  return `${rules} ${rules === 1 ? 'rule' : 'rules'}${named} on ${channels} ${channels === 1 ? 'channel' : 'channels'}`;
}

function nothingMatches(match: SilenceMatch, done = 'silenced'): string {
  const meant = match.didYouMean.length === 0 ? '' : ` (did you mean ${match.didYouMean.join(', ')}?)`;
  return `Nothing was ${done}: it matches ${matchText(match)}${meant}. With --force it is created anyway.`;
}
