// Puts our own events on an EventBridge bus. Nothing else imports the EventBridge client for sending.
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { AppError, messageOf } from '#domain/errors.ts';
import { type AwsClientSettings, createAwsClient } from '#runtime/aws-client.ts';

export interface OwnEvent {
  /** Not `aws.…`, which AWS reserves. */
  readonly source: string;
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
  /** Name or ARN; default: the default bus. */
  readonly bus: string | undefined;
  readonly resources: readonly string[];
  readonly timeMs: number;
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html ; below the older of the two documented limits. */
const mostBytes = 256_000;

/** One entry per call, so that a bad event never delays another one. */
export class EventBus {
  readonly #client: EventBridgeClient;

  /** @param until ends every running call */
  constructor(settings: AwsClientSettings, until?: AbortSignal) {
    this.#client = createAwsClient(EventBridgeClient, settings, { requestTimeoutMs: 5_000, until });
  }

  /** @throws AppError EVENT_BUS_REFUSED (the event itself is wrong), EVENT_BUS_FAILED (try again) */
  async put(event: OwnEvent, signal: AbortSignal): Promise<{ readonly eventId: string }> {
    const detail = JSON.stringify(event.detail);
    const bytes = Buffer.byteLength(event.source + event.detailType + detail + event.resources.join('')) + 14;
    if (event.source.startsWith('aws.'))
      throw new AppError('EVENT_BUS_REFUSED', `source ${event.source}: AWS reserves sources that begin with "aws."`);
    if (bytes > mostBytes)
      throw new AppError('EVENT_BUS_REFUSED', `an event of ${bytes} bytes is larger than ${mostBytes}`);
    const entry = {
      Source: event.source,
      DetailType: event.detailType,
      Detail: detail,
      Resources: [...event.resources],
      Time: new Date(event.timeMs),
      ...(event.bus === undefined ? {} : { EventBusName: event.bus }),
    };
    const answer = await this.#client
      .send(new PutEventsCommand({ Entries: [entry] }), { abortSignal: signal })
      .catch((error: unknown) => {
        if (signal.aborted) throw signal.reason;
        throw failureOf(error, event);
      });
    const { Entries = [], FailedEntryCount = 0 } = answer;
    const [result] = Entries;
    const isTaken = Entries.length === 1 && FailedEntryCount === 0 && result?.ErrorCode === undefined;
    if (isTaken && result?.EventId) return { eventId: result.EventId };
    // A 200 may contain a failed entry: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
    const text = `${result?.ErrorCode ?? 'no event id'}: ${result?.ErrorMessage ?? ''}`;
    throw new AppError(
      permanent.has(result?.ErrorCode ?? '') ? 'EVENT_BUS_REFUSED' : 'EVENT_BUS_FAILED',
      `PutEvents ${event.detailType}: ${text}`,
    );
  }

  destroy(): void {
    this.#client.destroy();
  }
}

const permanent: ReadonlySet<string> = new Set([
  'NotAuthorizedForSourceException',
  'NotAuthorizedForDetailTypeException',
  'InvalidArgument',
  'MalformedDetail',
  'AccessDeniedException',
  'ResourceNotFoundException',
  'ValidationException',
]);

function failureOf(error: unknown, event: OwnEvent): AppError {
  const { name, $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode ?? 0;
  const refused = permanent.has(name ?? '') || (status >= 400 && status < 500 && status !== 429);
  return new AppError(
    refused ? 'EVENT_BUS_REFUSED' : 'EVENT_BUS_FAILED',
    `PutEvents ${event.detailType}: ${name ?? 'Error'}: ${messageOf(error)}`,
    {
      cause: error,
    },
  );
}
