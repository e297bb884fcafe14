// One log line for each command of an operator that affects automation: who, what and why, as in the audit.
import type { By, Control } from '#domain/control.ts';
import { silenceIdOf } from '#rules/controls.ts';
import type { Logger } from '#runtime/logger.ts';

/** A control, or the activation of a standby. */
export type LoggedControl = Control | (By & { readonly kind: 'activate' });

const messages = {
  hold: 'a channel was put on hold',
  release: 'a hold was released',
  silence: 'a silence was created',
  expire_silence: 'a silence was ended',
  pause: 'automation was paused',
  resume: 'automation was resumed',
  restart_rule: 'a stopped rule was started again',
  cancel_timer: 'a planned action was cancelled',
  approve: 'an approval was given',
  reject: 'an approval was refused',
  activate: 'the standby was activated',
} as const satisfies Record<LoggedControl['kind'], string>;

/** Writes the line of one control. */
export function logControl(logger: Logger, control: LoggedControl): void {
  const { kind, who, reason, ...rest } = control;
  const id = control.kind === 'silence' ? { id: silenceIdOf(control) } : {};
  const times = Object.entries(rest).map(([name, value]) =>
    typeof value === 'number' && name.endsWith('Ms')
      ? [name.slice(0, -'Ms'.length), new Date(value).toISOString()]
      : [name, value],
  );
  logger.info({ control: kind, who, reason, ...id, ...Object.fromEntries(times) }, messages[kind]);
}
