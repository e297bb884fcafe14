// `explain`: why a rule acts, or does not act, on a channel, now and according to the journal.

import type { Command } from 'commander';
import { valuesText } from '#domain/duration.ts';
import type { ShownCheck } from '#journal/checks.ts';
import { resolveChannel } from './channels.ts';
import { apiClient, type CliIo, example, printData } from './support.ts';

type Values = Readonly<Record<string, string | number | boolean>>;

/** The printed part of the answer of `GET /v1/rules/{rule}/explain/{channelArn}`. */
interface Answer {
  readonly rule: string;
  readonly mode: string;
  readonly channelArn: string;
  readonly channelName: string;
  readonly state: string;
  readonly reason: string;
  readonly sentence: string;
  readonly remedy: string;
  readonly values: Values;
  readonly since?: string;
  readonly due: readonly { readonly action: string; readonly at: string; readonly heldBack?: string }[];
  readonly guards: readonly { readonly guard: string; readonly passed: boolean; readonly values: Values }[];
  readonly muted: readonly { readonly action: string; readonly reason: string; readonly values: Values }[];
  readonly last?: { readonly at: string; readonly reason: string; readonly meaning: string; readonly values: Values };
  readonly decisions: readonly {
    readonly at: string;
    readonly mode: string;
    readonly count: number;
    readonly example?: { readonly channelArn?: string; readonly channelName?: string };
    readonly outcome: string;
    readonly reason: string;
    readonly trigger: { readonly text: string };
    readonly guards: readonly { readonly guard: string; readonly passed: boolean; readonly values: Values }[];
    readonly jobs: readonly {
      readonly action: string;
      readonly jobId: string;
      readonly outcome?: string;
      readonly detail?: string;
      readonly checks?: readonly ShownCheck[];
    }[];
    readonly withheld: readonly { readonly action: string; readonly reason: string }[];
  }[];
}

export function register(program: Command, io: CliIo): void {
  program
    .command('explain')
    .description('explain why a rule acts or does not act on a channel, now and the last times')
    .argument('<rule>', 'name of the rule')
    .argument('<channel>', 'ARN, last part of the ARN, or name')
    .option('--since <time>', 'show the whole journal since then: a time, or how long ago, such as 8h')
    .option('--json', 'print the answer as JSON')
    .addHelpText(
      'after',
      example(
        'ivs-autopilot explain starving-slate studio-a',
        'ivs-autopilot explain starving-slate studio-a --since 8h',
      ),
    )
    .action(async (rule: string, given: string, { json, since }: { json?: boolean; since?: string }) => {
      const api = apiClient(io);
      const arn = await resolveChannel(api, given);
      const query = since === undefined ? '' : `?since=${encodeURIComponent(since)}`;
      const path = `/v1/rules/${encodeURIComponent(rule)}/explain/${encodeURIComponent(arn)}${query}`;
      const answer = (await api.get(path)) as Answer;
      printData(io, json, answer, () => linesOf(answer));
    });
}

/** The answer for an operator to read. */
export function linesOf(answer: Answer): readonly string[] {
  const { rule, mode, channelName, channelArn, state, reason, sentence, remedy, since } = answer;
  const named = channelName === '' ? channelArn : `${channelName} (${channelArn})`;
  return [
    `${rule} (${mode}) on ${named}`,
    '',
    `Now: ${state.replace('_', ' ')}, ${reason}${since === undefined ? '' : `, true since ${since}`}`,
    `  ${sentence}`,
    ...(remedy === '' ? [] : [`  ${remedy}`]),
    `  known: ${valuesText(answer.values) || 'nothing'}`,
    ...answer.due.map(
      ({ action, at, heldBack }) => `  due: ${action} at ${at}${heldBack ? `, held back: ${heldBack}` : ''}`,
    ),
    '',
    state === 'firing' ? 'Guards, as they would judge the next firing:' : 'Guards:',
    ...answer.guards.map(({ guard, passed, values }) =>
      `  ${passed ? 'passes' : 'STOPS '} ${guard.padEnd(17)} ${valuesText(values) || (passedWords[guard] ?? '')}`.trimEnd(),
    ),
    ...answer.muted.map(({ action, reason: why, values }) => `  STOPS  ${action}: ${why} ${valuesText(values)}`),
    ...(answer.last
      ? [
          '',
          `Last time it did not act: ${answer.last.at} ${answer.last.reason} (${valuesText(answer.last.values)})`,
          `  ${answer.last.meaning}`,
        ]
      : []),
    '',
    answer.decisions.length === 0
      ? 'The journal has no decision of this rule about this channel.'
      : 'Journal, newest first:',
    ...answer.decisions.flatMap(
      ({ at, mode: decided, outcome, reason: why, trigger, guards, jobs, withheld, example, count }) => {
        const refused = guards.find(({ passed }) => !passed);
        return [
          `  ${at} ${outcome} ${why}: ${trigger.text}`,
          ...(refused ? [`      ${refused.guard}: ${valuesText(refused.values)}`] : []),
          ...(example && example.channelArn !== answer.channelArn
            ? [`      as on ${example.channelName ?? example.channelArn}, one of ${count} channels`]
            : []),
          ...jobs.flatMap((job) =>
            decided === 'enforce' ? jobLines(job) : [`      ${job.action} not requested: the rule only watches`],
          ),
          ...withheld.map(({ action, reason: held }) => `      ${action} held back: ${held}`),
        ];
      },
    ),
  ];
}

function jobLines({
  action,
  jobId,
  outcome,
  detail,
  checks = [],
}: Answer['decisions'][number]['jobs'][number]): string[] {
  const became =
    outcome === undefined
      ? 'on its way'
      : detail?.startsWith(outcome)
        ? detail
        : [outcome, detail].filter(Boolean).join(': ');
  return [`      ${action} ${jobId}: ${became}`, ...checks.map(checkLine)];
}

/** What a guard without values found when it passed. */
const passedWords: Readonly<Record<string, string>> = {
  stopped: 'its cap has not stopped it',
  pause: 'automation is not paused',
  hold: 'the channel is not on hold',
};

/** What a worker compared right before it acted. */
function checkLine({ check, verdict, asked, found, at }: ShownCheck): string {
  return `        ${verdict} ${check}: asked ${JSON.stringify(asked)}, found ${JSON.stringify(found)} at ${at}`;
}
