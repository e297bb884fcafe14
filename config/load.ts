// Text → configuration, or every problem with its place. Nothing here reads the environment: what it overrides is passed in.
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { AppError, messageOf } from '#domain/errors.ts';
import type { Ruleset } from '#domain/rule.ts';
import { compileRuleset } from './compile.ts';
import { hashOf } from './hash.ts';
import { findingsOf } from './issues.ts';
import { type Finding, formatProblem, type Problem } from './problem.ts';
import { type ConfigDocument, configSchema, rulesShape } from './schema.ts';
import { type Settings, settingsShape } from './settings.ts';
import { mostProblems, parseYaml, type YamlFile } from './yaml.ts';

export interface Config {
  readonly settings: Settings;
  readonly ruleset: Ruleset;
  /** Of rules and settings together. */
  readonly hash: string;
  /** As it was called when it was read. */
  readonly file: string;
  readonly document: ConfigDocument;
  /** Gives a later finding about the document (a lint) its place in the file. */
  readonly locate: (finding: Finding) => Problem;
}

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** What the environment says instead of the file. */
export interface Overrides {
  /** AUTOPILOT_QUEUE_URL */
  readonly queueUrl?: string | undefined;
}

/** Parses, checks and compiles a configuration file; `file` is how it is called in problems. */
export function parseConfig(text: string, file: string, overrides: Overrides = {}): ConfigResult {
  const parsed = parseYaml(text, file);
  if (!parsed.ok) return parsed;
  const { locate } = parsed.yaml;
  const checked = configSchema.safeParse(parsed.yaml.value, { reportInput: true });
  if (!checked.success) {
    return { ok: false, problems: placed(findingsOf(checked.error, configSchema, mostProblems), locate) };
  }
  const document = withOverrides(checked.data, overrides);
  const { ruleset, findings } = compileRuleset(document);
  if (findings.some(({ severity }) => severity === 'error')) {
    return { ok: false, problems: placed(findings.slice(0, mostProblems), locate) };
  }
  const settings = settingsSchema.parse(document);
  return { ok: true, config: { settings, ruleset, hash: hashOf(document), file, document, locate } };
}

/** Reads and parses a file. Throws CONFIG_NOT_FOUND or CONFIG_INVALID; the details carry the problems. */
export async function loadConfig(file: string, overrides: Overrides = {}): Promise<Config> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new AppError('CONFIG_NOT_FOUND', `The configuration file ${file} cannot be read: ${messageOf(error)}`, {
      cause: error,
      details: { file },
    });
  }
  const result = parseConfig(text, file, overrides);
  if (result.ok) return result.config;
  const lines = result.problems.map(formatProblem);
  throw new AppError('CONFIG_INVALID', `The configuration is not valid:\n${lines.join('\n')}`, {
    details: { file, problems: result.problems },
  });
}

const settingsSchema = z.object(settingsShape);

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

/** Top-level keys of the rules part. */
export const rulesKeys: readonly string[] = Object.keys(rulesShape);
