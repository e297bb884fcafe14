// `report`: what happened in the last session of a channel, or of every channel of a show.
import { writeFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { Command } from 'commander';
import { type ReportFormat, reportFormats } from '#domain/action.ts';
import { messageOf } from '#domain/errors.ts';
import { listChannels, resolveChannel, tagsMeant } from './channels.ts';
import { type ApiClient, apiClient, type CliIo, CommandFailed, example, printLines } from './support.ts';

interface Flags {
  readonly lastSession?: boolean;
  readonly session?: string;
  readonly format?: string;
  readonly json?: boolean;
  readonly output?: string;
}

export function register(program: Command, io: CliIo): void {
  program
    .command('report')
    .description('report on a session: times, health, viewers, what was done and what was not')
    .argument(
      '<channel|tag>',
      'ARN, id or name of a channel; or a tag such as show=finals, or the value of the tag `show`',
    )
    .option('--last-session', 'the newest session, which is the default')
    .option('--session <id>', 'this session of the channel')
    .option('--format <format>', `${reportFormats.join(', ')} (default: from the extension of --output, else md)`)
    .option('-o, --output <file>', 'write it to a file')
    .option('--json', 'the same as --format json')
    .addHelpText(
      'after',
      example(
        'ivs-autopilot report studio-a --last-session',
        'ivs-autopilot report show=finals --last-session --output finals.html',
      ),
    )
    .action(async (subject: string, flags: Flags) => {
      const format = formatOf(flags);
      if (flags.lastSession && flags.session !== undefined)
        throw new CommandFailed('Use --last-session or --session, not both.', 2);
      const api = apiClient(io);
      const answer = await api.text(`${await pathOf(api, subject, flags.session)}format=${format}`);
      const text = format === 'json' ? `${JSON.stringify(JSON.parse(answer), null, 2)}\n` : answer;
      if (flags.output === undefined) return printLines(io.print, text.trimEnd());
      try {
        writeFileSync(flags.output, text);
      } catch (error) {
        throw new CommandFailed(`${flags.output} cannot be written: ${messageOf(error)}.`);
      }
    });
}

function formatOf({ format, json, output }: Flags): ReportFormat {
  const wanted =
    format ??
    (json
      ? 'json'
      : extname(output ?? '')
          .slice(1)
          .toLowerCase());
  const known = reportFormats.find((each) => each === wanted);
  if (format !== undefined && known === undefined)
    throw new CommandFailed(`--format ${format}: expected ${reportFormats.join(', ')}.`, 2);
  return known ?? 'md';
}

/** The path of the report, up to its last parameter. */
async function pathOf(api: ApiClient, subject: string, session: string | undefined): Promise<string> {
  const tag = await tagOf(api, subject);
  if (tag === undefined) {
    const arn = encodeURIComponent(await resolveChannel(api, subject));
    return `/v1/streams/${arn}/report?${session === undefined ? '' : `streamId=${encodeURIComponent(session)}&`}`;
  }
  if (session !== undefined) throw new CommandFailed('--session needs one channel.', 2);
  return `/v1/reports?tag=${encodeURIComponent(tag)}&`;
}

/** The tag that is meant, as key=value; undefined: the subject is a channel. @throws CommandFailed for a tag that no channel has */
async function tagOf(api: ApiClient, subject: string): Promise<string | undefined> {
  if (subject.startsWith('arn:')) return undefined;
  const channels = await listChannels(api);
  if (channels.some(({ arn, name }) => name === subject || arn.endsWith(`/${subject}`))) return undefined;
  const at = subject.indexOf('=');
  const [key, value] = at > 0 ? [subject.slice(0, at), subject.slice(at + 1)] : ['show', subject];
  if (channels.some(({ tags }) => Object.hasOwn(tags, key) && tags[key] === value)) return `${key}=${value}`;
  if (at <= 0) return undefined;
  throw new CommandFailed(`No channel has the tag ${subject}${await tagsMeant(api, [subject])}.`);
}
