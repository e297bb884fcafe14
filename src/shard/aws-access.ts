// How one AWS account is reached: Region, credentials, stand-ins. The same for every client of its shard.
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from '@aws-sdk/types';
import type { Account } from '#config/accounts.ts';
import type { AccountSettings } from '#config/settings.ts';
import { queueOf } from '#domain/queue-url.ts';
import { assumedRole } from '#runtime/aws-client.ts';

/** Stand-ins for AWS, and credentials, for when the SDK's own rules (environment, profiles) are not wanted. */
export interface AwsOptions {
  readonly ivsEndpoint?: string | undefined;
  readonly sqsEndpoint?: string | undefined;
  readonly eventBridgeEndpoint?: string | undefined;
  readonly secretsEndpoint?: string | undefined;
  readonly snsEndpoint?: string | undefined;
  readonly credentials?: AwsCredentialIdentity | undefined;
}

export interface AwsAccess extends Omit<AwsOptions, 'credentials'> {
  readonly region: string;
  /** Undefined: as the SDK finds them. */
  readonly credentials: AwsCredentialIdentity | AwsCredentialIdentityProvider | undefined;
}

/** The account's access. With `assume_role_arn`, every call uses that role, whose credentials are renewed before they expire. */
export function awsAccessOf(
  { region, assume_role_arn: roleArn, external_id: externalId }: AccountSettings,
  aws: AwsOptions,
): AwsAccess {
  const { credentials, ...endpoints } = aws;
  const assumed =
    roleArn === undefined || credentials !== undefined ? undefined : assumedRole({ roleArn, externalId, region });
  return { ...endpoints, region, credentials: credentials ?? assumed };
}

/**
 * How the event queue of an entry is reached: as the entry's account, or, if it is shared and belongs to none of the accounts that share
 * it, with the daemon's own identity in the queue's Region.
 */
export function queueAccessOf(account: Account, aws: AwsOptions): AwsAccess {
  const { sharedQueue, queue_url: url, region } = account;
  if (!sharedQueue || sharedQueue.isOwner) return awsAccessOf(account, aws);
  return awsAccessOf({ name: account.name, region: (url && queueOf(url)?.region) || region }, aws);
}
