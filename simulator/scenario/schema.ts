// What a scenario file may contain. Unknown members are errors; durations are `250ms`, `30s`, `5m`, `1h` or sums like `1m30s`.

import { z } from 'zod';
import * as requests from '../control/requests.ts';
import { CALL_RATES, type OperationName } from '../throttle/quotas.ts';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A duration in text, converted to milliseconds. */
export const duration = z
  .string()
  .regex(/^(\d+(\.\d+)?(ms|s|m|h))+$/, 'must be a duration such as 250ms, 30s, 5m or 1m30s')
  .transform((text) =>
    [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce((sum, [, value, unit]) => {
      return sum + Number(value) * (UNIT_MS[unit ?? ''] ?? 0);
    }, 0),
  );

/**
 * Which channels: `all`, `live`, names or ARNs, the first few, a slice of the order of creation (from 0, end excluded),
 * the first so many percent, or so many picked by the seed (a new pick each time it is read).
 */
const selector = z.union([
  z.enum(['all', 'live']),
  z.array(z.string()).min(1),
  z.strictObject({ first: z.number().int().min(1) }),
  z.strictObject({ slice: z.tuple([z.number().int().min(0), z.number().int().min(1)]) }),
  z.strictObject({ percent: z.number().min(0).max(100) }),
  z.strictObject({ pick: z.number().int().min(1) }),
]);

export type Selector = z.output<typeof selector>;

const on = z.strictObject({ channels: selector });
const operation = z.enum(Object.keys(CALL_RATES) as [OperationName, ...OperationName[]]);

/** What one step does: exactly one of these. */
export const ACTIONS = {
  connect: requests.encoderSetup.extend({ channels: selector }),
  end: on,
  starve: on,
  recover: on,
  lose: on,
  viewers: z.strictObject({ channels: selector, viewers: requests.setViewers.shape.viewers }),
  breach: requests.breach.omit({ channel: true }).extend({ channels: selector.optional() }),
  /** An ad break that another client of the account inserts, where none is running. */
  adBreak: requests.adBreak.extend({ channels: selector }),
  failRecording: on,
  /** Calls that other clients of the account make: they take slots of the quota. */
  otherCalls: z.strictObject({ operation, perSecond: z.number().positive(), for: duration }),
  fault: requests.faultRule,
  clearFaults: z.literal(true),
  eventPolicy: requests.deliveryPolicy,
  planEvent: requests.nextFate,
  releaseEvents: z.literal(true),
  settings: requests.settingsChange,
} as const;

export type ActionName = keyof typeof ACTIONS;

const names = Object.keys(ACTIONS) as ActionName[];

const step = z
  .strictObject({
    at: duration,
    note: z.string().optional(),
    repeat: z.strictObject({ every: duration, times: z.number().int().min(1) }).optional(),
    ...(Object.fromEntries(names.map((name) => [name, ACTIONS[name].optional()])) as {
      [K in ActionName]: z.ZodOptional<(typeof ACTIONS)[K]>;
    }),
  })
  .refine((value) => names.filter((name) => value[name] !== undefined).length === 1, {
    message: `a step does exactly one of: ${names.join(', ')}`,
  });

export type Step = z.output<typeof step>;

const group = requests.channelSpec.extend({
  count: z.number().int().min(1).max(100_000),
  namePrefix: z.string().default('channel-'),
});

export const scenarioSchema = z.strictObject({
  name: z.string().min(1),
  description: z.string().default(''),
  /** Groups of channels that are made before the timeline starts. */
  channels: z.array(group).default([]),
  settings: requests.settingsChange.optional(),
  eventPolicy: requests.deliveryPolicy.optional(),
  timeline: z.array(step).min(1),
});

export type Scenario = z.output<typeof scenarioSchema>;
