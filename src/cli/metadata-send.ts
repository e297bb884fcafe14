// `metadata send`: sends an item to one or more channels and follows it until it has arrived; `metadata status` and `cancel`.
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { type Answer, dataOf, type operations } from '#client/client.ts';
import { lanes } from '#domain/action.ts';
import { parseDuration } from '#domain/duration.ts';
import { messageOf } from '#domain/errors.ts';
import { resolveChannels, tagsMeant } from './channels.ts';
import { choiceOption } from './options.ts';
import { given } from './pages.ts';
import {
  type ApiClient,
  apiClient,
  type CliIo,
  CommandFailed,
  example,
  printData,
  RequestFailed,
  readText,
  repeatedly,
} from './support.ts';

interface SendFlags {
  readonly live?: boolean;
  readonly channel?: readonly string[];
  readonly tag?: readonly string[];
  readonly payload?: readonly string[];
  readonly payloadText?: readonly string[];
  readonly payloadFile?: string;
  readonly key?: string;
  readonly expires?: string;
  readonly lane?: Body['lane'];
  readonly account?: string;
  readonly idempotencyKey?: string;
  readonly dryRun?: boolean;
  readonly wait?: boolean;
  readonly json?: boolean;
}

type Plan = Answer<'sendMetadata'>;
type Progress = Answer<'getBatch'>;
type Body = Required<operations['sendMetadata']>['requestBody']['content']['application/json'];

const mostSends = 4;
/** Failures in a row, a second apart without an answer: enough for a daemon to restart. */
const mostFollows = 30;
const barWidth = 30;
/** Ends in which an item reached nobody. One that a newer item replaced does not count. */
const missed = ['failed', 'expired', 'notBroadcasting', 'cancelled'] as const;

export function register(program: Command, io: CliIo): void {
  const metadata = program
    .command('metadata')
    .description('timed metadata: send it and follow its delivery')
    .addHelpText('after', example(`ivs-autopilot metadata send --live --payload '{"type":"poll"}' --wait`));
  metadata
    .command('send')
    .description('send one or more items to channels, in order and within the quota')
    .option('--live', 'to every channel with a live stream')
    .option('--channel <channels...>', 'to these channels, by ARN, last part of the ARN, or name')
    .option('--tag <key=value...>', 'to live channels with these tags; repeat a key to allow several values')
    .option('--payload <texts...>', 'what to send: a JSON object, or text; @file reads a file, - reads standard input')
    .option('--payload-text <texts...>', 'text to send unchanged, whatever it begins with')
    .option('--payload-file <file>', 'file with the payload')
    .option('--key <key>', 'a newer item with the same key replaces an older unsent one')
    .option('--expires <duration>', 'do not send it after this long, for example 20s')
    .addOption(choiceOption('--lane <lane>', 'priority of the items', lanes))
    .option('--account <name>', 'account in the configuration (default: the first)')
    .option('--idempotency-key <key>', 'repeating the request with the same key sends nothing twice')
    .option('--dry-run', 'show which channels would get it and how long it would take')
    .option('--wait', 'wait until every item has been delivered or has ended')
    .option('--json', 'print the answer as JSON')
    .addHelpText(
      'after',
      example(
        `ivs-autopilot metadata send --live --payload '{"type":"poll"}' --wait`,
        `ivs-autopilot metadata send --tag show=quiz --key score --expires 20s --payload '{"home":2}'`,
      ) +
        '\nWith --wait the exit code is 1 unless every item was delivered, or replaced by a newer one with its key.\n' +
        'If an answer is lost, the request is repeated with the same idempotency key, so nothing is sent twice.\n',
    )
    .action(async (flags: SendFlags) => {
      const api = apiClient(io);
      const body = await bodyOf(io, api, flags);
      const plan = await send(api, io, body, { account: flags.account, key: flags.idempotencyKey ?? randomUUID() });
      if (plan.channels === 0) {
        printData(io, flags.json, plan, () => planLines(plan));
        throw new CommandFailed(await nobodyText(api, flags), 1);
      }
      if (flags.dryRun || !flags.wait) return printData(io, flags.json, plan, () => planLines(plan));
      if (!flags.json) for (const line of planLines(plan)) io.print(line);
      const progress = await follow(api, plan.batchId ?? '', io);
      printData(io, flags.json, { ...plan, ...progress }, () => resultLines(progress));
      const noRoom = plan.skipped.some(({ reason }) => reason === 'queue_full');
      if (noRoom || missed.some((end) => (progress.counts[end] ?? 0) > 0)) throw new CommandFailed('', 1);
    });
  metadata
    .command('status')
    .description('show the progress of a batch')
    .argument('<batchId>', 'the id that `metadata send` printed')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot metadata status b-1f0c…'))
    .action(async (batchId: string, flags: { json?: boolean }) => {
      const path = { params: { path: { id: batchId } } };
      const progress = dataOf(await apiClient(io).client.GET('/v1/metadata/batches/{id}', path));
      printData(io, flags.json, progress, () => resultLines(progress));
    });
  metadata
    .command('cancel')
    .description('cancel what a batch has not sent yet')
    .argument('<batchId>', 'the id that `metadata send` printed')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot metadata cancel b-1f0c…'))
    .action(async (batchId: string, flags: { json?: boolean }) => {
      const path = { params: { path: { id: batchId } } };
      const progress = dataOf(await apiClient(io).client.DELETE('/v1/metadata/batches/{id}', path));
      const over = progress.state === 'finished' ? ['The batch has ended: nothing is left to cancel.'] : [];
      printData(io, flags.json, progress, () => [...over, ...resultLines(progress)]);
    });
}

function pathOf(batchId: string): string {
  return `/v1/metadata/batches/${encodeURIComponent(batchId)}`;
}

/** Sends, with the same key for every attempt; on failure the message contains the key. */
async function send(
  api: ApiClient,
  io: CliIo,
  body: Body,
  { account, key }: { readonly account: string | undefined; readonly key: string },
): Promise<Plan> {
  const params = { query: given({ account }), header: { 'idempotency-key': key } };
  try {
    return await repeatedly(io, mostSends, async () =>
      dataOf(await api.client.POST('/v1/metadata/batches', { params, body })),
    );
  } catch (error) {
    if (error instanceof RequestFailed && error.retryInMs !== undefined)
      throw new CommandFailed(
        `${error.message}\nTo send it again, add --idempotency-key ${key}: if it was accepted, nothing is sent twice.`,
      );
    throw error;
  }
}

async function bodyOf(io: CliIo, api: ApiClient, flags: SendFlags): Promise<Body> {
  const payloads: Body['items'][number]['payload'][] = [];
  for (const text of flags.payload ?? []) payloads.push(await payloadOf(io, text));
  payloads.push(...(flags.payloadText ?? []));
  if (flags.payloadFile !== undefined) payloads.push(parsed(readText(flags.payloadFile), flags.payloadFile));
  if (payloads.length === 0)
    throw new CommandFailed('Say what to send: --payload, --payload-text or --payload-file.', 2);
  const expiresInMs = flags.expires === undefined ? undefined : parseDuration(flags.expires);
  if (flags.expires !== undefined && !expiresInMs)
    throw new CommandFailed(`--expires ${flags.expires} is not a duration: write it like 20s or 5m.`, 2);
  return {
    targets: await targetsOf(api, flags),
    items: payloads.map((payload) => ({
      payload,
      ...(flags.key === undefined ? {} : { key: flags.key }),
      ...(expiresInMs === undefined ? {} : { expiresInMs }),
    })),
    ...(flags.lane === undefined ? {} : { lane: flags.lane }),
    ...(flags.dryRun ? { dryRun: true } : {}),
  };
}

async function targetsOf(api: ApiClient, { live, channel, tag }: SendFlags): Promise<Body['targets']> {
  const given = [live, channel, tag].filter((value) => value !== undefined);
  if (given.length !== 1)
    throw new CommandFailed('Name the channels with exactly one of --live, --channel and --tag.', 2);
  if (live) return { live: true };
  if (channel) return { channelArns: [...(await resolveChannels(api, channel))] };
  const tags = new Map<string, string[]>();
  for (const pair of tag ?? []) {
    const at = pair.indexOf('=');
    if (at < 1) throw new CommandFailed(`--tag ${pair}: write it as key=value.`, 2);
    const key = pair.slice(0, at);
    tags.set(key, [...(tags.get(key) ?? []), pair.slice(at + 1)]);
  }
  return { tags: Object.fromEntries(tags) };
}

/** The text of one --payload: `@file`, `-`, or the text itself. */
async function payloadOf(io: CliIo, text: string): Promise<string | Record<string, unknown>> {
  if (text === '-') return parsed((await io.readInput?.()) ?? '', 'standard input');
  if (text.startsWith('@')) return parsed(readText(text.slice(1)), text.slice(1));
  return parsed(text, '--payload');
}

/** A JSON object is sent as such, anything else as text. @throws CommandFailed for malformed JSON, and for empty text */
function parsed(text: string, place: string): string | Record<string, unknown> {
  if (text.trim() === '') throw new CommandFailed(`${place}: there is nothing to send.`, 2);
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : text;
  } catch (error) {
    if (!/^\s*[{[]/.test(text)) return text;
    throw new CommandFailed(
      `${place}: it begins like JSON but is not valid (${messageOf(error)}). Correct it, or send it unchanged with --payload-text.`,
      2,
    );
  }
}

/** Why a batch reaches no channel. */
async function nobodyText(api: ApiClient, { live, tag }: SendFlags): Promise<string> {
  if (tag) return `Nothing was sent: no live channel has ${tag.join(', ')}${await tagsMeant(api, tag)}.`;
  return live ? 'Nothing was sent: no channel is live.' : 'Nothing was sent: every channel was left out.';
}

/** Waits until the batch is over, with a bar on a terminal. A daemon that is briefly away does not end this. */
async function follow(api: ApiClient, batchId: string, io: CliIo): Promise<Progress> {
  try {
    return await repeatedly(io, mostFollows, async (heard) => {
      for await (const { name, data } of api.events(`${pathOf(batchId)}/events`)) {
        heard();
        if (name === 'gone') throw new CommandFailed('the daemon no longer knows it');
        const progress = data as Progress;
        io.redraw?.(barOf(progress));
        if (name === 'finished') return progress;
      }
      throw new RequestFailed('The daemon ended the stream of events.', 1000);
    });
  } catch (error) {
    if (io.signal.aborted)
      throw new CommandFailed(
        `No longer following; it continues. Cancel it with: ivs-autopilot metadata cancel ${batchId}`,
        130,
      );
    throw new CommandFailed(`The batch ${batchId} continues, but could not be followed: ${messageOf(error)}`);
  } finally {
    io.redraw?.('');
  }
}

function barOf({ total, counts, etaSeconds }: Progress): string {
  const done = total - (counts.pending ?? 0);
  const share = total === 0 ? 1 : done / total;
  const filled = Math.round(share * barWidth);
  const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled);
  const eta = etaSeconds === null ? '' : `, about ${Math.ceil(etaSeconds)} s left`;
  return `${bar} ${done} of ${total}${eta}`;
}

function planLines({ batchId, channels, items, plannedCalls, estimatedSeconds, bytes, skipped }: Plan): string[] {
  return [
    `${batchId === undefined ? 'Would be sent' : `Accepted as ${batchId}`}: ${count(items, 'item')} to ${count(channels, 'channel')}, ` +
      `at most ${count(plannedCalls, 'call')}, about ${Math.ceil(estimatedSeconds)} s` +
      (bytes ? `, ${count(bytes.total, 'byte')} (at most ${bytes.largestCall} of ${bytes.mostInCall} in a call)` : ''),
    ...skipped.map(
      ({ reason, count: n, examples }) =>
        `  left out (${reason.replaceAll('_', ' ')}): ${n}, for example ${examples.slice(0, 3).join(', ')}`,
    ),
  ];
}

function resultLines({ state, total, counts, failures }: Progress): string[] {
  const ends = Object.entries(counts)
    .filter(([name, n]) => n > 0 || name === 'delivered')
    .map(([name, n]) => `${n} ${name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`);
  return [
    `${state}: ${ends.join(', ')} of ${total}`,
    // Without a failed item, it is why items expired or were cancelled.
    ...Object.entries(failures).map(
      ([code, n]) => `  ${counts['failed'] ? 'failed with' : 'because of'} ${code}: ${n}`,
    ),
  ];
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
