// Finds what a rule or a person named by ARN or by name. Names are not unique in IVS.
import { AppError } from '#domain/errors.ts';
import { isCode } from './preconditions.ts';

export interface NamedResource {
  readonly arn: string;
  /** May be empty. */
  readonly name: string;
}

/** How one kind of resource is looked up, and the errors if it is not found. */
export interface ResourceKind<R extends NamedResource> {
  /** As in ARNs: `ad-configuration`. */
  readonly type: string;
  readonly unknown: AppError['code'];
  readonly ambiguous: AppError['code'];
  /** @throws AppError IVS_NOT_FOUND */
  get(arn: string): Promise<R>;
  list(): Promise<readonly R[]>;
}

/** The resource that is meant. @throws AppError with the codes of this kind */
export async function findNamed<R extends NamedResource>(wanted: string, kind: ResourceKind<R>): Promise<R> {
  const { type, unknown, ambiguous } = kind;
  const words = type.replaceAll('-', ' ');
  if (wanted.startsWith('arn:')) {
    if (!new RegExp(`^arn:aws:ivs:[a-z0-9-]+:[0-9]+:${type}/[a-zA-Z0-9-]+$`).test(wanted))
      throw new AppError(unknown, `"${wanted}" is not the ARN of a ${words}`);
    try {
      return await kind.get(wanted);
    } catch (error) {
      if (!isCode(error, 'IVS_NOT_FOUND')) throw error;
      throw new AppError(unknown, `there is no ${words} ${wanted}`);
    }
  }
  const all = await kind.list();
  const found = all.filter(({ name }) => name === wanted);
  if (found.length > 1)
    throw new AppError(ambiguous, `"${wanted}" may be any of ${found.map(({ arn }) => arn).join(', ')}: give the ARN`);
  if (found[0]) return found[0];
  const known = all.map(({ name, arn }) => (name ? `${name} (${arn})` : arn)).join(', ') || 'none';
  throw new AppError(unknown, `no ${words} has the name "${wanted}"; there are: ${known}`);
}
