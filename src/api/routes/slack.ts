// `/v1/slack/interactions`: the request URL of a Slack app, for buttons in its messages. It needs no token: each request is signed.
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyPluginAsync } from 'fastify';
import { AppError } from '#domain/errors.ts';

/** The answer to the person who pressed. https://docs.slack.dev/interactivity/handling-user-interaction#message_responses */
export interface SlackWords {
  readonly response_type: 'ephemeral' | 'in_channel';
  readonly replace_original: false;
  readonly text: string;
}

export interface SlackPort {
  /**
   * Handles one pressed button. Resolves with the answer in words; undefined: the button is not ours.
   * @throws AppError NOT_FOUND, SLACK_SIGNATURE_INVALID, SLACK_REPLAYED, REQUEST_INVALID, SECRET_FILE_UNREADABLE
   */
  take(headers: IncomingHttpHeaders, body: Buffer): Promise<SlackWords | undefined>;
}

/** Slack sends the whole message with the request. */
const mostBytes = 262_144;
/** Per address, so that somebody without the secret cannot keep the daemon busy. */
const mostPerMinute = 600;

/** Register it with `access: 'public'`. */
export function slackRoutes({ slack }: { readonly slack: SlackPort }): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers();
    // The bytes as received, because they are what is signed.
    app.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'buffer', bodyLimit: mostBytes },
      (_request, body, done) => done(null, body),
    );
    const limit = app.rateLimit({
      max: mostPerMinute,
      keyGenerator: ({ clientAddress }) => clientAddress,
      errorResponseBuilder: (_request, { ttl }) =>
        new AppError('RATE_LIMITED', `more than ${mostPerMinute} buttons were pressed in a minute`, {
          disposition: { kind: 'retry-after', delayMs: ttl },
        }),
    });
    app.post('/slack/interactions', { bodyLimit: mostBytes, onRequest: limit }, async (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const words = await slack.take(request.headers, body);
      return words ? reply.send(words) : reply.code(200).send();
    });
  };
}
