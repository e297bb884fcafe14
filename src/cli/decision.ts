// `decision list|show`: what the rules decided, including not to act, and why.
import type { Command } from 'commander';
import { type Answer, dataOf } from '#client/client.ts';
import { decisionOutcomes, decisionReasons } from '#domain/decision.ts';
import { valuesText } from '#domain/duration.ts';
import { idOf, resolveChannel } from './channels.ts';
import { choiceOption, countOption, momentOption } from './options.ts';
import { gathered, given } from './pages.ts';
import { apiClient, type CliIo, example, printData, table } from './support.ts';
import { type Line, toned } from './terminal.ts';
import { shortTime } from './times.ts';

type Decision = Answer<'getDecision'>;

interface ListFlags {
  readonly rule?: string;
  readonly channel?: string;
  readonly outcome?: Decision['outcome'];
  readonly reason?: Decision['reason'];
  readonly text?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit: number;
  readonly json?: boolean;
}

export function register(program: Command, io: CliIo): void {
  const decision = program
    .command('decision')
    .description('decisions of rules, including those not to act, and their reasons')
    .addHelpText('after', example('ivs-autopilot decision list --since 8h'));
  decision
    .command('list')
    .description('list the decisions, newest first')
    .option('--rule <rule>', 'only entries of this rule')
    .option('--channel <channel>', 'only entries about this channel: ARN, last part of the ARN, or name')
    .addOption(choiceOption('--outcome <outcome>', 'only decisions with this outcome', decisionOutcomes))
    .addOption(choiceOption('--reason <reason>', 'only decisions with this reason', Object.keys(decisionReasons)))
    .option('--text <words>', 'only decisions with all these words in names, ids, reason, actions or guards')
    .addOption(momentOption('--since <time>', 'only since then: a time, or how long ago, such as 8h'))
    .addOption(momentOption('--until <time>', 'only before this time'))
    .addOption(countOption('--limit <count>', 'maximum number of entries', 100_000).default(50))
    .option('--json', 'print the answer as JSON')
    .addHelpText(
      'after',
      example(
        'ivs-autopilot decision list --rule starving-slate --since 8h',
        'ivs-autopilot decision list --channel studio-a --outcome suppressed',
        "ivs-autopilot decision list --text 'hold mara' --since 24h",
      ),
    )
    .action(async (flags: ListFlags) => {
      const api = apiClient(io);
      const { rule, channel, outcome, reason, text, since, until, limit } = flags;
      const channelArn = channel === undefined ? undefined : await resolveChannel(api, channel);
      let isTruncated = false;
      const { items, next } = await gathered(limit, async (after, most) => {
        const filter = { rule, channelArn, outcome, reason, text, since, until, after };
        const query = given({ ...filter, limit: Math.min(most, 1000) });
        const page = dataOf(await api.client.GET('/v1/decisions', { params: { query } }));
        isTruncated = page.truncated;
        return { items: page.decisions, next: page.next };
      });
      const answer = { decisions: items, ...given({ next }), truncated: isTruncated };
      printData(io, flags.json, answer, () => listLines(items, io));
      if (next !== undefined && !flags.json) io.printError('There are older entries; raise --limit to list more.');
      if (isTruncated) io.printError('The search did not reach the beginning of the journal: narrow it with --since.');
    });
  decision
    .command('show')
    .description('show one decision: the values, every guard and check, and the result')
    .argument('<decision>', 'the id in `decision list`')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot decision show 0123abcd'))
    .action(async (id: string, { json }: { json?: boolean }) => {
      const found = dataOf(await apiClient(io).client.GET('/v1/decisions/{id}', { params: { path: { id } } }));
      printData(io, json, found, () => showLines(found));
    });
}

function listLines(decisions: readonly Decision[], io: CliIo): Line[] {
  if (decisions.length === 0) return ['None.'];
  const rows = decisions.map(
    ({ id, at, rule, channelName, channelArn, mode, outcome, reason, jobs, trigger, count }) => [
      shortTime(at),
      rule,
      channelName || (channelArn === undefined ? '' : idOf(channelArn)),
      toned(outcome),
      `${reason}${count > 1 ? ` ×${count}` : ''}`,
      // `would_act` says it already.
      `${jobs.map(actionText).join(' ')}${jobs.length > 0 && mode !== 'enforce' && outcome === 'resolved' ? ' (dry run)' : ''}`,
      trigger.text,
      id,
    ],
  );
  return table([['TIME', 'RULE', 'CHANNEL', 'OUTCOME', 'REASON', 'ACTIONS', 'WHAT', 'ID'], ...rows], io);
}

/** `put_metadata (failed)`: an action that was not done is marked with what became of it. */
function actionText({ action, outcome }: Decision['jobs'][number]): string {
  const isDone = outcome === undefined || outcome === 'done' || outcome === 'already_done';
  return isDone ? action : `${action} (${outcome})`;
}

/** Outcomes whose values are from the decision itself, not from the moment that triggered the rule. */
const toldOfNow: ReadonlySet<string> = new Set(['not_fired', 'resolved']);

function knownLine({ outcome, trigger }: Decision): string[] {
  const known = valuesText(trigger.values);
  return known === '' ? [] : [`Known ${toldOfNow.has(outcome) ? 'when it was decided' : 'then'}: ${known}`];
}

/** A detail may begin with its outcome, which is already shown. */
function detailText(outcome: string, detail = ''): string {
  const rest = detail === outcome ? '' : detail.replace(`${outcome}: `, '');
  return rest === '' ? '' : ` ${rest}`;
}

function showLines(decision: Decision): Line[] {
  const { id, at, rule, mode, outcome, reason, meaning, channelArn, channelName, trigger, jobs, checks, withheld } =
    decision;
  return [
    [{ text: rule, tone: 'strong' }, ` (${mode}) at ${at}, decision ${id}`],
    ...(channelArn === undefined ? [] : [`On ${channelName ? `${channelName} (${channelArn})` : channelArn}`]),
    [toned(outcome), ` ${reason}: ${meaning}`],
    `Since ${trigger.since}: ${trigger.text}`,
    ...knownLine(decision),
    ...(decision.streamId === undefined ? [] : [`Stream ${decision.streamId}`]),
    ...(checks.length === 0 ? [] : ['', 'Checks, in order:']),
    ...checks.map(
      ({ check, verdict, asked, found, at: when }): Line => [
        '  ',
        { text: verdict, tone: verdict === 'failed' ? 'bad' : 'good' },
        ` ${check}: asked ${JSON.stringify(asked)}, found ${JSON.stringify(found)} at ${shortTime(when)}`,
      ],
    ),
    ...(jobs.length === 0 ? [] : ['', 'Actions:']),
    ...jobs.map(
      ({ action, jobId, outcome: became, detail }): Line =>
        mode === 'enforce'
          ? [
              `  ${action} ${jobId}`,
              ...(became === undefined ? [' under way'] : [': ', toned(became), detailText(became, detail)]),
            ]
          : `  ${action} not requested: the rule only watches`,
    ),
    ...withheld.map(
      ({ action, reason: why }): Line => ['  ', { text: 'held back', tone: 'warn' }, ` ${action}: ${why}`],
    ),
  ];
}
