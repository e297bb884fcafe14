// While Redis cannot be used, answers from this process's copy of the state say that they are old: `stale.redis` and `stale.text`.
import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { iso } from '#domain/duration.ts';
import { type OldPictureOf, pictureText } from '#domain/picture.ts';

/** For `stale` of a response. */
export const oldPictureFields = {
  redis: z.iso
    .datetime()
    .optional()
    .describe('Since when Redis cannot be used: nothing is decided, and what happened since is missing'),
  text: z.string().optional().describe('The same in a sentence, if Redis cannot be used'),
};

const mark = z.object(oldPictureFields).optional().describe('Present while the answer is old');

/** Routes that read the copy: every GET among them gets the mark, in its schema too. */
export function fromCopy(
  picture: () => OldPictureOf | undefined,
  nowMs: () => number,
  plugin: FastifyPluginAsync,
): FastifyPluginAsync {
  return async (app) => {
    app.addHook('onRoute', (route) => {
      const { response } = (route.schema ?? {}) as { response?: Readonly<Record<number, unknown>> };
      const answer = response?.[200];
      if (route.method !== 'GET' || !(answer instanceof z.ZodObject) || 'stale' in answer.shape) return;
      route.schema = { ...route.schema, response: { ...response, 200: answer.extend({ stale: mark }) } };
    });
    app.addHook('preSerialization', async (request, reply, payload) => {
      const old = request.method === 'GET' && reply.statusCode === 200 ? picture() : undefined;
      if (!old || typeof payload !== 'object' || payload === null || Array.isArray(payload)) return payload;
      const { stale } = payload as { stale?: object };
      return { ...payload, stale: { ...stale, redis: iso(old.sinceMs), text: pictureText(old, nowMs()) } };
    });
    await app.register(plugin);
  };
}
