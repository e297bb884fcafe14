import { describe, expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { explainAwsFailure } from './aws-failure.ts';

const thrown = (fields: object) => Object.assign(new Error('message'), fields);
const kindOf = (error: unknown, region = 'us-west-2') =>
  explainAwsFailure(error, { region, action: 'ivs:GetStream' }).kind;

describe('why a call to AWS failed', () => {
  test.each([
    ['a name that is not resolved', thrown({ code: 'ENOTFOUND', hostname: 'sts.example' }), 'dns'],
    ['a connection that is refused', thrown({ code: 'ECONNREFUSED', address: '127.0.0.1', port: 9 }), 'refused'],
    ['every attempt of a connection', new AggregateError([thrown({ code: 'ECONNREFUSED' })]), 'refused'],
    ['a time-out', thrown({ name: 'TimeoutError' }), 'no_answer'],
    ['a proxy that inspects TLS', thrown({ code: 'SELF_SIGNED_CERT_IN_CHAIN' }), 'tls'],
    [
      'an unreachable proxy',
      new AppError('PROXY_FAILED', 'ivs: no answer', { cause: thrown({ code: 'ECONNREFUSED' }) }),
      'proxy',
    ],
    ['expired credentials', thrown({ name: 'ExpiredTokenException' }), 'expired'],
    ['keys that AWS does not know', thrown({ name: 'InvalidClientTokenId' }), 'credentials_refused'],
    ['a clock that is wrong', thrown({ name: 'RequestTimeTooSkewed' }), 'clock'],
    ['no permission', thrown({ name: 'AccessDeniedException' }), 'denied'],
    ['no credentials', thrown({ name: 'CredentialsProviderError' }), 'no_credentials'],
    ['something new', thrown({ name: 'Surprise' }), 'other'],
    ['nothing at all', undefined, 'other'],
  ])('%s', (_, error, kind) => {
    expect(kindOf(error)).toBe(kind);
  });

  test('distinguishes a role that may not be assumed from a missing permission', () => {
    const error = thrown({
      name: 'AccessDenied',
      message: 'User: x is not authorized to perform: sts:AssumeRole on y',
    });

    expect(kindOf(error)).toBe('role_refused');
  });

  test('names a Region without IVS', () => {
    const answer = explainAwsFailure(thrown({ code: 'ENOTFOUND' }), { region: 'us-west-1' });

    expect(answer).toMatchObject({ kind: 'wrong_region', todo: expect.stringContaining('us-west-2') });
    expect(
      kindOf(thrown({ name: 'InvalidSignatureException', message: 'Credential should be scoped to a valid region' })),
    ).toBe('wrong_region');
  });

  test('uses the cause inside another error, except a failure of the search for credentials', () => {
    const cause = thrown({ code: 'ENOTFOUND' });

    expect(kindOf(new AppError('IVS_NO_ANSWER', 'no usable answer', { cause }))).toBe('dns');
    expect(kindOf(thrown({ name: 'CredentialsProviderError', cause: thrown({ code: 'ECONNREFUSED' }) }))).toBe(
      'no_credentials',
    );
  });
});
