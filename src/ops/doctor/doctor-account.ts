// An account as doctor asks about it.
import type { AwsCredentialIdentityProvider } from '@aws-sdk/types';
import type { AccountSettings } from '#config/settings.ts';

/** An entry of `accounts`, and what its role gives; without credentials, as the SDK finds them. */
export interface DoctorAccount extends AccountSettings {
  readonly credentials?: AwsCredentialIdentityProvider | undefined;
}
