// Where the webhooks of an incident arrive: records when each came and for which channel. A separate process; it ends with its parent.
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
// Returns what came since the last request.
process.on('message', () => {
  process.send?.(arrivals);
  arrivals = [];
});
