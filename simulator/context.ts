// What an action may use. Actions are plain functions of (input, context): no HTTP, no clock of their own.

import type { Clock } from './clock.ts';
import type { Ids } from './ids.ts';
import type { Recorder } from './recorder.ts';
import type { Settings } from './settings.ts';
import type { Store } from './store.ts';
import type { Encoders } from './streams/encoders.ts';
import type { Ingest } from './streams/ingest.ts';

export interface ActionContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly store: Store;
  readonly ingest: Ingest;
  readonly encoders: Encoders;
  readonly recorder: Recorder;
}
