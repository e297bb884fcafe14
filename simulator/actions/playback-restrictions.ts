// What CreatePlaybackRestrictionPolicy and UpdatePlaybackRestrictionPolicy share: the members, and their allowed values.

import { invalid } from '../errors.ts';
import type { Settings } from '../settings.ts';
import { isCountry } from '../wire/countries.ts';
import { name } from '../wire/fields.ts';
import { type Checked, flag, list, structure, text } from '../wire/shape.ts';

export const policyMembers = {
  allowedCountries: list(text({ min: 2, max: 2 })),
  allowedOrigins: list(text({ max: 256 })),
  enableStrictOriginEnforcement: flag,
  name,
};

const policyInput = structure({}, policyMembers);

/** What the Origin header can contain: `null`, or a scheme and a host with or without a port. Never a path. */
const ORIGIN = /^(null|[a-z][a-z0-9+.-]*:\/\/[^\s/?#@]+)$/i;

/** Refuses codes that are not countries, origins that no browser sends, and more of either than a policy may have. */
export function checkRestrictions(input: Checked<typeof policyInput>, { quotas, switches }: Settings): void {
  const { allowedCountries = [], allowedOrigins = [] } = input;
  if (allowedCountries.length > quotas.countriesPerPolicy) {
    throw invalid(`allowedCountries must have length less than or equal to ${quotas.countriesPerPolicy}`);
  }
  if (allowedOrigins.length > quotas.originsPerPolicy) {
    throw invalid(`allowedOrigins must have length less than or equal to ${quotas.originsPerPolicy}`);
  }
  const country = allowedCountries.find((code) => !isCountry(code));
  if (country !== undefined) throw invalid(`allowedCountries: ${country} is not an ISO 3166-1 alpha-2 code`);
  const long = allowedOrigins.find((origin) => origin.length > switches.originLength);
  if (long !== undefined) {
    throw invalid(`allowedOrigins: an origin must have length less than or equal to ${switches.originLength}`);
  }
  const odd = allowedOrigins.find((origin) => !ORIGIN.test(origin));
  if (odd !== undefined) throw invalid(`allowedOrigins: ${odd} is not an origin`);
}
