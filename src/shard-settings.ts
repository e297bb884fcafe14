// What a shard's parts take out of the configuration, in their own words.
import type { Settings } from '#config/settings.ts';
import { durationMs } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import { type LimitSettings, limitsFrom, operationNames } from '#ivs/limits.ts';
import { journalLog, quietLog, resultsLog } from '#journal/record.ts';

/** The limiter's settings out of the configuration. @throws AppError CONFIG_INVALID for an operation that IVS does not have. */
export function limitSettingsOf({ limits: { share, operations } }: Settings): LimitSettings {
  const published = limitsFrom({});
  const overrides: NonNullable<LimitSettings['overrides']> = Object.fromEntries(
    Object.entries(operations).map(([name, { account, channel }]) => {
      const operation = operationNames.find((known) => known === name);
      if (!operation)
        throw new AppError('CONFIG_INVALID', `limits.operations.${name}: Amazon IVS has no such operation`);
      const { perAccount, perChannel } = published(operation);
      const ofChannel = channel ?? perChannel;
      return [
        operation,
        { perAccount: account ?? perAccount, ...(ofChannel === undefined ? {} : { perChannel: ofChannel }) },
      ];
    }),
  );
  return { share, overrides };
}

/** How long a log's entries are kept; the audit, and what is only for inspection, are bounded by number alone. */
export function logMaxAgeMs({ retention }: Settings, log: string): number | undefined {
  if (log.startsWith('sessions:')) return durationMs(retention.sessions);
  if (log === journalLog || log === resultsLog) return durationMs(retention.journal);
  if (log === quietLog) return durationMs(retention.journal_quiet);
  return undefined;
}
