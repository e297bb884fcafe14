// What a template may name: the roots that a trigger provides, and the fields below each. The type TemplateContext keeps it complete.
import type { TemplateContext } from '#domain/documents.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import type { TriggerKind } from '#domain/rule.ts';

export type TemplateRoot = keyof TemplateContext;

/** `true`: anything below; `texts`: any names, each a text; an object: these fields. */
type Shape = true | 'texts' | { readonly [field: string]: Shape };

/** A value without fields of its own. */
const leaf: Shape = {};

const shapes: Readonly<Record<TemplateRoot, Shape>> = {
  rule: { name: leaf, mode: leaf },
  firing: { since: leaf, duration: leaf, durationSeconds: leaf, group: leaf, resolved: leaf },
  channel: {
    arn: leaf,
    id: leaf,
    region: leaf,
    account: leaf,
    name: leaf,
    type: leaf,
    latencyMode: leaf,
    recordingConfigurationArn: leaf,
    authorized: leaf,
    insecureIngest: leaf,
    preset: leaf,
    playbackRestrictionPolicyArn: leaf,
    adConfigurationArn: leaf,
    containerFormat: leaf,
    multitrackInputConfiguration: { enabled: leaf, policy: leaf, maximumResolution: leaf },
    tags: 'texts',
  },
  stream: {
    live: leaf,
    state: leaf,
    streamId: leaf,
    startTime: leaf,
    ageSeconds: leaf,
    adBreak: leaf,
    health: leaf,
    viewerCount: leaf,
    recording: leaf,
    failureReason: leaf,
  },
  session: { id: leaf, startedAt: leaf, endedAt: leaf, duration: leaf },
  event: {
    version: leaf,
    id: leaf,
    'detail-type': leaf,
    source: leaf,
    account: leaf,
    time: leaf,
    region: leaf,
    resources: leaf,
    detail: true,
  },
  aggregate: { count: leaf, live: leaf, percent: leaf, channels: leaf },
  threshold: { field: leaf, value: leaf, observed: leaf },
  http: { name: leaf, requestId: leaf, body: true },
};

export const templateRoots = Object.keys(shapes) as readonly TemplateRoot[];

/** The fields of each root; `tags.*` for those with free names. */
export function fieldsOfRoots(): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    Object.entries(shapes).map(([root, shape]) => [
      root,
      Object.entries(shape).flatMap(([field, inner]) => {
        if (typeof inner !== 'object') return `${field}.*`;
        const below = Object.keys(inner);
        return below.length === 0 ? field : below.map((name) => `${field}.${name}`);
      }),
    ]),
  );
}

const ofChannel = ['rule', 'firing', 'channel', 'stream', 'session'] as const;

/** The roots that a rule with this trigger can fill. */
export function rootsOf(trigger: {
  readonly kind: TriggerKind;
  readonly perChannel: boolean;
}): ReadonlySet<TemplateRoot> {
  switch (trigger.kind) {
    case 'event':
      return new Set([...ofChannel, 'event']);
    case 'state':
    case 'key_age':
      return new Set(ofChannel);
    case 'threshold':
      return new Set([...ofChannel, 'threshold']);
    case 'aggregate':
      return new Set(['rule', 'firing', 'aggregate']);
    case 'schedule':
    case 'times':
      return new Set(trigger.perChannel ? ofChannel : ['rule', 'firing']);
    case 'http':
      return new Set([...ofChannel, 'http']);
  }
}

/** Fields that Liquid has on every string and list. */
const universal = ['size', 'first', 'last'];

/** What is wrong with naming this variable, or undefined. Computed segments are not checked. */
export function problemOfVariable(segments: readonly unknown[], roots: ReadonlySet<TemplateRoot>): string | undefined {
  const [root, ...fields] = segments;
  if (typeof root !== 'string') return 'a variable must start with a name';
  if (!Object.hasOwn(shapes, root))
    return `unknown variable ${root}${didYouMean(root, roots)}; there are ${list(roots)}`;
  if (!roots.has(root as TemplateRoot)) return `${root} is not known for this trigger; there are ${list(roots)}`;
  let shape: Shape = shapes[root as TemplateRoot];
  let name = root;
  for (const field of fields) {
    if (shape === true || typeof field === 'number') return undefined;
    if (typeof field !== 'string') return undefined;
    if (shape === 'texts') {
      shape = leaf;
      name += `.${field}`;
      continue;
    }
    if (Object.keys(shape).length === 0) {
      return universal.includes(field) ? undefined : `${name} has no field ${field}`;
    }
    if (!Object.hasOwn(shape, field)) {
      const known: string[] = Object.keys(shape);
      return `${name} has no field ${field}${didYouMean(field, known)}; there are ${list(known)}`;
    }
    shape = shape[field] ?? leaf;
    name += `.${field}`;
  }
  return undefined;
}

function list(names: Iterable<string>): string {
  return [...names].join(', ');
}
