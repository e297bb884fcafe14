// A living process of the fleet, as it describes itself, and what must be the same in all of them.

/** What a replica does: everything, or one part of it; replicas with different roles share the work. */
export const replicaRoles = ['all', 'intake', 'worker', 'api'] as const;
export type ReplicaRole = (typeof replicaRoles)[number];

export interface Replica {
  /** Random, new for each process. */
  readonly id: string;
  readonly version: string;
  readonly configHash: string;
  readonly role: string;
  /** By Redis's clock. */
  readonly startedAtMs: number;
  /** The machine's clock minus Redis's; undefined while unknown. */
  readonly clockOffsetMs: number | undefined;
  /** Redis's clock minus AWS's, to within a second, from the answers that this replica got; undefined while unknown. */
  readonly awsOffsetMs?: number | undefined;
  /** Last heartbeat, by Redis's clock. */
  readonly atMs: number;
}

export const replicaTraits = ['configuration', 'version', 'clock'] as const;
export type ReplicaTrait = (typeof replicaTraits)[number];

/** A larger offset of a clock is reported; decisions do not depend on it. */
export const clockToleranceMs = 2_000;
/** The date in AWS's answers has whole seconds, and includes the latency of the answer. */
export const awsToleranceMs = 10_000;

/** How the replicas differ, each difference with a sentence that names them; the same on every replica. */
export function differencesOf(replicas: readonly Replica[]): ReadonlyMap<ReplicaTrait, string> {
  const differences = new Map<ReplicaTrait, string>();
  const told = (of: (replica: Replica) => string) => {
    const groups = Map.groupBy(replicas, of);
    if (groups.size < 2) return undefined;
    return Array.from(groups, ([value, having]) => `${value} (${ids(having)})`)
      .sort()
      .join(', ');
  };
  const configurations = told(({ configHash }) => configHash);
  if (configurations !== undefined)
    differences.set(
      'configuration',
      `Replicas have different configurations: ${configurations}. Each cause is decided once, by the replica that takes it; the journal names its configuration.`,
    );
  const versions = told(({ version }) => version);
  if (versions !== undefined) differences.set('version', `Replicas run different versions: ${versions}.`);
  const off = replicas.filter(({ clockOffsetMs = 0 }) => Math.abs(clockOffsetMs) > clockToleranceMs);
  const sentences: string[] = [];
  if (off.length > 0)
    sentences.push(
      `Clocks differ from Redis's by more than ${clockToleranceMs / 1000} s: ${off.map(({ id, clockOffsetMs = 0 }) => `${id} ${clockOffsetMs > 0 ? 'ahead' : 'behind'} by ${Math.round(Math.abs(clockOffsetMs) / 1000)} s`).join(', ')}. Deadlines do not depend on these clocks; AWS refuses calls when a clock is five minutes off.`,
    );
  const [redisOffMs = 0] = replicas.map(({ awsOffsetMs = 0 }) => awsOffsetMs).sort((a, b) => Math.abs(b) - Math.abs(a));
  if (Math.abs(redisOffMs) > awsToleranceMs)
    sentences.push(
      // Rounded, so that the sentence does not change with every answer.
      `Redis's clock is about ${Math.round(Math.abs(redisOffMs) / 10_000) * 10} s ${redisOffMs > 0 ? 'ahead of' : 'behind'} AWS's: events look ${redisOffMs > 0 ? 'older' : 'younger'} by that much (max_event_age). Set the clock of Redis's machine.`,
    );
  if (sentences.length > 0) differences.set('clock', sentences.join(' '));
  return differences;
}

function ids(replicas: readonly Replica[]): string {
  return replicas
    .map(({ id }) => id)
    .sort()
    .join(', ');
}
