// What else the jobs of a rule test reach: timed metadata, webhooks, the event bus, destinations for keys. Everything is accepted and
// recorded; nothing leaves the process and no file is read.

import type { ActionParams } from '#domain/action.ts';
import { AppError } from '#domain/errors.ts';
import { Secret } from '#domain/secret.ts';
import { emptyEnvelopeBytes, encodeItem, newItemId } from '#metadata/envelope.ts';
import { resolveTargets } from '#metadata/targets.ts';
import type { SecretSink } from '#secrets/sink.ts';
import type { ActionPorts, MetadataSubmit } from '#workers/ports.ts';
import type { JobLog } from './call-log.ts';
import type { VirtualWorld } from './world.ts';

/** Most bytes of one PutMetadata. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_PutMetadata.html */
const maxBytes = 1024;
/** Stands for an address in a file: `file:/run/secrets/noc_url`. */
const fileScheme = 'file:';

export type AcceptedBatch = Awaited<ReturnType<MetadataSubmit['submit']>>;

export interface OutsideOptions {
  readonly world: VirtualWorld;
  readonly log: JobLog;
  /** Accepted batches, by the id of their request. */
  readonly batches: Map<string, AcceptedBatch>;
}

export function outsidePorts({
  world,
  log,
  batches,
}: OutsideOptions): Pick<
  ActionPorts,
  'metadata' | 'http' | 'events' | 'mail' | 'sns' | 'sink' | 'readSecretFile' | 'writeFile'
> {
  return {
    metadata: {
      submit: (batch) => submit(batch, { world, log, batches }),
      acceptedUnder: async (keys) => keys.map(() => undefined),
    },
    http: {
      async send({ method, url, body }) {
        log.change(method, undefined, `${url.startsWith(fileScheme) ? url.slice(fileScheme.length) : url} ${body}`);
        return { status: 200 };
      },
    },
    mail: {
      async send({ config, subject, text }) {
        log.change('mail', undefined, `${config.to} ${JSON.stringify(subject)} ${JSON.stringify(text)}`);
      },
    },
    sns: {
      async publish({ config, message }) {
        const to = config.topicArn ?? config.targetArn ?? config.phoneNumber;
        log.change('Publish', undefined, `${to} ${JSON.stringify(message)}`);
      },
    },
    events: {
      async put({ source, detailType, detail }) {
        log.change('PutEvents', undefined, `${source} ${JSON.stringify(detailType)} ${JSON.stringify(detail)}`);
        return { eventId: 'rule-test' };
      },
    },
    sink: ({ params }) => sinkOf(params.deliver ?? {}, log),
    writeFile: async ({ channelArn }, path) => log.change('write', channelArn, path),
    readSecretFile: async (path) => new Secret(`${fileScheme}${path}`),
  };
}

/** Each item is one call on each channel: the packing and pacing of the outbox is not simulated. */
async function submit(
  { requestId, targets, items, spare }: Parameters<MetadataSubmit['submit']>[0],
  { world, log, batches }: OutsideOptions,
): Promise<AcceptedBatch> {
  const batchId = `b-${requestId}`;
  const known = batches.get(requestId);
  if (known) return known;
  const { channelArns, skipped } = resolveTargets(targets, world.state.view, { spare });
  for (const { payload } of items) {
    const bytes = Buffer.byteLength(encodeItem({ id: newItemId(), t: world.nowMs, payload })) + emptyEnvelopeBytes;
    if (bytes > maxBytes)
      throw new AppError(
        'PAYLOAD_TOO_LARGE',
        `the payload takes ${bytes} bytes; at most ${maxBytes} fit into one call`,
      );
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
    for (const channelArn of channelArns) log.change('PutMetadata', channelArn, text);
  }
  const accepted = { batchId, channels: channelArns.length, items: items.length, skipped };
  batches.set(requestId, accepted);
  return accepted;
}

function sinkOf(delivery: ActionParams<'rotate_stream_key'>['deliver'], log: JobLog): SecretSink {
  const { secrets_manager: secret, ssm_parameter: parameter, webhook, file } = delivery;
  const description = secret
    ? `secrets_manager ${secret}`
    : parameter
      ? `ssm_parameter ${parameter}`
      : webhook
        ? `webhook ${webhook.url_file}`
        : `file ${file}`;
  return {
    description,
    check: async () => undefined,
    deliver: async ({ channelArn }) => log.change('deliver', channelArn, description),
  };
}
