// Where the webhooks of an incident arrive: notes when each came and for which channel. A process of its own; ends with whoever
// started it.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One message that came. */
export interface Arrival {
  readonly channelArn: string;
  /** Epoch ms. */
  readonly at: number;
}

let arrivals: Arrival[] = [];
const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const { channelArn } = JSON.parse(Buffer.concat(parts).toString()) as { channelArn: string };
    arrivals.push({ channelArn, at: performance.timeOrigin + performance.now() });
    response.writeHead(204).end();
  });
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit(0));
// Asked for what came since it was asked last.
process.on('message', () => {
  process.send?.(arrivals);
  arrivals = [];
});
