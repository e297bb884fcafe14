// Converts what Secrets Manager and Parameter Store throw into an AppError. Their messages may quote the request, so only names are kept.
import { AppError } from '#domain/errors.ts';

const hopeless: ReadonlySet<string> = new Set([
  'AccessDeniedException',
  'InvalidParameterException',
  'InvalidRequestException',
  'DecryptionFailure',
  'EncryptionFailure',
  'ParameterLimitExceeded',
  'ParameterMaxVersionLimitExceeded',
  'HierarchyTypeMismatchException',
  'UnsupportedParameterType',
  'ValidationException',
  'InvalidKeyId',
]);

/** The name of a service's exception. */
export function exceptionName(error: unknown): string {
  return (error as { name?: string }).name ?? 'Error';
}

/** The failure of a delivery: final, or worth a retry. The cause is left out on purpose. */
export function sinkFailure(place: string, operation: string, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof AppError) return error;
  const name = exceptionName(error);
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  const refused = hopeless.has(name);
  return new AppError(
    refused ? 'SECRET_SINK_REFUSED' : 'SECRET_SINK_FAILED',
    `${place}: ${operation} ended with ${name}${status === undefined ? '' : ` (${status})`}`,
    { details: { operation, name, status } },
  );
}
