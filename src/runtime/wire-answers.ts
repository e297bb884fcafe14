// Answers of AWS services, checked before the SDK reads them. It reads an empty body, `null`, or a member that is not there as an
// object without members, which looks like "nothing is there"; so the body itself is held against what the operation promises.
// A message names the place and what was expected, never the value: it may be a secret.
import { z } from 'zod';
import { AppError } from '#domain/errors.ts';

/** An HTTP answer as the request handler returns it: whole (aws-client.ts). */
export interface WireAnswer {
  readonly statusCode: number;
  readonly body?: unknown;
}

/** For an operation of which nothing but the status is read: its body may be empty. */
export const nothingRead = z.object({});

/** The body of an answer of 2xx. Undefined for a refusal, which is the SDK's to read. */
export function bodyOf({ statusCode, body }: WireAnswer): string | undefined {
  if (statusCode < 200 || statusCode > 299) return undefined;
  if (body instanceof Uint8Array) return new TextDecoder().decode(body);
  return typeof body === 'string' ? body : '';
}

/** Members of errors, which no answer of success has: of a service, or of a proxy that answers in its place. */
const errorMarkers = ['__type', 'exceptionMessage', 'errorMessage', 'message', 'Message', 'error', 'Error'] as const;

/** What an answer holds, or why it is not to be believed. */
export function readAnswer<T extends z.ZodType>(
  shape: T,
  body: string,
): { readonly answer: z.infer<T> } | { readonly problem: string } {
  if (body === '' && (shape as z.ZodType) !== nothingRead) return { problem: 'the body is empty' };
  let json: unknown;
  try {
    json = JSON.parse(body || '{}');
  } catch {
    return { problem: 'the body is not JSON' };
  }
  const marker = errorMarkers.find((name) => typeof json === 'object' && json !== null && Object.hasOwn(json, name));
  if (marker !== undefined) return { problem: `${marker}: the body reports an error, but the status reports success` };
  const parsed = shape.safeParse(json);
  if (parsed.success) return { answer: parsed.data };
  const [issue] = parsed.error.issues;
  return { problem: `${issue?.path.join('.') || 'the body'}: ${issue?.message ?? 'is not what was expected'}` };
}

/** A sentence for an answer that is not to be believed. */
export function invalidAnswer(
  code: 'AWS_ANSWER_INVALID' | 'IVS_ANSWER_INVALID',
  operation: string,
  problem: string,
): AppError {
  return new AppError(code, `${operation} returned an invalid answer: ${problem}`, {
    details: { operation, problem },
  });
}
