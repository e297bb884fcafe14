// Checks what a Lua script answered: it may be another version of the script, or something in front of Redis.
import type { z } from 'zod';
import { AppError } from '#domain/errors.ts';

/** Returns the reply as its type. @throws AppError REDIS_ANSWER_INVALID: the script may have taken effect. */
export function replyOf<T>(script: string, shape: z.ZodType<T>, reply: unknown): T {
  const parsed = shape.safeParse(reply);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue?.path.join('.') || 'the reply';
  throw new AppError('REDIS_ANSWER_INVALID', `the script ${script} answered ${place}: ${issue?.message ?? 'oddly'}`);
}
