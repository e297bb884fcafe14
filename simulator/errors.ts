// The errors IVS returns, with their status. The operation table says which operation may throw which.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/CommonErrors.html

/** Shape name → HTTP status: the modelled shapes first, then the undeclared ones every AWS endpoint may answer with. */
export const ERROR_STATUS = {
  AccessDeniedException: 403,
  PendingVerification: 403,
  ValidationException: 400,
  ServiceQuotaExceededException: 402,
  ResourceNotFoundException: 404,
  ChannelNotBroadcasting: 404,
  ConflictException: 409,
  ThrottlingException: 429,
  InternalServerException: 500,
  StreamUnavailable: 503,
  ServiceUnavailable: 503,
  TooManyRequestsException: 429,
  UnknownOperationException: 404,
  RequestEntityTooLargeException: 413,
  MissingAuthenticationTokenException: 403,
  InternalFailure: 500,
} as const;

export type ErrorName = keyof typeof ERROR_STATUS;

/** An answer that is an error of the service: its shape name, status and text. */
export class ServiceError extends Error {
  readonly status: number;

  constructor(name: string, message: string, status?: number) {
    super(message);
    this.name = name;
    this.status = status ?? (ERROR_STATUS as Readonly<Record<string, number>>)[name] ?? 400;
  }
}

/** What a caller gets for a failure: the service's own error as it is, anything else as an InternalFailure. */
export function asServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new ServiceError('InternalFailure', `The simulator failed: ${text}`);
}

export const invalid = (message: string): ServiceError => new ServiceError('ValidationException', message);

export const notFound = (arn: string): ServiceError =>
  new ServiceError('ResourceNotFoundException', `Resource: ${arn} not found`);

export const notBroadcasting = (channelArn: string): ServiceError =>
  new ServiceError('ChannelNotBroadcasting', `Channel: ${channelArn} is not currently online`);

export const conflict = (message: string): ServiceError => new ServiceError('ConflictException', message);

export const quotaExceeded = (message: string): ServiceError =>
  new ServiceError('ServiceQuotaExceededException', message);
