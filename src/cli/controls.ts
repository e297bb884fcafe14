// `pause`, `resume`, `hold`, `silence`: what keeps automation's hands off everything, one channel, or what matches.
import type { Command } from 'commander';
import { parseDuration } from '#domain/duration.ts';
import { checkLabelMatcher } from '#rules/label-values.ts';
import { resolveChannel } from './channels.ts';
import { apiClient, type CliIo, CommandFailed, example, printData } from './support.ts';

interface Flags {
  readonly reason: string;
  readonly for?: string;
  readonly release?: boolean;
  readonly expire?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

const noReason = 'no reason given';

export function register(program: Command, io: CliIo): void {
  registerPause(program, io);
  registerHold(program, io);
  registerSilence(program, io);
}

function registerPause(program: Command, io: CliIo): void {
  program
    .command('pause')
    .description('stop all automation at once; observing goes on, and what an operator asks for is still done')
    .option('--reason <text>', 'why, for whoever finds it paused', noReason)
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot pause --reason "regional incident"'))
    .action(async ({ reason, json }: Flags) => {
      const answer = await apiClient(io).send('POST', '/v1/pause', { reason });
      printData(io, json, answer, () => [
        'All automation is paused. `ivs-autopilot resume` lets it go on.',
        ...noteOf(answer),
      ]);
    });
  program
    .command('resume')
    .description('let automation go on after a pause')
    .option('--reason <text>', 'why', noReason)
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot resume'))
    .action(async ({ reason, json }: Flags) => {
      const body = reason === noReason ? {} : { reason };
      const answer = await apiClient(io).send('POST', '/v1/resume', body);
      printData(io, json, answer, () => ['Automation goes on.', ...noteOf(answer)]);
    });
}

/** What an answer says about replicas that could not be told. */
function noteOf(answer: unknown): string[] {
  const { note } = (answer ?? {}) as { note?: unknown };
  return typeof note === 'string' ? [note] : [];
}

function registerHold(program: Command, io: CliIo): void {
  program
    .command('hold')
    .description('keep automation’s hands off a channel, until it is released')
    .argument('<channel>', 'ARN, last part of the ARN, or name')
    .option('--reason <text>', 'why', noReason)
    .option('--for <duration>', 'release it by itself after this long, such as 2h')
    .option('--release', 'end the hold')
    .option('--json', 'print the answer as JSON')
    .addHelpText(
      'after',
      example('ivs-autopilot hold studio-a --reason "new encoder" --for 2h', 'ivs-autopilot hold studio-a --release'),
    )
    .action(async (given: string, { reason, for: duration, release, json }: Flags) => {
      requireDuration(duration);
      const api = apiClient(io);
      const arn = await resolveChannel(api, given);
      const path = `/v1/holds/${encodeURIComponent(arn)}`;
      if (release) {
        const answer = await api.send('DELETE', path);
        printData(io, json, answer ?? {}, () => [`Automation may act on ${given} again.`]);
        return;
      }
      const answer = await api.send('PUT', path, { reason, ...(duration === undefined ? {} : { duration }) });
      const until = duration === undefined ? 'until it is released' : `for ${duration}`;
      printData(io, json, answer, () => [`${given} is on hold ${until}.`]);
    });
}

function registerSilence(program: Command, io: CliIo): void {
  program
    .command('silence')
    .description('hold back the decisions that match, for a time')
    .argument(
      '[matchers...]',
      'such as rule="starving-slate", action=~"stop_.*" or tag_show="finals"; all of them must match',
    )
    .option('--reason <text>', 'why', noReason)
    .option('--for <duration>', 'how long, such as 1h; a silence always ends')
    .option('--force', 'also when no rule or channel matches now: for what is still to come')
    .option('--expire <id>', 'end the silence with this id')
    .option('--json', 'print the answer as JSON')
    .addHelpText(
      'after',
      example(
        'ivs-autopilot silence \'action="stop_stream"\' \'tag_show="finals"\' --for 2h --reason "finals tonight"',
        'ivs-autopilot silence --expire s-0123abcd',
      ),
    )
    .action(async (matchers: string[], { reason, for: duration, expire, force, json }: Flags) => {
      const api = apiClient(io);
      if (expire !== undefined) {
        const answer = await api.send('DELETE', `/v1/silences/${encodeURIComponent(expire)}`);
        printData(io, json, answer ?? {}, () => [`The silence ${expire} has ended.`]);
        return;
      }
      if (matchers.length === 0) throw new CommandFailed('Say what to silence, for example rule="starving-slate".', 2);
      if (duration === undefined) throw new CommandFailed('Say how long with --for, for example --for 1h.', 2);
      requireDuration(duration);
      for (const matcher of matchers) {
        const parsed = checkLabelMatcher(matcher);
        if (!parsed.ok) throw new CommandFailed(`${matcher}: ${parsed.message}.`, 2);
      }
      const wanted = { matchers, reason, duration };
      if (!force) {
        const planned = (await api.send('POST', '/v1/silences', { ...wanted, dryRun: true })) as SilenceMatch;
        if (planned.matchesNothing) throw new CommandFailed(nothingMatches(planned), 1);
      }
      const answer = (await api.send('POST', '/v1/silences', wanted)) as { readonly id?: string } & SilenceMatch;
      printData(io, json, answer, () => [
        `It matches ${matchText(answer)}.`,
        `Silenced for ${duration}. \`ivs-autopilot silence --expire ${answer.id ?? '<id>'}\` ends it before.`,
      ]);
    });
}

interface SilenceMatch {
  readonly matches: { readonly rules: number; readonly channels: number };
  readonly matchesNothing: boolean;
  readonly examples: { readonly rules: readonly string[] };
  readonly didYouMean: readonly string[];
}

function matchText({ matches: { rules, channels }, examples }: SilenceMatch): string {
  const named = rules === 0 ? '' : ` (${examples.rules.join(', ')}${rules > examples.rules.length ? ', …' : ''})`;
  return `${rules} ${rules === 1 ? 'rule' : 'rules'}${named} on ${channels} ${channels === 1 ? 'channel' : 'channels'}`;
}

function nothingMatches(match: SilenceMatch): string {
  const meant = match.didYouMean.length === 0 ? '' : ` (did you mean ${match.didYouMean.join(', ')}?)`;
  return `Nothing was silenced: it matches ${matchText(match)}${meant}. With --force it is made all the same, for what is still to come.`;
}

function requireDuration(text: string | undefined): void {
  if (text !== undefined && !(Number(parseDuration(text)) > 0)) {
    throw new CommandFailed(`--for expects a duration such as 30m or 2h, got ${text}.`, 2);
  }
}
