// Who carries which accounts: a heartbeat of each process of a fleet, and the parts of the work that nobody does. Pure.
import type { ReplicaRole } from './replica.ts';

/** The parts of the work without which an account is not carried: intake, and acting. */
export const carrierParts = ['intake', 'worker'] as const;
export type CarrierPart = (typeof carrierParts)[number];

/** A living process, as it describes itself. */
export interface Carrier {
  /** Random, new for each process; the same id as in the replica lists of its accounts. */
  readonly id: string;
  /** Name of its machine, container or pod. */
  readonly host: string;
  readonly role: string;
  readonly version: string;
  /** Names of the accounts that it carries. */
  readonly accounts: readonly string[];
  /** Last heartbeat, by Redis's clock. */
  readonly atMs: number;
}

/** Whether a role includes a part of the work. */
export function roleDoes(role: string, part: CarrierPart | 'api'): boolean {
  return role === ('all' satisfies ReplicaRole) || role === part;
}

/** Who carries one account, and what is missing. */
export interface Carried {
  readonly account: string;
  /** Undefined while unknown, because Redis gives no answer. */
  readonly carriers: readonly Carrier[] | undefined;
  /** Parts that nobody has done for longer than a restart takes, and since when. */
  readonly missing: readonly { readonly part: CarrierPart; readonly sinceMs: number }[];
}

/** What nobody does, in a sentence; undefined: nothing is missing, or it is unknown. */
export function missingText({ account, missing, carriers = [] }: Carried): string | undefined {
  const parts = missing.map(({ part }) => part);
  if (parts.length === 0) return undefined;
  if (parts.length === carrierParts.length)
    return carriers.length === 0
      ? `No process carries ${account}: nobody notices or acts there.`
      : `No process notices or acts for ${account}: ${namesOf(carriers)} have it for the API alone.`;
  const [what, who] =
    parts[0] === 'intake'
      ? ['notices what happens', 'with the role all or intake']
      : ['acts on what is decided', 'with the role all or worker'];
  return `No process ${what} in ${account}: none ${who} carries it; ${namesOf(carriers)} have the rest.`;
}

/** `web-2 (id 1a2b3c4d, all)`, for people. */
export function namesOf(carriers: readonly Pick<Carrier, 'id' | 'host' | 'role'>[]): string {
  return carriers.map(({ id, host, role }) => `${host} (id ${id}, role ${role})`).join(', ');
}

/**
 * Measures how long nobody has done a part of the work for an account. Only time in which heartbeats could be read counts: it starts again
 * after a start, and after Redis was away.
 */
export class MissingParts {
  readonly #accounts: readonly string[];
  readonly #known: ReadonlySet<string>;
  readonly #patienceMs: number;
  /** Since when heartbeats have been read without a failure. */
  #readingSinceMs: number | undefined;
  #carriers: readonly Carrier[] | undefined;
  readonly #seenMs = new Map<string, number>();

  /** @param patienceMs how long a part may be undone before it counts as missing */
  constructor({ accounts, patienceMs }: { readonly accounts: readonly string[]; readonly patienceMs: number }) {
    this.#accounts = accounts;
    this.#known = new Set(accounts);
    this.#patienceMs = patienceMs;
  }

  /** Takes all living processes, as just read. @param nowMs of any monotonic clock */
  read(carriers: readonly Carrier[], nowMs: number): void {
    this.#readingSinceMs ??= nowMs;
    this.#carriers = carriers;
    for (const { role, accounts } of carriers)
      for (const part of carrierParts)
        if (roleDoes(role, part))
          for (const account of accounts) if (this.#known.has(account)) this.#seenMs.set(keyOf(account, part), nowMs);
  }

  /** They could not be read, so it is unknown who carries what. */
  lost(): void {
    this.#readingSinceMs = undefined;
    this.#carriers = undefined;
    this.#seenMs.clear();
  }

  /** The state of each account, in the given order. @param nowMs of the clock of `read`, as are the times in the result */
  carried(nowMs: number): readonly Carried[] {
    const since = this.#readingSinceMs;
    return this.#accounts.map((account) => ({
      account,
      carriers: this.#carriers?.filter(({ accounts }) => accounts.includes(account)),
      missing: carrierParts.flatMap((part) => {
        if (since === undefined) return [];
        const sinceMs = Math.max(since, this.#seenMs.get(keyOf(account, part)) ?? Number.NEGATIVE_INFINITY);
        return nowMs - sinceMs > this.#patienceMs ? [{ part, sinceMs }] : [];
      }),
    }));
  }
}

function keyOf(account: string, part: CarrierPart): string {
  return `${part}|${account}`;
}
