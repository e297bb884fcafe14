// What the simulator's command and its implementation share: options, environment, user errors, scenarios by name.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Enforcement } from './throttle/throttle.ts';

/** What the command needs from its environment. */
export interface SimulatorIo {
  /** Writes one line to standard output. */
  readonly print: (line: string) => void;
  /** Aborted when the user wants it to end. */
  readonly signal: AbortSignal;
}

/** The options, as commander reads them. */
export interface Flags {
  readonly port: number;
  readonly host: string;
  readonly region: string;
  readonly account: string;
  readonly channels?: number;
  readonly live?: number;
  readonly scenario?: string;
  readonly queueUrl?: string;
  readonly sqsEndpoint?: string;
  readonly sqs?: boolean;
  readonly sqsPort: number;
  readonly quota: Enforcement;
  readonly concurrentStreams?: number;
  readonly timings: 'realistic' | 'quick';
  readonly speed: number;
  readonly seed?: string;
  readonly json?: boolean;
}

/** A user error, reported in one sentence with exit code 1. */
export class SimulatorCommandError extends Error {}

const SCENARIOS = new URL('../config/scenarios/', import.meta.url);

/** Names of the built-in scenarios. */
export const builtInScenarios = (): string[] =>
  existsSync(SCENARIOS)
    ? readdirSync(SCENARIOS)
        .filter((file) => file.endsWith('.yaml'))
        .map((file) => file.slice(0, -'.yaml'.length))
    : [];

/** The scenario's text: from a file, or a built-in one. */
export function readScenario(nameOrPath: string): string {
  const builtIn = new URL(`${nameOrPath}.yaml`, SCENARIOS);
  if (/^[\w-]+$/.test(nameOrPath) && existsSync(builtIn)) return readFileSync(builtIn, 'utf8');
  if (existsSync(nameOrPath)) return readFileSync(nameOrPath, 'utf8');
  throw new SimulatorCommandError(
    `there is no scenario ${nameOrPath}: give a YAML file, or one of ${builtInScenarios().join(', ')}`,
  );
}
