// Examples for the API document: written ones for what people send, and generated ones, from the schema, for every other body.

type Json = Record<string, unknown>;

const channelArn = 'arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl';

interface Example {
  readonly summary: string;
  readonly value: unknown;
}

/** By operation, and by the name of the example. */
export const requestExamples: Readonly<Record<string, Readonly<Record<string, Example>>>> = {
  sendMetadata: {
    live: {
      summary: 'To every live channel, expiring after 20 seconds',
      value: { targets: { live: true }, items: [{ payload: { type: 'poll', id: 17 }, expiresInMs: 20_000 }] },
    },
    score: {
      summary: 'A score that replaces an unsent older one, to the channels of a show',
      value: {
        targets: { tags: { show: ['finals'] } },
        items: [{ payload: { home: 2, guests: 1 }, key: 'score' }],
        lane: 'urgent',
      },
    },
    dryRun: {
      summary: 'Which channels would get it, and how long it would take',
      value: { targets: { channelArns: [channelArn] }, items: [{ payload: 'goal' }], dryRun: true },
    },
  },
  requestAction: {
    rotateKey: {
      summary: 'A new stream key once the channel is offline',
      value: {
        action: { rotate_stream_key: { when: 'offline', deliver: { secrets_manager: 'ivs/studio-a/stream-key' } } },
        channelArn,
        reason: 'the key was in a chat',
      },
    },
    stop: {
      summary: 'The calls that stopping a stream would make',
      value: { action: { stop_stream: {} }, channelArn, reason: 'rights ended', dryRun: true },
    },
    recordMany: {
      summary: 'Recording on for all channels with a tag',
      value: {
        action: { set_recording: { configuration: 'prod-s3', if_live: 'defer' } },
        targets: { tags: { record: ['yes'] } },
        reason: 'season opening',
      },
    },
  },
  answerApproval: {
    yes: { summary: 'An approval with its reason', value: { decision: 'approve', reason: 'nobody watches it' } },
    no: { summary: 'A no', value: { decision: 'reject', reason: 'sponsor on air' } },
  },
  acknowledgeAlert: { note: { summary: 'With a note', value: { note: 'an encoder was unplugged' } } },
  refreshChannel: { reason: { summary: 'With a reason for the audit', value: { reason: 'retagged' } } },
  refreshChannels: { reason: { summary: 'With a reason for the audit', value: { reason: 'retagged' } } },
  holdChannel: {
    twoHours: { summary: 'Released automatically after two hours', value: { reason: 'new encoder', duration: '2h' } },
  },
  addSilence: {
    finals: {
      summary: 'No stream of a show is stopped for two hours',
      value: {
        matchers: ['action="stop_stream"', 'tag_show="finals"'],
        reason: 'finals tonight',
        duration: '2h',
      },
    },
  },
  activateStandby: { reason: { summary: 'The other deployment is lost', value: { reason: 'us-west-2 is lost' } } },
  pauseAutomation: {
    reason: { summary: 'With a reason for everybody who sees it', value: { reason: 'regional incident' } },
  },
  resumeAutomation: { reason: { summary: 'Why', value: { reason: 'the incident is over' } } },
  setOffTrigger: {
    channel: { summary: 'About one channel', value: { channelArn, body: { scene: 'break' } } },
  },
};

const batch = {
  batchId: 'b-0123abcd',
  who: 'token mara',
  state: 'running',
  lane: 'normal',
  channels: 9987,
  items: 1,
  total: 9987,
  counts: { pending: 6400, delivered: 3500, conflated: 0, expired: 0, notBroadcasting: 80, failed: 7, cancelled: 0 },
  failures: { IVS_NOT_FOUND: 7 },
  skipped: [{ reason: 'held', count: 1, examples: [channelArn] }],
  contents: [{ payload: { type: 'poll', id: 17 } }],
  startedAt: '2026-11-20T20:00:00.000Z',
  finishedAt: null,
  etaSeconds: 41.3,
};

/** By operation. */
export const answerExamples: Readonly<Record<string, unknown>> = {
  sendMetadata: {
    batchId: 'b-0123abcd',
    channels: 9987,
    items: 1,
    plannedCalls: 9987,
    estimatedSeconds: 64.5,
    skipped: [{ reason: 'held', count: 1, examples: [channelArn] }],
  },
  getBatch: batch,
  cancelBatch: { ...batch, state: 'cancelling' },
  followBatch: `event: progress\ndata: ${JSON.stringify(batch)}\n\n`,
  followLive: 'event: hello\ndata: {"version":"0.1.0","caller":{"name":"mara","role":"operator"}}\n\n',
};

/** By the name of a field, if its schema gives only its type. */
const byName: Readonly<Record<string, unknown>> = {
  channelArn,
  arn: channelArn,
  channelName: 'studio-a',
  streamId: 'st-1AbCdEfGhIjKlMnOpQrStUv',
  batchId: 'b-0123abcd',
  jobId: 'rotate_stream_key-0123abcd',
  bulkId: 'bulk-0123abcd',
  account: 'main',
  region: 'us-west-2',
  who: 'token mara',
  author: 'token mara',
  rule: 'starving-slate',
  reason: 'no reason given',
  matchers: ['rule="starving-slate"'],
  hash: '5f3c0a9e',
  configHash: '5f3c0a9e',
  ends: '2026-11-20T22:00:00.000Z',
  starts: '2026-11-20T20:00:00.000Z',
  code: 'NOT_FOUND',
};
const time = '2026-11-20T20:00:00.000Z';
/** Texts for fields with a pattern: durations, cursors, ids, times. */
const patterned = ['30s', '1764000000123-0', '0123456789', 'abcdefghij', time, channelArn, 'a', '1'];
const deepest = 8;

/** A value that the schema accepts. */
export function exampleOf(schema: Json, name = '', depth = 0): unknown {
  const { type, properties, items, anyOf, oneOf, allOf } = schema as {
    type?: string | readonly string[];
    properties?: Record<string, Json>;
    items?: Json;
    anyOf?: readonly Json[];
    oneOf?: readonly Json[];
    allOf?: readonly Json[];
  };
  const [first] = (schema['examples'] as readonly unknown[] | undefined) ?? [];
  if (first !== undefined) return first;
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  if ('default' in schema) return schema['default'];
  const choices = anyOf ?? oneOf;
  if (choices) return exampleOf(choices.find((each) => each['type'] !== 'null') ?? choices[0]!, name, depth);
  if (allOf) return Object.assign({}, ...allOf.map((each) => exampleOf(each, name, depth)));
  switch (Array.isArray(type) ? type[0] : type) {
    case 'object': {
      const required = new Set((schema['required'] as readonly string[] | undefined) ?? []);
      const wanted = Object.entries(properties ?? {}).filter(([key]) => required.has(key));
      if (depth > deepest) return {};
      return Object.fromEntries(wanted.map(([key, each]) => [key, exampleOf(each, key, depth + 1)]));
    }
    case 'array': {
      const minimum = (schema['minItems'] as number | undefined) ?? 0;
      if (depth > deepest && minimum === 0) return [];
      return Array.isArray(byName[name]) ? byName[name] : [exampleOf(items ?? {}, name.replace(/s$/, ''), depth + 1)];
    }
    case 'string': {
      if (schema['format'] === 'date-time') return typeof byName[name] === 'string' ? byName[name] : time;
      const named = byName[name];
      const pattern = typeof schema['pattern'] === 'string' ? new RegExp(schema['pattern']) : /(?:)/;
      return [named, name, ...patterned].find((each) => typeof each === 'string' && each !== '' && pattern.test(each));
    }
    case 'integer':
    case 'number':
      return Math.max(1, (schema['minimum'] as number | undefined) ?? 1);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return {};
  }
}
