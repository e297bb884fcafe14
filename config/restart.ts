// Which settings a reload applies, and which are read only at the start.
import { isDeepStrictEqual } from 'node:util';
import type { Config } from './load.ts';
import type { ConfigDocument } from './schema.ts';

type Takes = 'reload' | 'restart';

/** For every setting of the file, or each part of it, what a change needs to take effect. */
export const changeTakes = {
  version: 'reload',
  defaults: 'reload',
  receivers: 'reload',
  route: 'reload',
  heartbeat: 'reload',
  time_intervals: 'reload',
  inhibit_rules: 'reload',
  rules: 'reload',
  accounts: 'restart',
  events: { queue_url: 'restart', silent_after: 'reload' },
  polling: 'reload',
  lint: 'reload',
  limits: 'restart',
  metadata: 'restart',
  alerts: 'reload',
  approvers: 'reload',
  controls: 'reload',
  http: 'restart',
  secrets: 'reload',
  retention: 'reload',
  redis: 'restart',
  on_empty_state: 'restart',
  shutdown_window: 'restart',
  worker_concurrency: 'restart',
} as const satisfies {
  readonly [K in keyof ConfigDocument]-?: Takes | { readonly [P in keyof NonNullable<ConfigDocument[K]>]-?: Takes };
};

/** The settings that differ from those at the start and take effect only after a restart, such as `limits` or `events.queue_url`. */
export function settingsThatNeedRestart(atStart: Config, now: Config): string[] {
  const differs = (of: (document: ConfigDocument) => unknown) =>
    !isDeepStrictEqual(of(atStart.document), of(now.document));
  return Object.entries(changeTakes).flatMap(([setting, takes]) => {
    const name = setting as keyof ConfigDocument;
    if (takes === 'restart') return differs((document) => document[name]) ? [name] : [];
    if (takes === 'reload') return [];
    return Object.entries(takes).flatMap(([part, partTakes]) =>
      partTakes === 'restart' && differs((document) => (document[name] as Record<string, unknown>)[part])
        ? [`${name}.${part}`]
        : [],
    );
  });
}
