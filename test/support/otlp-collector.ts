// A stand-in for an OpenTelemetry collector: accepts OTLP over HTTP as protobuf and reports what arrived.
// https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface ArrivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly startNano: bigint;
  readonly endNano: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  /** 2: an error. */
  readonly status: number;
  readonly resource: Readonly<Record<string, unknown>>;
}

export interface ArrivedPoint {
  readonly attributes: Readonly<Record<string, unknown>>;
  /** For a histogram its count. */
  readonly value: number;
  readonly sum?: number;
  readonly bounds?: readonly number[];
  readonly counts?: readonly number[];
}

export interface ArrivedMetric {
  readonly name: string;
  readonly description: string;
  readonly type: 'gauge' | 'sum' | 'histogram';
  /** 2: cumulative. */
  readonly temporality: number;
  readonly isMonotonic: boolean;
  readonly points: readonly ArrivedPoint[];
}

export interface Collector extends AsyncDisposable {
  readonly url: string;
  readonly spans: readonly ArrivedSpan[];
  /** The metrics of the last export. */
  readonly metrics: ReadonlyMap<string, ArrivedMetric>;
  readonly requests: readonly { readonly path: string; readonly headers: IncomingHttpHeaders }[];
  /** How it answers from now on; default: as a collector that accepts everything. */
  answerWith(answer: (response: ServerResponse) => void): void;
}

const takeAll = (response: ServerResponse): void =>
  void response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();

export async function startCollector(): Promise<Collector> {
  const spans: ArrivedSpan[] = [];
  const requests: { path: string; headers: IncomingHttpHeaders }[] = [];
  let metrics = new Map<string, ArrivedMetric>();
  let answer = takeAll;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const sent = Buffer.concat(chunks);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
      if (request.url === '/v1/traces') spans.push(...spansIn(body));
      if (request.url === '/v1/metrics') metrics = new Map(metricsIn(body).map((metric) => [metric.name, metric]));
      requests.push({ path: request.url ?? '', headers: request.headers });
      answer(response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    requests,
    get metrics() {
      return metrics;
    },
    answerWith(next) {
      answer = next;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

type Field = bigint | Buffer;

/** The fields of a message by their numbers, each as often as it occurs. */
class Message {
  readonly #fields = new Map<number, Field[]>();

  constructor(bytes: Buffer) {
    for (let at = 0; at < bytes.length; ) {
      const [key, next] = varint(bytes, at);
      const [field, wire] = [Number(key >> 3n), Number(key & 7n)];
      let value: Field;
      if (wire === 0) [value, at] = varint(bytes, next);
      else if (wire === 1) [value, at] = [bytes.readBigUInt64LE(next), next + 8];
      else if (wire === 5) [value, at] = [BigInt(bytes.readUInt32LE(next)), next + 4];
      else if (wire === 2) {
        const [length, from] = varint(bytes, next);
        at = from + Number(length);
        if (at > bytes.length) throw new Error('a field ends behind its message');
        value = bytes.subarray(from, at);
      } else throw new Error(`no wire type ${wire}`);
      this.#fields.set(field, [...(this.#fields.get(field) ?? []), value]);
    }
  }

  all(field: number): readonly Field[] {
    return this.#fields.get(field) ?? [];
  }

  messages(field: number): readonly Message[] {
    return this.all(field).map((value) => new Message(value as Buffer));
  }

  message(field: number): Message {
    return this.messages(field)[0] ?? new Message(Buffer.alloc(0));
  }

  bytes(field: number): Buffer {
    return (this.all(field)[0] as Buffer | undefined) ?? Buffer.alloc(0);
  }

  text(field: number): string {
    return this.bytes(field).toString();
  }

  integer(field: number): bigint {
    return (this.all(field)[0] as bigint | undefined) ?? 0n;
  }

  double(field: number): number {
    return asDouble(this.integer(field));
  }

  /** A packed list of 64 bits each. */
  packed(field: number): readonly bigint[] {
    const bytes = this.bytes(field);
    return Array.from({ length: bytes.length / 8 }, (_, index) => bytes.readBigUInt64LE(index * 8));
  }
}

function varint(bytes: Buffer, from: number): [value: bigint, next: number] {
  let value = 0n;
  for (let at = from, shift = 0n; ; at += 1, shift += 7n) {
    const byte = bytes[at];
    if (byte === undefined) throw new Error('a number ends behind its message');
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return [value, at + 1];
  }
}

function asDouble(bits: bigint): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}

function spansIn(body: Buffer): ArrivedSpan[] {
  return new Message(body).messages(1).flatMap((resourceSpans) => {
    const resource = attributesIn(resourceSpans.message(1), 1);
    return resourceSpans.messages(2).flatMap((scopeSpans) =>
      scopeSpans.messages(2).map((span) => ({
        traceId: span.bytes(1).toString('hex'),
        spanId: span.bytes(2).toString('hex'),
        parentSpanId: span.bytes(4).toString('hex'),
        name: span.text(5),
        kind: Number(span.integer(6)),
        startNano: span.integer(7),
        endNano: span.integer(8),
        attributes: attributesIn(span, 9),
        links: span
          .messages(13)
          .map((link) => ({ traceId: link.bytes(1).toString('hex'), spanId: link.bytes(2).toString('hex') })),
        status: Number(span.message(15).integer(3)),
        resource,
      })),
    );
  });
}

const types = { 5: 'gauge', 7: 'sum', 9: 'histogram' } as const;

function metricsIn(body: Buffer): ArrivedMetric[] {
  const metrics = new Message(body).messages(1).flatMap((resource) => resource.messages(2));
  return metrics
    .flatMap((scope) => scope.messages(2))
    .map((metric) => {
      const [field, type] = Object.entries(types).find(([number]) => metric.all(Number(number)).length > 0)!;
      const data = metric.message(Number(field));
      return {
        name: metric.text(1),
        description: metric.text(2),
        type,
        temporality: Number(data.integer(2)),
        isMonotonic: data.integer(3) === 1n,
        points: data.messages(1).map((point) =>
          type === 'histogram'
            ? {
                attributes: attributesIn(point, 9),
                value: Number(point.integer(4)),
                sum: point.double(5),
                counts: point.packed(6).map(Number),
                bounds: point.packed(7).map(asDouble),
              }
            : { attributes: attributesIn(point, 7), value: point.double(4) },
        ),
      };
    });
}

function attributesIn(message: Message, field: number): Record<string, unknown> {
  return Object.fromEntries(
    message.messages(field).map((pair) => {
      const value = pair.message(2);
      if (value.all(1).length > 0) return [pair.text(1), value.text(1)];
      if (value.all(2).length > 0) return [pair.text(1), value.integer(2) === 1n];
      return [pair.text(1), value.all(3).length > 0 ? Number(BigInt.asIntN(64, value.integer(3))) : value.double(4)];
    }),
  );
}
