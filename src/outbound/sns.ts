// Publishes to Amazon SNS. The client is loaded with the first message. Nothing else imports the SNS client.
import { createHash } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import type { SNSClient } from '@aws-sdk/client-sns';
import { AppError, messageOf } from '#domain/errors.ts';
import type { SnsIntegration } from '#domain/receiver.ts';
import { type AwsClientSettings, assumedRole, createAwsClient } from '#runtime/aws-client.ts';
import { traceHeaders } from '#runtime/tracing.ts';
import { type AddressPolicy, forbiddenRange } from './address-guard.ts';
import { optionalPackage } from './optional-package.ts';
import { assertReachable, webhookUrl } from './webhook-url.ts';

export interface SnsMessage {
  readonly config: SnsIntegration;
  readonly subject: string;
  readonly message: string;
  /** For FIFO topics: messages with the same key keep their order. */
  readonly groupKey: string;
  readonly deliveryId: string;
}

export class SnsPublisher {
  readonly #settings: AwsClientSettings;
  readonly #addresses: AddressPolicy;
  readonly #until: AbortSignal | undefined;
  /** By Region, endpoint and role. */
  readonly #clients = new Map<string, SNSClient>();

  /**
   * @param allowLinkLocal whether `api_url` may lead to link-local addresses and the metadata services there; private networks are
   * allowed, because VPC endpoints are there
   * @param until ends every running call
   */
  constructor(
    settings: AwsClientSettings,
    { allowLinkLocal }: Pick<AddressPolicy, 'allowLinkLocal'>,
    until?: AbortSignal,
  ) {
    this.#settings = settings;
    this.#addresses = { allowPrivate: true, allowLinkLocal };
    this.#until = until;
  }

  /**
   * @throws AppError SNS_REJECTED (the message or the permission is wrong), WEBHOOK_REFUSED (`api_url`), PACKAGE_MISSING, SNS_FAILED (try
   * again)
   */
  async publish({ config, subject, message, groupKey, deliveryId }: SnsMessage, signal: AbortSignal): Promise<void> {
    const sdk = await optionalPackage('@aws-sdk/client-sns', 'sns_configs', () => import('@aws-sdk/client-sns'));
    const { topicArn, targetArn, phoneNumber, attributes, apiUrl } = config;
    if (apiUrl !== undefined) await this.#judge(apiUrl);
    const hash = (text: string) => createHash('sha256').update(text).digest('hex');
    const command = new sdk.PublishCommand({
      Message: message,
      ...(topicArn === undefined ? {} : { TopicArn: topicArn, Subject: subject }),
      ...(targetArn === undefined ? {} : { TargetArn: targetArn, Subject: subject }),
      ...(phoneNumber === undefined ? {} : { PhoneNumber: phoneNumber }),
      ...(topicArn?.endsWith('.fifo')
        ? { MessageGroupId: hash(groupKey), MessageDeduplicationId: hash(deliveryId) }
        : {}),
      MessageAttributes: Object.fromEntries(
        Object.entries(withTrace(attributes)).map(([name, value]) => [
          name,
          { DataType: 'String', StringValue: value },
        ]),
      ),
    });
    const answer = await this.#client(sdk.SNSClient, config)
      .send(command, { abortSignal: signal })
      .catch((error: unknown) => {
        if (signal.aborted) throw signal.reason;
        throw failureOf(error);
      });
    if (!answer.MessageId) throw new AppError('SNS_FAILED', 'SNS answered without a message id');
  }

  destroy(): void {
    for (const client of this.#clients.values()) client.destroy();
  }

  /** A name that does not resolve here is left to the client, or its proxy. */
  async #judge(apiUrl: string): Promise<void> {
    const { hostname } = webhookUrl(apiUrl, this.#addresses);
    const found = await lookup(hostname.replace(/^\[|\]$/g, ''), { all: true }).catch(() => []);
    for (const { address } of found) assertReachable(hostname, forbiddenRange(address, this.#addresses));
  }

  #client(Client: typeof SNSClient, { region = this.#settings.region, apiUrl, roleArn }: SnsIntegration): SNSClient {
    const key = JSON.stringify([region, apiUrl, roleArn]);
    const known = this.#clients.get(key);
    if (known) return known;
    const credentials =
      roleArn === undefined
        ? this.#settings.credentials
        : assumedRole({ roleArn, externalId: undefined, region: region ?? 'us-east-1' });
    const endpoint = apiUrl ?? this.#settings.endpoint;
    const client = createAwsClient(
      Client,
      { region, credentials, endpoint },
      { requestTimeoutMs: 5_000, until: this.#until },
    );
    this.#clients.set(key, client);
    return client;
  }
}

/** With more than ten attributes, raw delivery to SQS fails: https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html */
const mostAttributes = 10;

/** Adds the place in a trace, unless that is one attribute too many. */
function withTrace(attributes: SnsIntegration['attributes']): SnsIntegration['attributes'] {
  const { traceparent } = traceHeaders();
  if (traceparent === undefined || Object.keys(attributes).length >= mostAttributes) return attributes;
  return { traceparent, ...attributes };
}

const passing: ReadonlySet<string> = new Set([
  'ThrottledException',
  'Throttling',
  'InternalErrorException',
  'KMSThrottlingException',
]);

function failureOf(error: unknown): AppError {
  const { name = 'Error', $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode ?? 0;
  const isLasting = status >= 400 && status < 500 && status !== 429 && !passing.has(name);
  return new AppError(isLasting ? 'SNS_REJECTED' : 'SNS_FAILED', `Publish: ${name}: ${messageOf(error)}`, {
    cause: error,
  });
}
