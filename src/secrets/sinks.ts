// Chooses the sink that a `deliver` setting names. Sole importer of the clients of Secrets Manager and SSM.
import { SecretsManagerClient, type SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';
import { SSMClient, type SSMClientConfig } from '@aws-sdk/client-ssm';
import type { ActionParams } from '#domain/action.ts';
import { AppError } from '#domain/errors.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { parameterStoreSink } from './parameter-store.ts';
import { fileSink } from './secret-file.ts';
import { type SecretSender, webhookSink } from './secret-webhook.ts';
import { secretsManagerSink } from './secrets-manager.ts';
import type { SecretSink } from './sink.ts';

export interface SecretSinksOptions {
  /** Region, credentials and endpoint of the shard's account; the SDK's defaults where left out. */
  readonly aws: Pick<SecretsManagerClientConfig & SSMClientConfig, 'region' | 'credentials' | 'endpoint'>;
  readonly sender: SecretSender;
  readonly metrics: Metrics;
}

type Delivery = ActionParams<'rotate_stream_key'>['deliver'];

/** The sinks of one account. A delivery never takes longer than 15 s. */
export class SecretSinks {
  readonly #secretsManager: SecretsManagerClient;
  readonly #ssm: SSMClient;
  readonly #sender: SecretSender;
  readonly #metrics: Metrics;

  constructor({ aws, sender, metrics }: SecretSinksOptions) {
    const requestHandler = { connectionTimeout: 3_000, requestTimeout: 5_000, throwOnRequestTimeout: true };
    this.#secretsManager = new SecretsManagerClient({ ...aws, requestHandler, maxAttempts: 2 });
    this.#ssm = new SSMClient({ ...aws, requestHandler, maxAttempts: 2 });
    this.#sender = sender;
    this.#metrics = metrics;
  }

  /** @throws AppError SECRET_SINK_REFUSED when the setting names none. */
  sink(delivery: Delivery): SecretSink {
    const { kind, sink } = this.#choose(delivery);
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
          throw new AppError('SECRET_SINK_FAILED', `${sink.description} did not take the value within 15 s`);
        }
      },
    };
  }

  destroy(): void {
    this.#secretsManager.destroy();
    this.#ssm.destroy();
  }

  #choose(delivery: Delivery): { kind: string; sink: SecretSink } {
    if (delivery.secrets_manager !== undefined)
      return { kind: 'secrets_manager', sink: secretsManagerSink(this.#secretsManager, delivery.secrets_manager) };
    if (delivery.ssm_parameter !== undefined)
      return { kind: 'ssm_parameter', sink: parameterStoreSink(this.#ssm, delivery.ssm_parameter) };
    if (delivery.webhook !== undefined) return { kind: 'webhook', sink: webhookSink(this.#sender, delivery.webhook) };
    if (delivery.file !== undefined) return { kind: 'file', sink: fileSink(delivery.file) };
    throw new AppError('SECRET_SINK_REFUSED', 'the delivery names no sink');
  }
}
