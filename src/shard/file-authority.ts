// Which files and addresses a job may name. A rule may name any, since whoever owns the configuration wrote it. A person's request stays
// below the folders that the configuration opens, never reaches the daemon's own files, and is refused at once if it names an address that
// nothing is sent to.
import { dirname, resolve } from 'node:path';
import type { Config } from '#config/load.ts';
import { type ActionJob, type ActionName, type ActionParams, namedFiles } from '#domain/action.ts';
import { AppError } from '#domain/errors.ts';
import { isNamedBy } from '#domain/name-pattern.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { auditEntries } from '#journal/audit.ts';
import { webhookUrl } from '#outbound/webhook-url.ts';
import { assertWithin, type FileBounds } from '#secrets/named-file.ts';
import type { DeliveredFiles } from '#secrets/secret-file.ts';
import type { DeliveryBounds } from '#secrets/sinks.ts';

/** Tokens that the platform mounts below /run/secrets for the daemon itself, on EKS and elsewhere. */
const platformTokens = ['kubernetes.io', 'eks.amazonaws.com', 'pods.eks.amazonaws.com'].map(
  (folder) => `/run/secrets/${folder}`,
);

export interface FileAuthorityOptions {
  /** In force. */
  readonly config: () => Config;
  readonly env: Readonly<Record<string, string | undefined>>;
}

type Author = Pick<ActionJob, 'cause' | 'deliveryFolder' | 'params'>;

export class FileAuthority {
  readonly #config: () => Config;
  readonly #env: FileAuthorityOptions['env'];

  constructor({ config, env }: FileAuthorityOptions) {
    this.#config = config;
    this.#env = env;
  }

  /**
   * The configuration, the files that the environment names as `…_FILE` (tokens and credentials), and the files with addresses of Redis.
   */
  get ownFiles(): readonly string[] {
    const named = Object.entries(this.#env).flatMap(([name, path]) => (name.endsWith('_FILE') && path ? [path] : []));
    const { file, settings } = this.#config();
    const addresses = (settings.accounts ?? []).flatMap(({ redis_url_file: path }) => path ?? []);
    return [file, ...named, ...addresses];
  }

  /**
   * Where a file that a job reads may be; undefined: anywhere. A key that signs is not open to requests by default: whoever could use one
   * for an address of his own would get signatures that the real receiver accepts.
   */
  readBounds({ cause, params }: Pick<Author, 'cause' | 'params'>, path: string): FileBounds | undefined {
    if (cause?.kind === 'rule') return undefined;
    const { settings, file, document } = this.#config();
    const common = { setting: 'secrets.read_folders', never: this.#never() };
    const given = settings.secrets.read_folders;
    const isKey = namedFiles(params).some((named) => named.path === path && named.place.at(-1) === 'hmac_key_file');
    if (given !== undefined || !isKey) return { folders: given ?? ['/run/secrets', dirname(resolve(file))], ...common };
    const known = new Set([document.receivers, document.rules].flatMap(signedAddresses));
    if (signedAddresses(params).every((pair) => known.has(pair)))
      return { folders: ['/run/secrets', dirname(resolve(file))], ...common };
    const why =
      'a request may sign only with a key that a rule or receiver names together with the same address, unless secrets.read_folders names the folder of the key';
    return { folders: [], why, ...common };
  }

  /** Where the files that a job delivers may be. */
  deliveryBounds(job: Author): DeliveryBounds {
    const { cause, deliveryFolder } = job;
    const { delivery_folders: folders } = this.#config().settings.secrets;
    if (cause?.kind !== 'rule')
      return {
        read: (path) => this.readBounds(job, path),
        checkName: (name) => this.#assertName(name),
        write: { folders, setting: 'secrets.delivery_folders', never: this.#never() },
      };
    return deliveryFolder === undefined ? {} : { write: { folders: [deliveryFolder], never: [] } };
  }

  /** Checks what a person may ask for. @throws AppError FILE_NOT_ALLOWED, WEBHOOK_REFUSED that names the place in the request */
  async assertRequest(job: Author & { readonly action: ActionName; readonly params: ActionParams }): Promise<void> {
    const { read, write, checkName } = this.deliveryBounds(job);
    const refused = (place: readonly string[]) => (error: unknown) => {
      if (!(error instanceof AppError)) throw error;
      const text = `body.action.${[job.action, ...place].join('.')}: ${error.message}`;
      throw new AppError(error.code, text, { details: error.details });
    };
    for (const { path, place, use } of namedFiles(job.params)) {
      const bounds = use === 'write' ? write : read?.(path);
      if (bounds) await assertWithin(path, bounds).catch(refused(place));
    }
    for (const { name, field } of namedSecrets(job.params)) {
      try {
        checkName?.(name);
      } catch (error) {
        refused(['deliver', field])(error);
      }
    }
    const { url } = job.params as Partial<ActionParams<'webhook'>>;
    if (job.action !== 'webhook' || url === undefined) return;
    const { allow_private_webhooks: allowPrivate, allow_link_local_webhooks: allowLinkLocal } =
      this.#config().settings.http;
    try {
      webhookUrl(url, { allowPrivate, allowLinkLocal });
    } catch (error) {
      refused(['url'])(error);
    }
  }

  #assertName(name: string): void {
    const { delivery_names: patterns } = this.#config().settings.secrets;
    if (patterns === undefined || patterns.some((pattern) => isNamedBy(name, pattern))) return;
    const setting = 'secrets.delivery_names';
    const text = `a request may not deliver to ${name}: ${setting} ${patterns.length === 0 ? 'names nothing' : `has only ${patterns.join(', ')}`}`;
    throw new AppError('FILE_NOT_ALLOWED', text, { details: { setting } });
  }

  #never(): readonly string[] {
    return [...this.ownFiles, ...platformTokens];
  }
}

/** The secret or parameter that an action delivers a key to, and the field that names it. */
export function namedSecrets(params: ActionParams): readonly { readonly name: string; readonly field: string }[] {
  const { deliver } = params as Partial<ActionParams<'rotate_stream_key'>>;
  return (['secrets_manager', 'ssm_parameter'] as const).flatMap((field) => {
    const name = deliver?.[field];
    return name === undefined ? [] : [{ name, field }];
  });
}

/** Content that is passed on unchanged: the names in it mean nothing here. */
const contents: ReadonlySet<string> = new Set(['payload', 'body', 'detail']);

/** Each key that signs, with the address or its file, as one text. */
function signedAddresses(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const { url, url_file: file, hmac_key_file: key } = value as Readonly<Record<string, unknown>>;
  const inner = Object.entries(value).flatMap(([name, part]) => (contents.has(name) ? [] : signedAddresses(part)));
  return typeof key === 'string' ? [JSON.stringify([url ?? null, file ?? null, key]), ...inner] : inner;
}

/**
 * What the shared state knows of delivered files (for a limited time if there are always new ones); those delivered before this record
 * existed are found in the audit.
 */
export function deliveredFiles(state: SharedState, keepMs?: number): DeliveredFiles {
  return {
    async has(path, named) {
      const isKnown = () => state.view.get(kinds.delivered.of(path)) !== undefined;
      if (isKnown()) return true;
      // Another replica may have delivered a moment ago.
      await state.refresh();
      if (isKnown()) return true;
      const names = new Set([path, named].map((each) => resolve(each)));
      for (const [, { sink, deliveredAtMs }] of state.view.entries(kinds.key))
        if (deliveredAtMs !== undefined && sink.startsWith('file ') && names.has(resolve(sink.slice(5)))) return true;
      for await (const { what, outcome, dryRun, params } of auditEntries(state, {})) {
        const file = (params as Partial<ActionParams<'rotate_stream_key'>> | undefined)?.deliver?.file;
        if (what.startsWith('rotate_') && outcome === 'done' && dryRun !== true && file && names.has(resolve(file)))
          return true;
      }
      return false;
    },
    async add(path) {
      const known = state.view.get(kinds.delivered.of(path));
      if (known && (keepMs === undefined || known.untilMs === undefined)) return;
      await state.transact((tx) =>
        tx.set(kinds.delivered.of(path), {
          atMs: tx.nowMs,
          ...(keepMs === undefined ? {} : { untilMs: tx.nowMs + keepMs }),
        }),
      );
    },
  };
}
