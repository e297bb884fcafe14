// `replay`: what rules would have done with recorded observations, and how that differs from other rules.
import type { Command } from 'commander';
import { type ChannelArn, channelIdOf } from '#domain/channel.ts';
import { messageOf } from '#domain/errors.ts';
import type { Ruleset } from '#domain/rule.ts';
import { applyControl, takeOverControls } from '#rules/controls.ts';
import { parseRecording, type Recorded } from './rule-test/recording.ts';
import { enforced } from './rule-test/run-rule-test.ts';
import { type PlannedJob, VirtualWorld } from './rule-test/world.ts';
import { type CliIo, CommandFailed, example, printData, readText } from './support.ts';
import { requireConfig } from './test.ts';
import { defaultConfigFile } from './validate.ts';

/** How long after the last observation timers may still expire. */
const afterwardsMs = 3_600_000;

interface Act {
  readonly atMs: number;
  readonly rule: string;
  readonly channel: string;
  readonly action: string;
}

export function register(program: Command, io: CliIo): void {
  program
    .command('replay')
    .description(
      'run recorded observations through rules and print what they would have done, also compared with other rules',
    )
    .argument('<recordings...>', 'JSON lines: recordings of all replicas (AUTOPILOT_RECORD), or EventBridge events')
    .option('--config <file>', 'the rules to try (default: AUTOPILOT_CONFIG, else config/autopilot.yaml)')
    .option('--against <file>', 'the rules to compare with')
    .option('--json', 'print the actions as JSON')
    .addHelpText(
      'after',
      example('ivs-autopilot replay data/observations.jsonl --config new.yaml --against config/autopilot.yaml'),
    )
    .action(async (files: string[], flags: { config?: string; against?: string; json?: boolean }) => {
      const recorded = readRecordings(files);
      const config = requireConfig(flags.config ?? defaultConfigFile(io.env), io);
      const after = await actsOf(recorded, config.ruleset);
      if (flags.against === undefined) {
        printData(io, flags.json, { actions: after }, () => [...after.map(lineOf), summaryOf(after, recorded)]);
        return;
      }
      const before = await actsOf(recorded, requireConfig(flags.against, io).ruleset);
      const { removed, added, same } = difference(before, after);
      printData(io, flags.json, { removed, added, same: same.length }, () => [
        ...[...removed.map((act) => ({ act, mark: '-' })), ...added.map((act) => ({ act, mark: '+' }))]
          .sort((left, right) => left.act.atMs - right.act.atMs)
          .map(({ act, mark }) => `${mark} ${lineOf(act)}`),
        `${same.length} actions the same, ${removed.length} no more (-), ${added.length} new (+)`,
      ]);
    });
}

/** All recordings merged, in the order of time. */
function readRecordings(files: readonly string[]): readonly Recorded[] {
  const recorded = files.flatMap((file) => {
    const recording = parseRecording(readText(file), file);
    if (!recording.ok) throw new CommandFailed(`${recording.message}.`);
    return recording.recorded;
  });
  return recorded.sort((left, right) => left.atMs - right.atMs);
}

/** What a ruleset does with a recording; dry-run rules act too. */
async function actsOf(recorded: readonly Recorded[], ruleset: Ruleset): Promise<readonly Act[]> {
  const startMs = recorded[0]!.atMs;
  const world = new VirtualWorld({ ruleset: enforced(ruleset), startMs });
  for (const line of recorded) {
    await world.advanceTo(Math.max(line.atMs, world.nowMs));
    if ('observation' in line) await observed(world, line);
    else if ('control' in line && (line.control.kind === 'approve' || line.control.kind === 'reject'))
      await world.answer(line.control);
    else
      await world.commit((tx) =>
        'control' in line ? applyControl(tx, line.control) : takeOverControls(tx, line.inForce),
      );
  }
  await world.advanceTo(world.nowMs + afterwardsMs);
  return world.jobs.filter(({ skipped }) => !skipped).map(actOf);
}

/** A line may be truncated, or written by hand. */
async function observed(world: VirtualWorld, { atMs, observation }: Extract<Recorded, { observation: unknown }>) {
  await world.observe(observation).catch((error: unknown) => {
    const at = new Date(atMs).toISOString();
    throw new CommandFailed(`the observation "${observation.kind}" of ${at} cannot be read: ${messageOf(error)}.`);
  });
}

function actOf({ atMs, rule, channelArn, action }: PlannedJob): Act {
  return { atMs, rule, channel: channelArn === undefined ? '-' : channelIdOf(channelArn as ChannelArn), action };
}

function lineOf({ atMs, rule, channel, action }: Act): string {
  return `${new Date(atMs).toISOString()}  ${channel}  ${rule}  ${action}`;
}

function summaryOf(acts: readonly Act[], recorded: readonly Recorded[]): string {
  return `${acts.length} actions from ${recorded.filter((line) => 'observation' in line).length} observations`;
}

/** Actions grouped by their content; equal actions at the same moment are the same. */
function difference(before: readonly Act[], after: readonly Act[]) {
  const left = new Map<string, Act[]>();
  for (const act of before) left.set(lineOf(act), [...(left.get(lineOf(act)) ?? []), act]);
  const added: Act[] = [];
  const same: Act[] = [];
  for (const act of after) (left.get(lineOf(act))?.pop() ? same : added).push(act);
  return { removed: [...left.values()].flat(), added, same };
}
