// What a simulator consists of, and what it keeps: types only, so that each part can refer to the whole.
import type { SimulatedClock } from './clock.ts';
import type { ActionContext } from './context.ts';
import type { EventBus } from './eventbridge/bus.ts';
import type { Publisher } from './events/publisher.ts';
import type { SqsDelivery } from './events/sqs-delivery.ts';
import type { Faults } from './faults.ts';
import type { Random } from './random.ts';
import type { Settings } from './settings.ts';
import type { Throttle } from './throttle/throttle.ts';

/** All parts of one simulator; what the protocols and the control API work on. */
export interface Simulator {
  readonly seed: string;
  readonly random: Random;
  readonly settings: Settings;
  readonly clock: SimulatedClock;
  readonly context: ActionContext;
  readonly throttle: Throttle;
  readonly faults: Faults;
  readonly publisher: Publisher;
  readonly delivery: SqsDelivery;
  readonly bus: EventBus;
  /** Secrets Manager's and Parameter Store's contents, by name. */
  readonly secrets: Map<string, Secret>;
  readonly parameters: Map<string, Parameter>;
  /** Who the credentials of assumed roles are, by access key id. */
  readonly assumedRoles: Map<string, AssumedRole>;
  /** Whether the account has more views than allowed; the breach is reported once. */
  viewsExceeded: boolean;
  /** The scenario that was loaded last. */
  scenario: { readonly state: ScenarioState; stop(): void } | undefined;
  /** Releases timers, waiters and sockets. */
  close(): Promise<void>;
}

export interface Version {
  readonly id: string;
  readonly value: string;
  readonly createdAt: number;
}

/** A secret with its versions, newest last. */
export interface Secret {
  readonly arn: string;
  readonly name: string;
  readonly description?: string | undefined;
  readonly createdAt: number;
  changedAt: number;
  readonly versions: Version[];
  /** Stage label → version id. */
  readonly stages: Map<string, string>;
  readonly tags: readonly { readonly Key: string; readonly Value: string }[];
}

export interface Parameter {
  readonly name: string;
  readonly type: 'String' | 'StringList' | 'SecureString';
  readonly value: string;
  readonly version: number;
  readonly changedAt: number;
}

/** A session of a role. */
export interface AssumedRole {
  readonly AssumedRoleId: string;
  readonly Arn: string;
  readonly account: string;
}

/** The progress of a scenario. */
export interface ScenarioState {
  readonly name: string;
  readonly startedAt: number;
  /** Steps done, each repetition counted, of the total. */
  readonly done: number;
  readonly steps: number;
  readonly finished: boolean;
  /** What was done so far, for the narration. */
  readonly log: readonly StepRecord[];
}

/** A step that was done; `atMs` counts from the scenario's start. */
export interface StepRecord {
  readonly atMs: number;
  readonly step: string;
  readonly note?: string;
}
