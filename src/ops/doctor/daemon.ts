// The running daemon, through its API: whether it is ready, when it last received data, how much quota is left.
import { messageOf } from '#domain/errors.ts';
import { type Check, green, notChecked, red, skipped, type Verdict } from './check.ts';

export interface DaemonOptions {
  /** Address of the API, without a slash at the end. */
  readonly url: string;
  readonly get: (path: string) => Promise<unknown>;
  /** The clock that the daemon's times refer to. */
  readonly nowMs: () => number;
}

interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, string>>;
}

interface Quota {
  readonly shards: readonly {
    readonly shard: string;
    readonly operations: readonly {
      readonly operation: string;
      readonly perAccount: number;
      readonly outOfService: number;
      readonly slowedChannels: number;
    }[];
  }[];
}

export function daemonChecks({ url, get, nowMs }: DaemonOptions): Check[] {
  return [
    {
      name: 'Daemon',
      async run(signal) {
        const answer = await fetch(`${url}/readyz`, { signal }).catch(() => undefined);
        if (!answer) return skipped(`no daemon answers at ${url}`);
        const { ready, checks } = (await answer.json()) as Readiness;
        if (ready) return green(`ready at ${url}`);
        return failuresOf(checks);
      },
    },
    {
      name: 'Data',
      async run(signal) {
        const answer = await fetch(`${url}/metrics`, { signal }).catch(() => undefined);
        if (!answer) return skipped('no daemon answers');
        const text = await answer.text();
        const polledMs = 1000 * Math.max(0, ...valuesOf(text, 'autopilot_last_complete_poll_timestamp_seconds'));
        const events = valuesOf(text, 'autopilot_events_total').reduce((sum, value) => sum + value, 0);
        const ageS = Math.round((nowMs() - polledMs) / 1000);
        return [
          polledMs === 0
            ? red('no complete sweep yet', 'Wait a moment; if none comes, see “Polls have stopped” in the run book.')
            : green(`last complete sweep ${ageS} s ago`),
          events > 0
            ? green(`${events} events since the start`)
            : skipped('no event since the start: none may have happened'),
        ];
      },
    },
    {
      name: 'Quotas',
      async run() {
        let quota: Quota;
        try {
          quota = (await get('/v1/quota')) as Quota;
        } catch (error) {
          return whyNoQuota(error);
        }
        return quota.shards.map(({ shard, operations }) => {
          const withheld = operations.filter(
            ({ outOfService, slowedChannels }) => outOfService > 0 || slowedChannels > 0,
          );
          const metadata = operations.find(({ operation }) => operation === 'PutMetadata')?.perAccount;
          return withheld.length === 0
            ? green(`${shard}: PutMetadata ${metadata}/s; nothing withheld after throttling`)
            : red(
                `${shard}: withheld after throttling: ${withheld.map(({ operation }) => operation).join(', ')}`,
                'Something else in the account uses this quota: find it, or lower limits.share.',
              );
        });
      },
    },
  ];
}

/** Red is the cause: what else is missing while Redis cannot be used follows from it. */
function failuresOf(checks: Readiness['checks']): Verdict[] {
  const failed = Object.entries(checks).filter(([, result]) => !/^ok\b/.test(result));
  const ofRedis = failed.filter(([name]) => /^redis\b/.test(name));
  return failed.map(([name, result]) => {
    if (ofRedis.length === 0)
      return red(`${name}: ${result}`, 'The run book (docs/operations.md) has a section for it.');
    if (!/^redis\b/.test(name)) return skipped(`${name}: ${result}; it needs Redis`);
    const section = /refuses/.test(result) ? 'redis-refuses' : 'redis-does-not-answer';
    return red(`${name}: ${result}`, `See docs/operations.md#${section}.`);
  });
}

/** A refusal by the daemon has a code. */
function whyNoQuota(error: unknown): Verdict {
  if (typeof (error as { readonly code?: unknown }).code !== 'string') return skipped('no daemon answered');
  try {
    return notChecked(error);
  } catch {
    return skipped(`not checked: ${messageOf(error)}`);
  }
}

/** The values of a metric in Prometheus' text format. */
export function valuesOf(text: string, metric: string): number[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${metric}{`) || line.startsWith(`${metric} `))
    .map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)))
    .filter(Number.isFinite);
}
