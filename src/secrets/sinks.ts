// Chooses the sink for a `deliver` setting. Nothing else creates clients of Secrets Manager and SSM.
import type { SecretsManager } from '@aws-sdk/client-secrets-manager';
import type { SSM } from '@aws-sdk/client-ssm';
import type { ActionParams } from '#domain/action.ts';
import { AppError } from '#domain/errors.ts';
import { type AwsClientSettings, createAwsClient } from '#runtime/aws-client.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { FileBounds } from './named-file.ts';
import { parameterStoreSink } from './parameter-store.ts';
import { type DeliveredFiles, fileSink, readSecretFile } from './secret-file.ts';
import { type SecretSender, webhookSink } from './secret-webhook.ts';
import { secretsManagerSink } from './secrets-manager.ts';
import type { SecretSink } from './sink.ts';

export interface SecretSinksOptions {
  /** Region, credentials and endpoint of the shard's account; undefined: the SDK's defaults. */
  readonly aws: AwsClientSettings;
  readonly sender: SecretSender;
  readonly metrics: Metrics;
  /** Ends every running call. */
  readonly until?: AbortSignal | undefined;
  readonly delivered: DeliveredFiles;
  /** The daemon's own files, which no delivery replaces. */
  readonly ownFiles: readonly string[];
}

/** Where the files of a delivery may be; undefined if the configuration itself contains the path. */
export interface DeliveryBounds {
  readonly write?: FileBounds | undefined;
  /** Of each file that is read. */
  readonly read?: (path: string) => FileBounds | undefined;
  /** @throws AppError FILE_NOT_ALLOWED unless a request may deliver to this secret or parameter */
  readonly checkName?: (name: string) => void;
}

type Delivery = ActionParams<'rotate_stream_key'>['deliver'];

/**
 * The sinks of one account. A delivery never takes longer than 15 s. The SDK's clients are loaded by the first secret that needs them:
 * that of SSM alone takes 5 MB, and most daemons use one of the four.
 */
export class SecretSinks {
  readonly #secretsManager: Lazy<SecretsManager>;
  readonly #ssm: Lazy<SSM>;
  readonly #sender: SecretSender;
  readonly #metrics: Metrics;
  readonly #delivered: DeliveredFiles;
  readonly #ownFiles: readonly string[];

  constructor({ aws, sender, metrics, until, delivered, ownFiles }: SecretSinksOptions) {
    const bounds = { requestTimeoutMs: 5_000, until };
    this.#secretsManager = new Lazy(async () => {
      const sdk = await import('@aws-sdk/client-secrets-manager');
      return createAwsClient(sdk.SecretsManager, aws, bounds);
    });
    this.#ssm = new Lazy(async () => {
      const sdk = await import('@aws-sdk/client-ssm');
      return createAwsClient(sdk.SSM, aws, bounds);
    });
    this.#sender = sender;
    this.#metrics = metrics;
    this.#delivered = delivered;
    this.#ownFiles = ownFiles;
  }

  /** @throws AppError SECRET_SINK_REFUSED if the setting names none, FILE_NOT_ALLOWED if a request may not name this one */
  sink(delivery: Delivery | undefined, bounds: DeliveryBounds = {}): SecretSink {
    const { kind, sink } = this.#choose(delivery ?? {}, bounds);
    return {
      description: sink.description,
      check: (signal) => sink.check(signal),
      deliver: async (secret, signal) => {
        try {
          await sink.deliver(secret, AbortSignal.any([signal, AbortSignal.timeout(15_000)]));
          this.#metrics.secretDeliveries.inc({ sink: kind, outcome: 'delivered' });
        } catch (error) {
          this.#metrics.secretDeliveries.inc({ sink: kind, outcome: 'failed' });
          if (error instanceof AppError || signal.aborted) throw error;
          throw new AppError('SECRET_SINK_FAILED', `${sink.description} did not accept the value within 15 s`);
        }
      },
    };
  }

  destroy(): void {
    this.#secretsManager.destroy();
    this.#ssm.destroy();
  }

  #choose(delivery: Delivery, { read, write, checkName }: DeliveryBounds): { kind: string; sink: SecretSink } {
    const name = delivery.secrets_manager ?? delivery.ssm_parameter;
    if (name !== undefined) checkName?.(name);
    if (delivery.secrets_manager !== undefined)
      return {
        kind: 'secrets_manager',
        sink: secretsManagerSink(() => this.#secretsManager.get(), delivery.secrets_manager),
      };
    if (delivery.ssm_parameter !== undefined)
      return { kind: 'ssm_parameter', sink: parameterStoreSink(() => this.#ssm.get(), delivery.ssm_parameter) };
    if (delivery.webhook !== undefined)
      return {
        kind: 'webhook',
        sink: webhookSink(this.#sender, delivery.webhook, (path) => readSecretFile(path, read?.(path))),
      };
    if (delivery.file !== undefined)
      return {
        kind: 'file',
        sink: fileSink({ path: delivery.file, bounds: write, never: this.#ownFiles, delivered: this.#delivered }),
      };
    throw new AppError('SECRET_SINK_REFUSED', 'the delivery names no sink');
  }
}

/** A client that is created at its first use. */
class Lazy<Client extends { destroy(): void }> {
  readonly #make: () => Promise<Client>;
  #client: Promise<Client> | undefined;

  constructor(make: () => Promise<Client>) {
    this.#make = make;
  }

  get(): Promise<Client> {
    this.#client ??= this.#make().catch((error: unknown) => {
      this.#client = undefined;
      throw error;
    });
    return this.#client;
  }

  destroy(): void {
    this.#client?.then((client) => client.destroy()).catch(() => undefined);
  }
}
