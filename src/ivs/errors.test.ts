import { describe, expect, it } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { isThrottle, throttleScope, toAppError } from './errors.ts';
import type { OperationName } from './limits.ts';

const channelArn = 'arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl';

/** What the SDK throws for a service's answer: the text is in `exceptionMessage`. */
function refusal(name: string, httpStatusCode: number, exceptionMessage = 'the text', headers = {}) {
  return Object.assign(new Error('UnknownError'), {
    name,
    exceptionMessage,
    $metadata: { httpStatusCode, requestId: 'request-1' },
    $response: { headers },
  });
}

const call = (operation: OperationName, sent = true) => ({ operation, resource: channelArn, sent });

describe('a refusal by Amazon IVS', () => {
  it.each([
    ['ChannelNotBroadcasting', 404, 'PutMetadata', 'IVS_NOT_BROADCASTING', 'give-up'],
    ['ChannelNotBroadcasting', 404, 'StopStream', 'IVS_NOT_BROADCASTING', 'already-done'],
    ['ResourceNotFoundException', 404, 'GetChannel', 'IVS_NOT_FOUND', 'give-up'],
    ['ResourceNotFoundException', 404, 'DeleteStreamKey', 'IVS_NOT_FOUND', 'already-done'],
    ['UnknownOperationException', 404, 'GetChannel', 'IVS_NOT_FOUND', 'give-up'],
    ['ThrottlingException', 429, 'PutMetadata', 'IVS_THROTTLED', 'retry-after'],
    ['TooManyRequestsException', 429, 'ListStreams', 'IVS_THROTTLED', 'retry-after'],
    ['IvsServiceException', 429, 'ListStreams', 'IVS_THROTTLED', 'retry-after'],
    ['ServiceQuotaExceededException', 402, 'CreateStreamKey', 'IVS_QUOTA_EXCEEDED', 'give-up'],
    ['ConflictException', 409, 'UpdateChannel', 'IVS_CONFLICT', 'give-up'],
    ['PendingVerification', 403, 'CreateChannel', 'IVS_PENDING_VERIFICATION', 'give-up'],
    ['AccessDeniedException', 403, 'StopStream', 'IVS_ACCESS_DENIED', 'give-up'],
    ['ExpiredTokenException', 403, 'StopStream', 'IVS_ACCESS_DENIED', 'retry'],
    ['ValidationException', 400, 'PutMetadata', 'IVS_REQUEST_INVALID', 'give-up'],
    ['StreamUnavailable', 503, 'StopStream', 'IVS_UNAVAILABLE', 'retry'],
    ['InternalServerException', 500, 'GetChannel', 'IVS_UNAVAILABLE', 'retry'],
  ] as const)('%s (%i) of %s is %s: %s', (name, status, operation, code, disposition) => {
    const error = toAppError(refusal(name, status), call(operation));

    expect(error).toBeInstanceOf(AppError);
    expect(error.code).toBe(code);
    expect(error.disposition.kind).toBe(disposition);
    expect(error.details).toMatchObject({ operation, status, requestId: 'request-1' });
  });

  it('names the exception once, also if the text of the service begins with it', () => {
    const said = (text: string) => toAppError(refusal('AccessDeniedException', 403, text), call('StopStream')).message;

    expect(said('AccessDeniedException on demand')).toBe(`StopStream ${channelArn}: AccessDeniedException on demand`);
    expect(said('not authorized')).toBe(`StopStream ${channelArn}: AccessDeniedException: not authorized`);
  });

  it('shows the text of the service, not the SDK\'s "UnknownError"', () => {
    const error = toAppError(refusal('ConflictException', 409, 'Channel is live'), call('UpdateChannel'));

    expect(error.message).toContain('UpdateChannel');
    expect(error.message).toContain('Channel is live');
    expect(error.message).not.toContain('UnknownError');
  });

  it('waits as long as the service requests', () => {
    const seconds = toAppError(refusal('ThrottlingException', 429, '', { 'retry-after': '7' }), call('PutMetadata'));
    const silent = toAppError(refusal('ThrottlingException', 429), call('PutMetadata'));

    expect(seconds.disposition).toEqual({ kind: 'retry-after', delayMs: 7000 });
    expect(silent.disposition).toEqual({ kind: 'retry-after', delayMs: 1000 });
  });
});

describe('a call without an answer', () => {
  it('may have taken effect only if it was sent', () => {
    const reset = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET', name: 'TimeoutError' });

    expect(toAppError(reset, call('PutMetadata')).code).toBe('IVS_NO_ANSWER');
    expect(toAppError(reset, call('PutMetadata')).message).toContain('may have taken effect');
    expect(toAppError(reset, call('PutMetadata', false)).message).not.toContain('effect');
  });

  it('is an interruption if the caller ended it, and says whether it may have been sent', () => {
    const aborted = Object.assign(new Error('Request aborted'), { name: 'AbortError' });

    const sent = toAppError(aborted, call('PutMetadata'));
    const unsent = toAppError(aborted, call('PutMetadata', false));

    expect([sent.disposition, unsent.disposition]).toEqual([{ kind: 'interrupted' }, { kind: 'interrupted' }]);
    expect(sent.message).toContain('may have been sent');
    expect(unsent.message).toContain('before it was sent');
  });

  it('leaves an AppError unchanged', () => {
    const known = new AppError('LIMITER_FULL', 'full');

    expect(toAppError(known, call('PutMetadata'))).toBe(known);
  });
});

describe('a call that was never sent', () => {
  it.each([
    ['none found', { name: 'CredentialsProviderError' }],
    ['no token', { name: 'TokenProviderError' }],
    ['the role is refused by STS', { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } }],
    ['STS throttles', { name: 'Throttling', $metadata: { httpStatusCode: 400 } }],
    ['the SSO session has expired', { name: 'UnauthorizedException', $metadata: { httpStatusCode: 401 } }],
    ['STS cannot be reached', { name: 'Error', code: 'ENOTFOUND', syscall: 'getaddrinfo', $metadata: { attempts: 1 } }],
    ['STS does not answer', { name: 'TimeoutError' }],
  ])('is retried if credentials are missing: %s', (_, failure) => {
    const error = toAppError(Object.assign(new Error('its text'), failure), call('ListStreams', false));

    expect(error).toMatchObject({ code: 'IVS_CREDENTIALS', disposition: { kind: 'retry' }, details: { sent: false } });
    expect(error.message).toContain('its text');
  });

  it.each([
    ['a value is missing', new Error('No value provided for input HTTP label: channelArn.')],
    ['the endpoint is not a URL', Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL' })],
    ['the Region is invalid', new Error('Region not accepted: region="no such" is not a valid hostname component.')],
    ['a mistake in our code', new TypeError('x is not a function')],
  ])('is given up if no request can be made: %s', (_, failure) => {
    const error = toAppError(failure, call('ListStreams', false));

    expect(error).toMatchObject({ code: 'IVS_REQUEST_INVALID', disposition: { kind: 'give-up' } });
    expect(error.message).toContain(failure.message);
    expect(error.message).toContain('nothing was sent');
  });
});

describe('throttling', () => {
  it('is recognised by its status, whatever the name, and by its names', () => {
    expect(isThrottle(refusal('IvsServiceException', 429))).toBe(true);
    expect(isThrottle(Object.assign(new Error(), { name: 'ThrottlingException' }))).toBe(true);
    expect(isThrottle(refusal('ValidationException', 400))).toBe(false);
  });

  it.each([
    [`Operation: ivs:PutMetadata exceeded call rate: 5 for resource: ${channelArn}`, 'channel'],
    ['Operation: ivs:PutMetadata exceeded call rate: 155 for account: 111122223333', 'account'],
    ['Rate exceeded', 'unknown'],
  ])('reads %s as a limit of the %s', (text, scope) => {
    expect(throttleScope(refusal('ThrottlingException', 429, text), channelArn)).toBe(scope);
  });
});
