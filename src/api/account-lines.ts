// The configured accounts and who carries each, as `GET /v1/accounts`, the page and `status` show them.
import type { Carried, Carrier } from '#domain/carrier.ts';
import type { Replica } from '#domain/replica.ts';
import type { ShardIdentity } from '#shard/directory.ts';

export const accountStates = ['carried', 'partly', 'not_carried', 'unknown'] as const;

export interface AccountLine {
  readonly name: string;
  readonly region: string;
  readonly accountId?: string | undefined;
  /** Whether this process carries it. */
  readonly here: boolean;
  readonly state: (typeof accountStates)[number];
  readonly missing: Carried['missing'];
  readonly carriers: readonly (Pick<Carrier, 'id' | 'role' | 'version'> & { readonly host?: string | undefined })[];
}

export interface AccountLinesOptions {
  readonly shards: {
    readonly all: readonly (ShardIdentity & { readonly watch: { readonly replicas: readonly Replica[] } })[];
    readonly elsewhere: readonly ShardIdentity[];
  };
  /** Undefined with a single account: its own replicas carry it. */
  readonly carried?: (() => readonly Carried[]) | undefined;
}

/** In the order of the configuration if `carried` is given, because it has that order. */
export function accountLines({ shards, carried }: AccountLinesOptions): AccountLine[] {
  const shown = ({ name, region, accountId }: ShardIdentity, here: boolean) => ({ name, region, accountId, here });
  if (!carried)
    return shards.all.map((shard) => ({
      ...shown(shard, true),
      state: 'carried',
      missing: [],
      carriers: shard.watch.replicas.map(({ id, role, version }) => ({ id, role, version })),
    }));
  return carried().flatMap((each) => {
    const own = shards.all.find(({ name }) => name === each.account);
    const shard = own ?? shards.elsewhere.find(({ name }) => name === each.account);
    if (!shard) return [];
    return [
      {
        ...shown(shard, own !== undefined),
        state: stateOf(each),
        missing: each.missing,
        carriers: (each.carriers ?? []).map(({ id, host, role, version }) => ({ id, host, role, version })),
      },
    ];
  });
}

function stateOf({ carriers, missing }: Carried): AccountLine['state'] {
  if (carriers === undefined) return 'unknown';
  if (missing.length === 0) return 'carried';
  return carriers.some(({ role }) => role !== 'api') ? 'partly' : 'not_carried';
}
