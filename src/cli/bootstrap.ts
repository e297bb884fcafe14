// `bootstrap`: the event path (EventBridge rule, queue, policies): created, compared, removed or printed from one description.
import { type Command, Option } from 'commander';
import { detailTypesOf } from '#config/detail-types.ts';
import type { Config } from '#config/load.ts';
import { AppError } from '#domain/errors.ts';
import type { DoctorAccount } from '#ops/doctor/doctor-account.ts';
import {
  defaultNames,
  describeEventPath,
  type EventPath,
  type EventPathNames,
  setupNamePattern,
} from '#ops/event-path.ts';
import { type Change, changesAnything } from '#ops/event-path-plan.ts';
import type { TemplateLanguage } from '#ops/event-path-print.ts';
import { type AccountFlags, chosenAccounts } from './accounts.ts';
import { type CliIo, CommandFailed, example, printJson, printLines } from './support.ts';
import { defaultConfigFile } from './validate.ts';

interface Flags extends AccountFlags {
  readonly name: string;
  readonly queue?: string;
  readonly rule?: string;
  readonly dryRun?: boolean;
  readonly destroy?: boolean;
  readonly adopt?: boolean;
  readonly print?: TemplateLanguage;
  readonly organization?: string;
  readonly toBus?: string;
  readonly json?: boolean;
}

export function register(program: Command, io: CliIo): void {
  program
    .command('bootstrap')
    .description('create the queue, dead-letter queue, EventBridge rule and policies that deliver IVS events')
    .argument(
      '[file]',
      'configuration with the `accounts` to set up (default: AUTOPILOT_CONFIG, else config/autopilot.yaml)',
    )
    .option('--account <name>', 'only this entry of `accounts` (default: all, each with its own role)')
    .option('--name <name>', 'name of the setup: part of every name, and value of the tag', 'ivs-autopilot')
    .option('--queue <name>', 'name of the queue (default: <name>-events)')
    .option('--rule <name>', 'name of the rule (default: <name>-events)')
    .option('--region <region>', 'AWS Region, if the configuration has no `accounts` (default: AWS_REGION)')
    .option('--dry-run', 'only show what it would change')
    .option('--destroy', 'remove what an earlier bootstrap created (only resources with its tag)')
    .option('--adopt', 'take over queues and rules of these names that bootstrap did not create')
    .addOption(
      new Option('--print <language>', 'print a template instead of making calls').choices([
        'cloudformation',
        'terraform',
      ] satisfies TemplateLanguage[]),
    )
    .option(
      '--organization <id>',
      'with --print: for the central account of this organisation, whose bus takes the events of all its accounts',
    )
    .option('--to-bus <arn>', 'with --print: for each other account, a rule that forwards its events to this bus')
    .option('--json', 'print the plan and its result as JSON')
    .addHelpText(
      'after',
      example(
        'ivs-autopilot bootstrap --dry-run',
        'ivs-autopilot bootstrap --region us-west-2',
        'ivs-autopilot bootstrap --account europe',
        'ivs-autopilot bootstrap --print terraform > events.tf',
        'ivs-autopilot bootstrap --print cloudformation --organization o-a1b2c3d4e5 > central.yaml',
        'ivs-autopilot bootstrap --print cloudformation --to-bus arn:aws:events:us-west-2:111122223333:event-bus/ivs-autopilot-events > member.yaml',
      ),
    )
    .action(async (file: string | undefined, flags: Flags) => {
      const names = namesFrom(flags);
      const config = await readConfig(io, file);
      const wanted = describeEventPath(names, config ? detailTypesOf(config.ruleset) : []);
      checkBusFlags(flags);
      if (flags.print) {
        printLines(io.print, await templateOf(wanted, flags.print, flags));
        return;
      }
      const configured = config?.settings.accounts !== undefined;
      const accounts = config ? await chosenAccounts(config, flags, io) : environmentAccount(flags, io);
      if (accounts.length === 0) throw new CommandFailed('No AWS Region: set AWS_REGION or --region.', 2);
      if (configured) await bringAll(io, flags, wanted, accounts);
      else {
        const outcome = await bring(flags, wanted, accounts[0]!);
        if (flags.json) printJson(io, outcome);
        else report(io, flags, outcome);
        if (outcome.queueUrl !== undefined && !flags.json) io.print(`AUTOPILOT_QUEUE_URL=${outcome.queueUrl}`);
        refuseForeign(flags, outcome);
      }
    });
}

/** The configuration, if there is one: accounts are often set up before it exists. @throws AppError CONFIG_INVALID */
async function readConfig(io: CliIo, given: string | undefined): Promise<Config | undefined> {
  const { loadConfig } = await import('#config/load.ts');
  const file = given ?? defaultConfigFile(io.env);
  try {
    return await loadConfig(file, { queueUrl: io.env['AUTOPILOT_QUEUE_URL'] });
  } catch (error) {
    const named = given ?? io.env['AUTOPILOT_CONFIG'];
    if (named === undefined && error instanceof AppError && error.code === 'CONFIG_NOT_FOUND') return undefined;
    throw error;
  }
}

function environmentAccount({ region, account }: Flags, { env }: CliIo): DoctorAccount[] {
  if (account !== undefined)
    throw new CommandFailed(`--account ${account}: there is no configuration that names accounts.`, 2);
  const chosen = region ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'];
  return chosen === undefined ? [] : [{ name: 'main', region: chosen }];
}

/** Plans, creates or removes the event path in one account. @throws AppError SETUP_… */
async function bring(flags: Flags, wanted: EventPath, account: DoctorAccount): Promise<Outcome> {
  const aws = await import('#ops/event-path-aws.ts');
  const { planEventPath, planRemoval } = await import('#ops/event-path-plan.ts');
  using clients = aws.eventPathClients(account);
  const adopt = flags.adopt === true;
  if (flags.dryRun) {
    const actual = await aws.readEventPath(clients, wanted);
    return {
      changes: flags.destroy ? planRemoval(wanted, actual) : planEventPath(wanted, actual, { adopt }),
      done: false,
    };
  }
  if (flags.destroy) return { changes: await aws.removeEventPath(clients, wanted), done: true };
  const { changes, queueUrl, ruleArn } = await aws.applyEventPath(clients, wanted, { adopt });
  return { changes, done: true, queueUrl, ruleArn };
}

/** Sets up one account after the other, each with its own credentials; a failure in one does not stop the others. */
async function bringAll(io: CliIo, flags: Flags, wanted: EventPath, accounts: readonly DoctorAccount[]): Promise<void> {
  const results = new Map<string, object>();
  const failed: string[] = [];
  for (const account of accounts) {
    const { name, region, assume_role_arn: role, queue_url: configuredUrl } = account;
    if (!flags.json) io.print(`${name} (${region}${role === undefined ? '' : `, as ${role}`}):`);
    if (account.sharedQueue) {
      const skipped = 'it shares its queue with other accounts: set it up with --print, --organization and --to-bus';
      results.set(name, { account: name, region, skipped });
      if (!flags.json) io.print(`- left alone: ${skipped}`);
      continue;
    }
    try {
      const outcome = await bring(flags, wanted, account);
      results.set(name, { account: name, region, ...outcome });
      if (!flags.json) {
        report(io, flags, outcome);
        if (outcome.queueUrl !== undefined && outcome.queueUrl !== configuredUrl)
          io.print(`Set queue_url of the account ${name}: ${outcome.queueUrl}`);
      }
      refuseForeign(flags, outcome);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      failed.push(name);
      results.set(name, {
        ...(results.get(name) ?? { account: name, region }),
        error: { code: error.code, message: error.message },
      });
      if (!flags.json) io.printError(`${name}: ${error.code}: ${error.message}`);
    }
  }
  if (flags.json) printJson(io, { accounts: [...results.values()] });
  if (failed.length > 0)
    throw new CommandFailed(
      `${failed.length} of ${accounts.length} accounts failed; see above: ${failed.join(', ')}. Repair them and run it again: finished accounts stay unchanged.`,
    );
}

/** @throws CommandFailed */
function checkBusFlags({ print, organization, toBus }: Flags): void {
  if (organization === undefined && toBus === undefined) return;
  if (print === undefined)
    throw new CommandFailed(
      '--organization and --to-bus need --print: use StackSets or Terraform to roll out resources in many accounts.',
      2,
    );
  if (organization !== undefined && toBus !== undefined)
    throw new CommandFailed(
      '--organization is for the central account, --to-bus for the others: print one after the other.',
      2,
    );
  // https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html
  if (organization !== undefined && !/^o-[a-z0-9]{10,32}$/.test(organization))
    throw new CommandFailed(`--organization ${JSON.stringify(organization)}: expected an id such as o-a1b2c3d4e5.`, 2);
  if (toBus !== undefined && !/^arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus\/[\w./-]{1,256}$/.test(toBus))
    throw new CommandFailed(
      `--to-bus ${JSON.stringify(toBus)}: expected the ARN of an event bus, the output BusArn of the central template.`,
      2,
    );
}

async function templateOf(
  wanted: EventPath,
  language: TemplateLanguage,
  { organization, toBus }: Flags,
): Promise<string> {
  const { printEventPath, printForwarding } = await import('#ops/event-path-print.ts');
  const bus = organization === undefined ? undefined : { name: wanted.rule.name, organization };
  return (
    toBus === undefined ? printEventPath(wanted, language, bus) : printForwarding(wanted, language, toBus)
  ).trimEnd();
}

function refuseForeign(flags: Flags, { changes, done }: Outcome): void {
  if (!done && !flags.destroy && changes.some(({ kind }) => kind === 'foreign'))
    throw new AppError('SETUP_FOREIGN', 'a resource with one of these names was not created by bootstrap; see above');
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
  for (const { part, name, kind, fields, note } of outcome.changes) {
    io.print(`${signs[kind]} ${part} ${name}: ${kind}${note === undefined ? '' : ` (${note})`}`);
    if (kind !== 'update') continue;
    for (const { field, from, to } of fields) io.print(`    ${field}: ${from ?? 'not set'} → ${to ?? 'not set'}`);
  }
  if (!changesAnything(outcome.changes))
    io.print(flags.destroy ? 'Nothing to remove.' : 'Everything is in place; nothing to change.');
  else if (!outcome.done) io.print('Nothing was changed (--dry-run).');
}
