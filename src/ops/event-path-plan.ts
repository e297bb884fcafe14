// The differences between the description of the event path and what AWS has. Pure, so that a dry run shows exactly what an apply does.
import { isDeepStrictEqual } from 'node:util';
import { type EventPath, ownerTag, type PolicyDocument, type PolicyStatement, ruleMayWrite } from './event-path.ts';

export interface ActualQueue {
  readonly url: string;
  readonly arn: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

export interface ActualTarget {
  readonly id: string;
  readonly arn: string;
  readonly deadLetterArn: string | undefined;
  readonly maximumEventAgeSeconds: number | undefined;
  readonly maximumRetryAttempts: number | undefined;
  /** Set only by people: input transformers and roles. */
  readonly extras: readonly string[];
}

export interface ActualRule {
  readonly arn: string;
  readonly pattern: unknown;
  readonly description: string | undefined;
  readonly enabled: boolean;
  readonly tags: Readonly<Record<string, string>>;
  readonly targets: readonly ActualTarget[];
}

/** What AWS has now; undefined: nothing of that name. */
export interface ActualEventPath {
  readonly deadLetterQueue: ActualQueue | undefined;
  readonly queue: ActualQueue | undefined;
  readonly rule: ActualRule | undefined;
}

export const partNames = [
  'dead-letter queue',
  'queue',
  'rule',
  'queue policy',
  'dead-letter policy',
  'target',
] as const;
export type PartName = (typeof partNames)[number];

export interface FieldChange {
  readonly field: string;
  /** Undefined: not set. */
  readonly from: string | undefined;
  /** Undefined: removed. */
  readonly to: string | undefined;
}

/** One line of a plan. `foreign`: the resource exists and does not have our tag, so it is not touched. */
export interface Change {
  readonly part: PartName;
  readonly name: string;
  readonly kind: 'create' | 'update' | 'unchanged' | 'delete' | 'keep' | 'foreign';
  readonly fields: readonly FieldChange[];
  readonly note?: string;
}

const afterCreation = '(known after creation)';

/** Changes that make AWS match the description, in the order in which they are made. */
export function planEventPath(wanted: EventPath, actual: ActualEventPath, { adopt }: { adopt: boolean }): Change[] {
  const queueArn = actual.queue?.arn ?? afterCreation;
  const deadLetterArn = actual.deadLetterQueue?.arn ?? afterCreation;
  const ruleArn = actual.rule?.arn ?? afterCreation;
  const redrive = { deadLetterTargetArn: deadLetterArn, maxReceiveCount: wanted.maxReceiveCount };
  return [
    queueChange('dead-letter queue', wanted.deadLetterQueue, wanted.tags, actual.deadLetterQueue, adopt),
    queueChange(
      'queue',
      { ...wanted.queue, attributes: { ...wanted.queue.attributes, RedrivePolicy: canonical(redrive) } },
      wanted.tags,
      actual.queue,
      adopt,
    ),
    ruleChange(wanted, actual.rule, adopt),
    policyChange('queue policy', wanted.queue.name, actual.queue, ruleMayWrite(wanted.statementId, queueArn, ruleArn)),
    policyChange(
      'dead-letter policy',
      wanted.deadLetterQueue.name,
      actual.deadLetterQueue,
      ruleMayWrite(wanted.statementId, deadLetterArn, ruleArn),
    ),
    targetChange(wanted, actual.rule, queueArn, deadLetterArn),
  ];
}

/** Removals in the order in which they are made: a resource is removed before those that it refers to. */
export function planRemoval(wanted: EventPath, actual: ActualEventPath): Change[] {
  const { rule } = actual;
  const changes: Change[] = [];
  if (rule) {
    const others = rule.targets.filter(({ id }) => id !== wanted.target.id);
    if (!isOurs(rule.tags, wanted)) changes.push(foreign('rule', wanted.rule.name));
    else {
      if (rule.targets.some(({ id }) => id === wanted.target.id))
        changes.push({ part: 'target', name: wanted.target.id, kind: 'delete', fields: [] });
      changes.push(
        others.length === 0
          ? { part: 'rule', name: wanted.rule.name, kind: 'delete', fields: [] }
          : {
              part: 'rule',
              name: wanted.rule.name,
              kind: 'keep',
              fields: [],
              note: `it has targets that bootstrap did not create: ${others.map(({ id }) => id).join(', ')}`,
            },
      );
    }
  }
  for (const [part, queue, name] of [
    ['queue', actual.queue, wanted.queue.name],
    ['dead-letter queue', actual.deadLetterQueue, wanted.deadLetterQueue.name],
  ] as const) {
    if (!queue) continue;
    changes.push(isOurs(queue.tags, wanted) ? { part, name, kind: 'delete', fields: [] } : foreign(part, name));
  }
  return changes;
}

/** Whether a plan would change anything. */
export function changesAnything(changes: readonly Change[]): boolean {
  return changes.some(({ kind }) => kind === 'create' || kind === 'update' || kind === 'delete');
}

/** JSON with sorted keys, so that two texts of the same document are equal. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** A policy's text as a document; undefined if there is none, or it is not JSON (then ours replaces it). */
export function parsePolicy(text: string | undefined): PolicyDocument | undefined {
  if (!text) return undefined;
  try {
    const policy = JSON.parse(text) as { Statement?: PolicyStatement | PolicyStatement[] };
    const statements = policy.Statement ?? [];
    return { Version: '2012-10-17', Statement: Array.isArray(statements) ? statements : [statements] };
  } catch {
    return undefined;
  }
}

function isOurs(tags: Readonly<Record<string, string>>, wanted: EventPath): boolean {
  return tags[ownerTag] === wanted.name;
}

function foreign(part: PartName, name: string): Change {
  return { part, name, kind: 'foreign', fields: [], note: `it does not carry the tag ${ownerTag}` };
}

function queueChange(
  part: 'queue' | 'dead-letter queue',
  wanted: EventPath['queue'],
  tags: EventPath['tags'],
  actual: ActualQueue | undefined,
  adopt: boolean,
): Change {
  const name = wanted.name;
  const fields = Object.entries({ ...wanted.attributes, ...prefixed(tags) }).map(([field, to]) => ({
    field,
    from: field.startsWith('tag ') ? actual?.tags[field.slice(4)] : normalised(actual?.attributes[field]),
    to: normalised(to),
  }));
  if (!actual) return { part, name, kind: 'create', fields };
  if (actual.tags[ownerTag] !== tags[ownerTag] && !adopt) return foreign(part, name);
  return changed(part, name, fields);
}

function ruleChange(wanted: EventPath, actual: ActualRule | undefined, adopt: boolean): Change {
  const name = wanted.rule.name;
  const fields: FieldChange[] = [
    { field: 'EventPattern', from: actual && canonical(actual.pattern), to: canonical(wanted.rule.pattern) },
    { field: 'Description', from: actual?.description, to: wanted.rule.description },
    { field: 'State', from: actual && (actual.enabled ? 'ENABLED' : 'DISABLED'), to: 'ENABLED' },
    ...Object.entries(wanted.tags).map(([key, to]) => ({ field: `tag ${key}`, from: actual?.tags[key], to })),
  ];
  if (!actual) return { part: 'rule', name, kind: 'create', fields };
  if (!isOurs(actual.tags, wanted) && !adopt) return foreign('rule', name);
  return changed('rule', name, fields);
}

function policyChange(
  part: 'queue policy' | 'dead-letter policy',
  name: string,
  actual: ActualQueue | undefined,
  statement: PolicyStatement,
): Change {
  const has = parsePolicy(actual?.attributes['Policy'])?.Statement.find(({ Sid }) => Sid === statement.Sid);
  const field = `statement ${statement.Sid}`;
  if (!has) return { part, name, kind: 'create', fields: [{ field, from: undefined, to: canonical(statement) }] };
  return changed(part, name, [{ field, from: canonical(has), to: canonical(statement) }]);
}

function targetChange(
  wanted: EventPath,
  rule: ActualRule | undefined,
  queueArn: string,
  deadLetterArn: string,
): Change {
  const { id, maximumEventAgeSeconds, maximumRetryAttempts } = wanted.target;
  const actual = rule?.targets.find((target) => target.id === id);
  const fields: FieldChange[] = [
    { field: 'Arn', from: actual?.arn, to: queueArn },
    { field: 'DeadLetterConfig', from: actual?.deadLetterArn, to: deadLetterArn },
    {
      field: 'MaximumEventAgeInSeconds',
      from: text(actual?.maximumEventAgeSeconds),
      to: text(maximumEventAgeSeconds),
    },
    { field: 'MaximumRetryAttempts', from: text(actual?.maximumRetryAttempts), to: text(maximumRetryAttempts) },
    ...(actual?.extras ?? []).map((field) => ({ field, from: 'set', to: undefined })),
  ];
  if (!actual) return { part: 'target', name: id, kind: 'create', fields };
  return changed('target', id, fields);
}

function changed(part: PartName, name: string, fields: readonly FieldChange[]): Change {
  const different = fields.filter(({ from, to }) => !isDeepStrictEqual(from, to));
  return { part, name, kind: different.length === 0 ? 'unchanged' : 'update', fields: different };
}

function prefixed(tags: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).map(([key, value]) => [`tag ${key}`, value]));
}

function text(value: number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

/** SQS returns a redrive policy with different spacing, and with the count as text or number. */
function normalised(value: string | undefined): string | undefined {
  if (value === undefined || !value.startsWith('{')) return value;
  try {
    const document = JSON.parse(value) as Record<string, unknown>;
    return canonical({ ...document, maxReceiveCount: Number(document['maxReceiveCount']) });
  } catch {
    return value;
  }
}
