// Serves the operator's page: the files that scripts/page.ts makes from web/, read and compressed once, with a strict content security
// policy. The files contain no data, so they need no token; the page reads all data from /v1 with the operator's token.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, posix, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { FastifyPluginAsync } from 'fastify';
import { AppError } from '#domain/errors.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Nothing from other hosts, no inline code or style, no framing, no form that leaves. @param base which base addresses are allowed */
const policyOf = (base: "'none'" | "'self'") =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    `base-uri ${base}`,
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ');

interface PageFile {
  readonly path: string;
  readonly type: string;
  readonly body: Buffer;
  readonly gzip: Buffer;
  readonly etag: string;
}

/** @param directory the folder of the page's files, `dist/web`; without it, requests for the page answer PAGE_NOT_BUILT */
export function pageRoutes({ directory }: { readonly directory: string }): FastifyPluginAsync {
  if (!existsSync(join(directory, 'app.js')))
    return async (app) => {
      app.get('/', async () => {
        throw new AppError('PAGE_NOT_BUILT', `there is no page in ${directory}`);
      });
    };
  const files = readPage(directory);
  return async (app) => {
    for (const { path, type, body, gzip, etag } of files) {
      const urls = path === 'index.html' ? ['/', '/index.html'] : [`/${path}`];
      for (const url of urls)
        app.get(url, async (request, reply) => {
          const { prefix } = request.outside;
          const based = path === 'index.html' && prefix !== '';
          reply
            .header('content-security-policy', policyOf(based ? "'self'" : "'none'"))
            .header('referrer-policy', 'no-referrer')
            .header('cross-origin-opener-policy', 'same-origin')
            .header('cross-origin-resource-policy', 'same-origin')
            .header('permissions-policy', 'camera=(), microphone=(), geolocation=()')
            .header('cache-control', 'no-cache')
            .header('vary', 'accept-encoding');
          // What the page loads is relative to its own address; without the slash at the end, that would be the address above.
          if (based) return reply.type(type).send(String(body).replace('<head>', `<head><base href="${prefix}/" />`));
          reply.header('etag', etag);
          if (request.headers['if-none-match'] === etag) return reply.code(304).send();
          reply.type(type);
          if (!/\bgzip\b/.test(String(request.headers['accept-encoding']))) return reply.send(body);
          return reply.header('content-encoding', 'gzip').send(gzip);
        });
    }
  };
}

function readPage(directory: string): PageFile[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && Object.hasOwn(types, extname(entry.name)))
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      const body = readFileSync(file);
      return {
        path: posix.join(...relative(directory, file).split(sep)),
        type: types[extname(entry.name)]!,
        body,
        gzip: gzipSync(body, { level: 9 }),
        etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
      };
    });
}
