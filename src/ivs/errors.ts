// Converts what Amazon IVS, the SDK or the network throws into an AppError with its next step. Names and statuses decide, never texts.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/CommonErrors.html

import type { ErrorCode } from '#domain/error-catalog.ts';
import { AppError, type AppErrorOptions, type Disposition, messageOf } from '#domain/errors.ts';
import type { OperationName } from './limits.ts';

/** The call that failed. */
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
  /** For network errors: the system call that failed. */
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

/** Whether the service throttled the call; a gateway in front of it uses another name than IVS itself. */
export function isThrottle(error: unknown): boolean {
  const { name, $metadata } = error as ServiceFailure;
  return $metadata?.httpStatusCode === 429 || (name !== undefined && throttlingNames.has(name));
}

/** Which limit a refusal names, if its text gives a hint; otherwise the limiter finds out by itself. */
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
  const said = failure.exceptionMessage ?? messageOf(error);
  // Some answers begin with the name of the exception.
  const text = said.startsWith(name) ? said : `${name}: ${said}`;
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
    return make('IVS_ANSWER_INVALID', `the answer cannot be read (${name}); the call may have taken effect`);
  if (status === undefined || (status < 400 && !failure.exceptionMessage))
    return make('IVS_NO_ANSWER', `no usable answer (${messageOf(error)}); the call may have taken effect`);
  if (status >= 500) return make('IVS_UNAVAILABLE', text);
  if (expiredNames.has(name)) return make('IVS_ACCESS_DENIED', text, { kind: 'retry' });
  if (status === 401 || status === 403) return make('IVS_ACCESS_DENIED', text);
  if (status === 402) return make('IVS_QUOTA_EXCEEDED', text);
  if (status === 404) return make('IVS_NOT_FOUND', text);
  if (status === 409) return make('IVS_CONFLICT', text);
  return make('IVS_REQUEST_INVALID', text);
}

/**
 * Before the call itself, only the search for credentials makes requests (STS, SSO, the machine's own metadata service). So an answer or a
 * network error, even a throttle or a 403, comes from there; anything else is a fault of the request itself.
 */
function failedForCredentials({ name = '', syscall, $metadata }: ServiceFailure): boolean {
  const answered = $metadata?.httpStatusCode !== undefined;
  return answered || syscall !== undefined || name === 'TimeoutError' || name.endsWith('ProviderError');
}

/** The wait that the service requests, in whole seconds (Retry-After) or milliseconds (x-amz-retry-after); otherwise one window. */
function retryAfterMs({ $response }: ServiceFailure): number {
  const milliseconds = Number($response?.headers?.['x-amz-retry-after']);
  if (milliseconds > 0) return Math.min(milliseconds, 60_000);
  const seconds = Number($response?.headers?.['retry-after']);
  return seconds > 0 ? Math.min(seconds * 1000, 60_000) : 1000;
}
