import { expect, test } from 'vitest';
import type { ErrorCode } from '#domain/error-catalog.ts';
import { AppError } from '#domain/errors.ts';
import { callResultOf } from './call-result.ts';

const resultOf = (error: unknown) => callResultOf(error, { reconnectWindowMs: 0, random: 0 });
const kindOf = (code: ErrorCode) => resultOf(new AppError(code, 'x')).kind;

test('each answer of IVS has one meaning for the items', () => {
  expect(kindOf('IVS_NOT_BROADCASTING')).toBe('offline');
  expect(resultOf(new AppError('IVS_NOT_FOUND', 'x'))).toMatchObject({ kind: 'failed', scope: 'channel' });
  expect(resultOf(new AppError('IVS_ACCESS_DENIED', 'x'))).toMatchObject({ kind: 'failed', scope: 'channel' });
  expect(resultOf(new AppError('IVS_REQUEST_INVALID', 'x'))).toMatchObject({ kind: 'failed', scope: 'call' });
  for (const code of [
    'IVS_UNAVAILABLE',
    'IVS_NO_ANSWER',
    'IVS_THROTTLED',
    'REDIS_UNREACHABLE',
    'LIMITER_UNAVAILABLE',
  ] as const)
    expect(kindOf(code)).toBe('retry');
  for (const code of ['LIMITER_DEADLINE', 'LIMITER_FULL', 'INTERRUPTED'] as const) expect(kindOf(code)).toBe('back');
});

test('retries after expired credentials, keeps a wait that IVS asks for, and retries an unknown error', () => {
  const expired = new AppError('IVS_ACCESS_DENIED', 'x', { disposition: { kind: 'retry' } });
  const throttled = new AppError('IVS_THROTTLED', 'x', { disposition: { kind: 'retry-after', delayMs: 7000 } });

  expect(resultOf(expired).kind).toBe('retry');
  expect(resultOf(throttled)).toMatchObject({ kind: 'retry', leastMs: 7000 });
  expect(resultOf(new TypeError('x')).kind).toBe('retry');
});
