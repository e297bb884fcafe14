// `test`: runs rule tests on the daemon's own engine with a virtual clock.
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { type Config, parseConfig } from '#config/load.ts';
import { formatProblem } from '#config/problem.ts';
import { parseRuleTests } from './rule-test/rule-test-file.ts';
import type { RuleTestResult } from './rule-test/run-rule-test.ts';
import { type CliIo, CommandFailed, example, printLines, readText } from './support.ts';
import { defaultConfigFile } from './validate.ts';

interface Flags {
  readonly config?: string;
  readonly json?: boolean;
  readonly filter?: string;
}

export function register(program: Command, io: CliIo): void {
  program
    .command('test')
    .description('run rule tests on the daemon’s own engine, in virtual time')
    .argument('[files...]', 'configuration files or test files; x.test.yaml tests x.yaml beside it')
    .option('--config <file>', 'the configuration to use for all tests')
    .option('--filter <text>', 'only tests whose name contains this')
    .option('--json', 'print the results as JSON')
    .addHelpText('after', example('ivs-autopilot test config/autopilot.yaml', 'ivs-autopilot test rules/*.test.yaml'))
    .action(async (files: string[], flags: Flags) => {
      const given = files.length > 0 ? files : [defaultConfigFile(io.env)];
      const results: (RuleTestResult & { file: string })[] = [];
      for (const file of given) {
        const pair = pairOf(file, flags.config);
        for (const result of await runFile(pair, flags.filter, io)) results.push({ file: pair.tests, ...result });
      }
      if (results.length === 0) throw new CommandFailed('No test has such a name: check --filter.', 1);
      const failed = results.filter(({ failures }) => failures.length > 0);
      if (flags.json)
        io.print(
          JSON.stringify({ tests: results, passed: results.length - failed.length, failed: failed.length }, null, 2),
        );
      else {
        for (const { name, failures } of results) {
          io.print(`${failures.length === 0 ? 'ok    ' : 'FAILED'} ${name}`);
          for (const failure of failures) printLines(io.printError, failure);
        }
        io.print(`${results.length - failed.length} passed, ${failed.length} failed`);
      }
      if (failed.length > 0) throw new CommandFailed('', 1);
    });
}

/** Pairs the test files with their configurations. */
function pairOf(file: string, config: string | undefined): { config: string; tests: string } {
  const isTests = /\.test\.ya?ml$/.test(file);
  const pair = isTests
    ? { config: config ?? file.replace(/\.test(\.ya?ml)$/, '$1'), tests: file }
    : { config: file, tests: file.replace(/(\.ya?ml)$/, '.test$1') };
  if (!isTests && !/\.ya?ml$/.test(file)) throw new CommandFailed(`${file} is not a YAML file.`, 2);
  if (!existsSync(pair.tests))
    throw new CommandFailed(`${pair.tests} does not exist: write the tests of ${pair.config} there.`);
  return pair;
}

async function runFile(
  pair: { config: string; tests: string },
  filter: string | undefined,
  io: CliIo,
): Promise<readonly RuleTestResult[]> {
  const config = requireConfig(pair.config, io);
  const parsed = parseRuleTests(readText(pair.tests), pair.tests, config.ruleset);
  if (!parsed.ok) {
    for (const problem of parsed.problems) io.printError(formatProblem(problem));
    throw new CommandFailed('', 1);
  }
  // Imported late, because it brings the workers with it.
  const { runRuleTest } = await import('./rule-test/run-rule-test.ts');
  const results: RuleTestResult[] = [];
  for (const ruleTest of parsed.tests) {
    if (filter === undefined || ruleTest.name.includes(filter))
      results.push(await runRuleTest(ruleTest, config.ruleset));
  }
  return results;
}

/** A configuration; if it is invalid, prints its problems on standard error and ends the command. */
export function requireConfig(file: string, io: CliIo): Config {
  const result = parseConfig(readText(file), file);
  if (result.ok) return result.config;
  for (const problem of result.problems) io.printError(formatProblem(problem));
  throw new CommandFailed('', 1);
}
