// Changing a running simulator's enforcement, quotas, timings and switches.

import { type Change, overlay } from '../overlay.ts';
import type { Simulator } from '../parts.ts';
import type { ResourceQuotas, Switches, Timings } from '../settings.ts';
import type { Enforcement } from '../throttle/throttle.ts';

/** What to change; omitted members stay. */
export interface SettingsChange {
  readonly enforcement?: Enforcement | undefined;
  readonly quotas?: Change<ResourceQuotas> | undefined;
  readonly timings?: Change<Timings> | undefined;
  readonly switches?: Change<Switches> | undefined;
}

export function changeSettings({ settings, throttle }: Simulator, change: SettingsChange): void {
  if (change.enforcement !== undefined) throttle.use(change.enforcement);
  settings.quotas = overlay(settings.quotas, change.quotas);
  settings.timings = overlay(settings.timings, change.timings);
  settings.switches = overlay(settings.switches, change.switches);
}
