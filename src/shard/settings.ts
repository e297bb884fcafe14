// What a shard's parts take from the configuration, in their own terms.
import type { AccountSettings, Settings } from '#config/settings.ts';
import { durationMs } from '#domain/duration.ts';
import { ivsOperations } from '#domain/ivs-operations.ts';
import { logs } from '#domain/state-registry.ts';
import { type LimitSettings, limitsFrom } from '#ivs/limits.ts';
import type { GapOptions } from '#streams/gaps.ts';

/** The limiter's settings from the configuration. */
export function limitSettingsOf({ limits: { share, operations } }: Settings): LimitSettings {
  const published = limitsFrom({});
  const overrides: NonNullable<LimitSettings['overrides']> = Object.fromEntries(
    ivsOperations.flatMap((operation) => {
      const own = operations[operation];
      if (!own) return [];
      const { perAccount, perChannel } = published(operation);
      const ofChannel = own.channel ?? perChannel;
      return [
        [
          operation,
          { perAccount: own.account ?? perAccount, ...(ofChannel === undefined ? {} : { perChannel: ofChannel }) },
        ],
      ];
    }),
  );
  return { share, overrides };
}

/** Time between two calls of InsertAdBreak, by the quota. */
export function adBreakSpacingMs(settings: Settings): number {
  return 1_000 / limitsFrom(limitSettingsOf(settings))('InsertAdBreak').perAccount;
}

/** When a source of data counts as silent: as configured, but never so early that two regular reads would be a gap. */
export function silentAfterMs({ polling, events }: Settings): { readonly poll: number; readonly events: number } {
  return {
    poll: Math.max(durationMs(polling.silent_after), 2 * durationMs(polling.full_interval)),
    events: Math.max(durationMs(events.silent_after), 4_000),
  };
}

/** When the sources of an account count as silent. */
export function gapOptionsOf(
  settings: Settings,
  { queue_url: queueUrl }: Pick<AccountSettings, 'queue_url'>,
): GapOptions {
  const { poll, events } = silentAfterMs(settings);
  return { pollSilentAfterMs: poll, eventsSilentAfterMs: queueUrl === undefined ? undefined : events };
}

/** How long a log's entries are kept; the audit, and logs that are only for inspection, are bounded by number alone. */
export function logMaxAgeMs({ retention }: Settings, log: string): number | undefined {
  if (log.startsWith('sessions:')) return durationMs(retention.sessions);
  if (log.startsWith('samples:') || log === logs.fleetSamples) return durationMs(retention.samples);
  if (log === logs.journal || log === logs.bundles || log === logs.results) return durationMs(retention.journal);
  if (log === logs.quiet) return durationMs(retention.journal_quiet);
  return undefined;
}
