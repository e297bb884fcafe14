// Text → configuration, or every problem with its place. Nothing here reads the environment: overriding values are passed in.
import { open } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { AppError, messageOf } from '#domain/errors.ts';
import type { Ruleset } from '#domain/rule.ts';
import { roleOf } from './accounts.ts';
import { compileRuleset } from './compile.ts';
import { hashOf } from './hash.ts';
import { isWithin, mend } from './mend.ts';
import { type Finding, formatProblem, type Problem } from './problem.ts';
import type { ConfigDocument } from './schema.ts';
import { type Settings, settingsShape } from './settings.ts';
import { maxBytes, mostProblems, parseYamlInSteps, type YamlFile } from './yaml.ts';

export interface Config {
  readonly settings: Settings;
  readonly ruleset: Ruleset;
  /** Hash of rules and settings together. */
  readonly hash: string;
  /** The name under which it was read. */
  readonly file: string;
  /** The text as it was read. */
  readonly text: string;
  readonly document: ConfigDocument;
  /** Adds the place in the file to a later finding about the document (a lint). */
  readonly locate: (finding: Finding) => Problem;
}

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Values that override the file. */
export interface Overrides {
  /** AUTOPILOT_QUEUE_URL */
  readonly queueUrl?: string | undefined;
}

/** Parses, checks and compiles a configuration file; `file` is its name in problems. */
export function parseConfig(text: string, file: string, overrides: Overrides = {}): ConfigResult {
  return resultOf(readConfig(text, file, overrides));
}

function resultOf(read: ReadConfig): ConfigResult {
  return read.problems.some(({ severity }) => severity === 'error')
    ? { ok: false, problems: read.problems }
    : { ok: true, config: read.config! };
}

/** The contents of a file, as far as readable, and everything that is wrong with its form and its meaning. */
export interface ReadConfig {
  readonly problems: readonly Problem[];
  /** Without the broken parts; undefined if nothing could be made of the file. */
  readonly config: Config | undefined;
  /** Whether a finding about `config` only follows from problems that are already listed. */
  readonly isConsequence: (finding: Finding) => boolean;
}

/** Reads as much of a file as can be read. */
export function readConfig(text: string, file: string, overrides: Overrides = {}): ReadConfig {
  const steps = readSteps(text, file, overrides);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Reads in steps, none of which takes much longer than the others: a running daemon does other work in between. */
function* readSteps(text: string, file: string, overrides: Overrides): Generator<void, ReadConfig> {
  const parsed = yield* parseYamlInSteps(text, file);
  yield;
  if (!parsed.ok) return { problems: parsed.problems, config: undefined, isConsequence: () => true };
  const mended = mend(parsed.yaml.value);
  yield;
  const inFile = (finding: Finding): Finding => ({ ...finding, path: mended.origin(finding.path) });
  const locate = (finding: Finding) => parsed.yaml.locate(inFile(finding));
  if (!mended.document) {
    return { problems: placed(mended.findings, parsed.yaml.locate), config: undefined, isConsequence: () => true };
  }
  const document = withOverrides(mended.document, overrides);
  const compiled = compileRuleset(document, mended.lostNames);
  yield;
  // What cannot be read was left out: that it is missing is not a second mistake.
  const broken = new Set(mended.findings.map(({ path }) => JSON.stringify(path)));
  const meaning = compiled.findings
    .filter(({ path }) => !mended.isStandIn(path))
    .map(inFile)
    .filter(({ path }) => !broken.has(JSON.stringify(path)));
  const told = [...mended.findings, ...meaning];
  const config: Config = {
    settings: withRoles(settingsSchema.parse(document)),
    ruleset: compiled.ruleset,
    hash: hashOf(document),
    file,
    text,
    document,
    locate,
  };
  return {
    problems: placed(told.slice(0, mostProblems), parsed.yaml.locate),
    config,
    isConsequence: (finding) => {
      const [list, index] = finding.path;
      const isOfBroken = list === 'rules' && mended.brokenRules.has(index as number);
      // Whether any rule matches cannot be decided without all of them.
      const isUnsure = list === 'inhibit_rules' && (mended.brokenRules.size > 0 || mended.lostNames.size > 0);
      const at = mended.origin(finding.path);
      return isOfBroken || isUnsure || told.some(({ path }) => isWithin(path, at) || isWithin(at, path));
    },
  };
}

/** Reads and parses a file. Throws CONFIG_NOT_FOUND or CONFIG_INVALID; the details contain the problems. */
export async function loadConfig(file: string, overrides: Overrides = {}): Promise<Config> {
  let text: string;
  try {
    text = await readStart(file);
  } catch (error) {
    throw new AppError('CONFIG_NOT_FOUND', `The configuration file ${file} cannot be read: ${messageOf(error)}`, {
      cause: error,
      details: { file },
    });
  }
  const steps = readSteps(text, file, overrides);
  let step = steps.next();
  while (!step.done) {
    await setImmediate();
    step = steps.next();
  }
  const result = resultOf(step.value);
  if (result.ok) return result.config;
  const lines = result.problems.map(formatProblem);
  throw new AppError('CONFIG_INVALID', `The configuration is not valid:\n${lines.join('\n')}`, {
    details: { file, problems: result.problems },
  });
}

/** The text of a file, up to the largest configuration: one byte more is reported as too large, however long the file is. */
async function readStart(file: string): Promise<string> {
  await using handle = await open(file);
  const bytes = Buffer.alloc(maxBytes + 1);
  let length = 0;
  while (length < bytes.length) {
    const { bytesRead } = await handle.read(bytes, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.toString('utf8', 0, length);
}

const settingsSchema = z.object(settingsShape);

/** The settings with the account numbers filled into their roles. */
function withRoles(settings: Settings): Settings {
  const { accounts } = settings;
  if (!accounts) return settings;
  return {
    ...settings,
    accounts: accounts.map((entry) =>
      entry.assume_role_arn === undefined ? entry : { ...entry, assume_role_arn: roleOf(entry) },
    ),
  };
}

function withOverrides(document: ConfigDocument, { queueUrl }: Overrides): ConfigDocument {
  if (queueUrl === undefined || queueUrl === '') return document;
  return { ...document, events: { ...document.events, queue_url: queueUrl } };
}

function placed(findings: readonly Finding[], locate: YamlFile['locate']): Problem[] {
  return findings.map(locate).sort(byPlace);
}

function byPlace(left: Problem, right: Problem): number {
  return left.line - right.line || left.column - right.column;
}
