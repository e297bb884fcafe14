// Checks answers of AWS services before the SDK reads them. The SDK reads an empty body, `null`, or a missing member as an object without
// members, which looks like "nothing is there"; so the body itself is compared with what the operation promises. A message names the place
// and what was expected, never the value, which may be a secret.
import { z } from 'zod';
import { AppError } from '#domain/errors.ts';

/** An HTTP answer as the request handler returns it: whole (aws-client.ts). */
export interface WireAnswer {
  readonly statusCode: number;
  readonly body?: unknown;
}

/** For an operation of which only the status is read: its body may be empty. */
export const nothingRead = z.object({});

const decoder = new TextDecoder();

/** The body of a 2xx answer. Undefined for a refusal, which the SDK reads. */
export function bodyOf({ statusCode, body }: WireAnswer): string | undefined {
  if (statusCode < 200 || statusCode > 299) return undefined;
  if (body instanceof Uint8Array) return decoder.decode(body);
  return typeof body === 'string' ? body : '';
}

/** Members of errors, which no successful answer has: from a service, or from a proxy that answers in its place. */
const errorMarkers = ['__type', 'exceptionMessage', 'errorMessage', 'message', 'Message', 'error', 'Error'] as const;

/** The content of an answer, or why it is not accepted. */
export function readAnswer<T extends z.ZodType>(
  shape: T,
  body: string,
): { readonly answer: z.infer<T> } | { readonly problem: string } {
  if (body === '') {
    if ((shape as z.ZodType) !== nothingRead) return { problem: 'the body is empty' };
    return { answer: {} as z.infer<T> };
  }
  let json: unknown;
  try {
    json = JSON.parse(body);
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

/** A sentence for an answer that is not accepted. */
export function invalidAnswer(
  code: 'AWS_ANSWER_INVALID' | 'IVS_ANSWER_INVALID',
  operation: string,
  problem: string,
): AppError {
  return new AppError(code, `${operation} returned an invalid answer: ${problem}`, {
    details: { operation, problem },
  });
}
