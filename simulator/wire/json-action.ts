// Operations of AWS's JSON protocols (x-amz-target): a checked input and the whole simulator, an output or nothing.

import type { Simulator } from '../parts.ts';
import type { Check } from './shape.ts';

export type JsonAction = (raw: unknown, simulator: Simulator) => unknown;

/** By operation name. */
export type JsonActions = Readonly<Record<string, JsonAction>>;

export const jsonAction =
  <I>(check: Check<I>, run: (input: I, simulator: Simulator) => unknown): JsonAction =>
  (raw, simulator) =>
    run(check(raw, 'input'), simulator);
