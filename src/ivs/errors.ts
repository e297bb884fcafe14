// What Amazon IVS, the SDK or the network throws → AppError with what happens next. Names and statuses decide, never texts.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/CommonErrors.html

import type { ErrorCode } from '#domain/error-catalog.ts';
import { AppError, type AppErrorOptions, type Disposition, messageOf } from '#domain/errors.ts';
import type { OperationName } from './limits.ts';

/** What was being called. */
export interface FailedCall {
  readonly operation: OperationName;
  /** The resource the call was about, as an ARN. */
  readonly resource: string | undefined;
  /** False while nothing can have reached the service. */
  readonly sent: boolean;
}

/** The members we read of what the SDK throws. The service's own text is in `exceptionMessage`; `message` is often "UnknownError". */
interface ServiceFailure {
  readonly name?: string;
  /** Of errors of the network: the system call that failed. */
  readonly syscall?: string;
  readonly message?: string;
  readonly exceptionMessage?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

const throttlingNames: ReadonlySet<string> = new Set([
  'ThrottlingException',
  'TooManyRequestsException',
  'Throttling',
  'ThrottledException',
  'RequestThrottled',
  'RequestThrottledException',
  'RequestLimitExceeded',
  'SlowDown',
]);
const expiredNames: ReadonlySet<string> = new Set(['ExpiredToken', 'ExpiredTokenException', 'RequestExpired']);

/** Whether the service refused the call for its rate; a gateway in front of it uses another name than IVS itself. */
export function isThrottle(error: unknown): boolean {
  const { name, $metadata } = error as ServiceFailure;
  return $metadata?.httpStatusCode === 429 || (name !== undefined && throttlingNames.has(name));
}

/** Which limit a refusal names, as far as its text is a hint; the limiter finds out by itself when it is none. */
export function throttleScope(error: unknown, resource: string | undefined): 'channel' | 'account' | 'unknown' {
  const text = (error as ServiceFailure).exceptionMessage ?? '';
  if (resource !== undefined && text.includes(resource)) return 'channel';
  return /\baccount\b/i.test(text) ? 'account' : 'unknown';
}

/** The AppError for what a call threw. */
export function toAppError(error: unknown, call: FailedCall): AppError {
  if (error instanceof AppError) return error;
  const failure = error as ServiceFailure;
  const status = failure.$metadata?.httpStatusCode;
  const name = failure.name ?? 'Error';
  const place = call.resource === undefined ? call.operation : `${call.operation} ${call.resource}`;
  const make = (code: ErrorCode, text: string, disposition?: Disposition) => {
    const options: AppErrorOptions = {
      cause: error,
      details: {
        operation: call.operation,
        resource: call.resource,
        name,
        status,
        requestId: failure.$metadata?.requestId,
        sent: call.sent,
      },
      ...(disposition ? { disposition } : {}),
    };
    return new AppError(code, `${place}: ${text}`, options);
  };
  const text = `${name}: ${failure.exceptionMessage ?? messageOf(error)}`;
  if (name === 'AbortError')
    return make(
      'INTERRUPTED',
      call.sent ? 'interrupted after it may have been sent' : 'interrupted before it was sent',
    );
  if (!call.sent) {
    return failedForCredentials(failure)
      ? make('IVS_CREDENTIALS', `no AWS credentials (${text})`)
      : make('IVS_REQUEST_INVALID', `the request could not be made (${text}); nothing was sent`);
  }
  if (isThrottle(error)) return make('IVS_THROTTLED', text, { kind: 'retry-after', delayMs: retryAfterMs(failure) });
  switch (name) {
    case 'ChannelNotBroadcasting':
      return make('IVS_NOT_BROADCASTING', text, call.operation === 'StopStream' ? { kind: 'already-done' } : undefined);
    case 'ResourceNotFoundException':
      return make('IVS_NOT_FOUND', text, call.operation.startsWith('Delete') ? { kind: 'already-done' } : undefined);
    case 'PendingVerification':
      return make('IVS_PENDING_VERIFICATION', text);
    default:
  }
  if (status !== undefined && status < 300)
    return make('IVS_ANSWER_INVALID', `the answer cannot be read (${name}); the call may have had its effect`);
  if (status === undefined || (status < 400 && !failure.exceptionMessage))
    return make('IVS_NO_ANSWER', `no usable answer (${messageOf(error)}); the call may have had its effect`);
  if (status >= 500) return make('IVS_UNAVAILABLE', text);
  if (expiredNames.has(name)) return make('IVS_ACCESS_DENIED', text, { kind: 'retry' });
  if (status === 401 || status === 403) return make('IVS_ACCESS_DENIED', text);
  if (status === 402) return make('IVS_QUOTA_EXCEEDED', text);
  if (status === 404) return make('IVS_NOT_FOUND', text);
  if (status === 409) return make('IVS_CONFLICT', text);
  return make('IVS_REQUEST_INVALID', text);
}

/**
 * Before the call itself only the search for credentials talks to anybody (STS, SSO, the machine's own metadata service). So an
 * answer or a trouble of the network is theirs, also a throttle or a 403; all else is the request's own fault.
 */
function failedForCredentials({ name = '', syscall, $metadata }: ServiceFailure): boolean {
  const answered = $metadata?.httpStatusCode !== undefined;
  return answered || syscall !== undefined || name === 'TimeoutError' || name.endsWith('ProviderError');
}

/** What the service asks for, in whole seconds (Retry-After) or milliseconds (x-amz-retry-after); else one window. */
function retryAfterMs({ $response }: ServiceFailure): number {
  const milliseconds = Number($response?.headers?.['x-amz-retry-after']);
  if (milliseconds > 0) return Math.min(milliseconds, 60_000);
  const seconds = Number($response?.headers?.['retry-after']);
  return seconds > 0 ? Math.min(seconds * 1000, 60_000) : 1000;
}
