// `bootstrap`: the way of IVS events into the queue, made, compared, removed or printed from one description.
import { type Command, Option } from 'commander';
import { AppError } from '#domain/errors.ts';
import { defaultNames, describeEventPath, type EventPathNames, setupNamePattern } from '#ops/event-path.ts';
import { type Change, changesAnything } from '#ops/event-path-plan.ts';
import { type CliIo, CommandFailed, example } from './support.ts';

interface Flags {
  readonly name: string;
  readonly queue?: string;
  readonly rule?: string;
  readonly region?: string;
  readonly dryRun?: boolean;
  readonly destroy?: boolean;
  readonly adopt?: boolean;
  readonly print?: 'cloudformation' | 'terraform';
  readonly json?: boolean;
}

export function register(program: Command, io: CliIo): void {
  program
    .command('bootstrap')
    .description('set up the way of IVS events into an SQS queue: EventBridge rule, queue, dead-letter queue, policies')
    .option('--name <name>', 'name of the set-up: part of every name, and value of the tag', 'ivs-autopilot')
    .option('--queue <name>', 'name of the queue (default: <name>-events)')
    .option('--rule <name>', 'name of the rule (default: <name>-events)')
    .option('--region <region>', 'AWS region (default: AWS_REGION)')
    .option('--dry-run', 'only show what would be changed')
    .option('--destroy', 'remove what an earlier bootstrap made: only what carries its tag')
    .option('--adopt', 'take over queues and rules of these names that bootstrap did not make')
    .addOption(
      new Option('--print <language>', 'print a template instead of making calls').choices([
        'cloudformation',
        'terraform',
      ]),
    )
    .option('--json', 'print the plan and its result as JSON')
    .addHelpText(
      'after',
      example(
        'ivs-autopilot bootstrap --dry-run',
        'ivs-autopilot bootstrap --region us-west-2',
        'ivs-autopilot bootstrap --print terraform > events.tf',
      ),
    )
    .action(async (flags: Flags) => {
      const wanted = describeEventPath(namesFrom(flags));
      if (flags.print) {
        const { printEventPath } = await import('#ops/event-path-print.ts');
        io.print(printEventPath(wanted, flags.print).trimEnd());
        return;
      }
      const region = flags.region ?? io.env['AWS_REGION'] ?? io.env['AWS_DEFAULT_REGION'];
      if (!region) throw new CommandFailed('No AWS region: set AWS_REGION or give --region.', 2);
      const aws = await import('#ops/event-path-aws.ts');
      const { planEventPath, planRemoval } = await import('#ops/event-path-plan.ts');
      using clients = aws.eventPathClients({ region });
      const adopt = flags.adopt === true;
      if (flags.dryRun) {
        const actual = await aws.readEventPath(clients, wanted);
        const changes = flags.destroy ? planRemoval(wanted, actual) : planEventPath(wanted, actual, { adopt });
        report(io, flags, { changes, done: false });
        if (changes.some(({ kind }) => kind === 'foreign') && !flags.destroy)
          throw new AppError('SETUP_FOREIGN', 'something of these names was not made by bootstrap; see above');
        return;
      }
      if (flags.destroy) {
        report(io, flags, { changes: await aws.removeEventPath(clients, wanted), done: true });
        return;
      }
      const applied = await aws.applyEventPath(clients, wanted, { adopt });
      report(io, flags, { changes: applied.changes, done: true, queueUrl: applied.queueUrl, ruleArn: applied.ruleArn });
    });
}

function namesFrom(flags: Flags): EventPathNames {
  const names = defaultNames(flags.name);
  const chosen = { ...names, queue: flags.queue ?? names.queue, rule: flags.rule ?? names.rule };
  for (const [option, value] of [
    ['--name', chosen.name],
    ['--queue', chosen.queue],
    ['--rule', chosen.rule],
  ] as const)
    if (!setupNamePattern.test(value))
      throw new CommandFailed(
        `${option} ${JSON.stringify(value)}: expected up to 48 letters, digits, hyphens and underscores.`,
        2,
      );
  if (chosen.queue === chosen.deadLetterQueue)
    throw new CommandFailed(`--queue ${chosen.queue} is the name of the dead-letter queue: choose another one.`, 2);
  return chosen;
}

interface Outcome {
  readonly changes: readonly Change[];
  readonly done: boolean;
  readonly queueUrl?: string;
  readonly ruleArn?: string;
}

const signs = { create: '+', update: '~', delete: '-', unchanged: ' ', keep: '!', foreign: '!' } as const;

function report(io: CliIo, flags: Flags, outcome: Outcome): void {
  if (flags.json) {
    io.print(JSON.stringify(outcome, null, 2));
    return;
  }
  for (const { part, name, kind, fields, note } of outcome.changes) {
    io.print(`${signs[kind]} ${part} ${name}: ${kind}${note === undefined ? '' : ` (${note})`}`);
    if (kind !== 'update') continue;
    for (const { field, from, to } of fields) io.print(`    ${field}: ${from ?? 'not set'} → ${to ?? 'not set'}`);
  }
  if (!changesAnything(outcome.changes))
    io.print(flags.destroy ? 'Nothing to remove.' : 'Everything is as it should be; nothing to change.');
  else if (!outcome.done) io.print('Nothing was changed (--dry-run).');
  if (outcome.queueUrl !== undefined) io.print(`AUTOPILOT_QUEUE_URL=${outcome.queueUrl}`);
}
