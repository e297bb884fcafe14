// `approval list`: actions that wait for a person's approval; `approval approve` and `approval reject`: the answer.
import { type Command, Option } from 'commander';
import { approvalStates } from '#domain/approval.ts';
import { personText } from '#domain/person.ts';
import { apiClient, type CliIo, daemonUrl, example, printData } from './support.ts';
import { type Line, toned } from './terminal.ts';
import { leftUntil, shortTime } from './times.ts';

interface Answer {
  readonly verdict: string;
  readonly who: string;
  readonly from: string;
  readonly reason: string;
  readonly at: string;
}

interface Approval {
  readonly id: string;
  readonly state: string;
  readonly rule: string;
  readonly deed: string;
  readonly why: string;
  readonly askedAt: string;
  readonly until: string;
  readonly endedAt: string | null;
  readonly by: string;
  readonly count: number;
  readonly missing: number;
  readonly shown: Readonly<Record<string, string | number | boolean>>;
  readonly now?: Readonly<Record<string, string | number | boolean>>;
  readonly answers: readonly Answer[];
  readonly note?: string;
  readonly jobId?: string;
  readonly link: string;
}

export function register(program: Command, io: CliIo): void {
  const approval = program
    .command('approval')
    .description('actions that wait for approval: list, approve and reject them')
    .addHelpText('after', example('ivs-autopilot approval list'));
  approval
    .command('list')
    .description(
      'list actions that wait for approval, the soonest to time out first; with --state or --all, also those of the last day',
    )
    .addOption(new Option('--state <state>', 'only entries in this state').choices(approvalStates))
    .option('--all', 'also list those that are over')
    .option('--rule <rule>', 'only entries of this rule')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot approval list', 'ivs-autopilot approval list --state rejected'))
    .action(async (flags: { state?: string; all?: boolean; rule?: string; json?: boolean }) => {
      const state = flags.state ?? (flags.all ? undefined : 'waiting');
      const query = new URLSearchParams({
        ...(state === undefined ? {} : { state }),
        ...(flags.rule === undefined ? {} : { rule: flags.rule }),
      });
      const answer = (await apiClient(io).get(`/v1/approvals?${query.toString()}`)) as {
        approvals: readonly Approval[];
      };
      printData(io, flags.json, answer, () =>
        answer.approvals.length === 0
          ? [state === 'waiting' ? 'Nothing waits for approval.' : 'none']
          : answer.approvals.flatMap((each) => linesOf(each, daemonUrl(io.env))),
      );
    });
  for (const { verdict, description, done } of [
    {
      verdict: 'approve',
      description: 'approve: everything is checked again, then the action runs',
      done: 'Approved',
    },
    { verdict: 'reject', description: 'reject: the action does not run', done: 'Rejected' },
  ] as const)
    approval
      .command(verdict)
      .description(description)
      .argument('<id>', 'the id in `approval list`')
      .option('--reason <text>', 'the reason, for the audit', '')
      .option('--json', 'print the answer as JSON')
      .addHelpText(
        'after',
        example(`ivs-autopilot approval ${verdict} ap-0123456789abcdef01234567 --reason "looked at it"`),
      )
      .action(async (id: string, { reason, json }: { reason: string; json?: boolean }) => {
        const path = `/v1/approvals/${encodeURIComponent(id)}`;
        const answer = (await apiClient(io).send('POST', path, { decision: verdict, reason })) as Approval;
        printData(io, json, answer, () => [
          answer.missing > 0
            ? `Approved; ${answer.missing} more must approve by ${answer.until}: ${answer.deed}`
            : `${done}: ${answer.deed}`,
          ...(answer.jobId === undefined ? [] : [`job ${answer.jobId}`]),
        ]);
      });
}

function linesOf(each: Approval, url: string): Line[] {
  const { id, state, rule, deed, why, askedAt, until, endedAt, by, count, missing, answers, note, link } = each;
  const when =
    endedAt === null
      ? `${leftUntil(until, Date.now())} left, until ${shortTime(until)}`
      : `asked ${shortTime(askedAt)}, over ${shortTime(endedAt)}${note === undefined ? '' : `: ${note}`}`;
  const values = Object.entries(each.now ?? each.shown).map(([name, value]) => `${name} ${value}`);
  return [
    [toned(state === 'waiting' ? 'WAITING' : state.toUpperCase()), ` ${deed}`],
    `  ${when}`,
    `  why: ${why} (rule ${rule})`,
    ...(values.length === 0 ? [] : [`  ${each.now ? 'now' : 'shown'}: ${values.join(', ')}`]),
    ...(state === 'waiting' ? [`  who: ${count === 1 ? by : `${count} × ${by}, ${missing} missing`}`] : []),
    ...answers.map(
      ({ verdict, who, from, reason, at }) =>
        `  ${verdict} by ${personText(who)} from ${from} at ${shortTime(at)}${reason && `: ${reason}`}`,
    ),
    `  ${url}${link}`,
    `  id ${id}`,
  ];
}
