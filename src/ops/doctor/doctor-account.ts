// An account that doctor checks.
import type { AwsCredentialIdentityProvider } from '@aws-sdk/types';
import type { Account } from '#config/accounts.ts';

/** An entry of `accounts`, with the credentials of its role; without credentials, as the SDK finds them. */
export interface DoctorAccount extends Account {
  readonly credentials?: AwsCredentialIdentityProvider | undefined;
}
