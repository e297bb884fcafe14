import { startEmbeddedRedis } from '#runtime/embedded-redis.ts';
import { startSimulator } from '#simulator/server.ts';
import { daemonProcess } from '#test/support/daemon-process.ts';
import { mkdtempSync } from 'node:fs';
export async function run(args: string[]) {
  const server = await startEmbeddedRedis({ program: 'redis-server', directory: mkdtempSync('/tmp/f/zz') });
  const simulator = await startSimulator({ quotas: { channels: 20000, concurrentStreams: 100 } });
  const channels = (await simulator.control.createChannels(20)).map(({ arn }) => arn);
  await simulator.control.goLive(channels);
  await simulator.control.addFault({ operation: 'PutMetadata', latencyMs: [0, 15], answerLatencyMs: [0, 15] });
  const daemon = await daemonProcess({ config: 'version: 1\npolling: {starving_interval: 1h, full_interval: 1m, inventory_interval: 1h, silent_after: 2h}\nhttp: {requests_per_minute: 1000000}\n', env: { REDIS_URL: server.url, AWS_ENDPOINT_URL: simulator.url, NODE_OPTIONS: args[0] ?? '' } });
  const m = async () => await (await fetch(daemon.url + '/metrics')).text();
  const cpu = (t: string) => Number(/^autopilot_process_cpu_seconds_total (\S+)/m.exec(t)![1]);
  await new Promise((r) => setTimeout(r, 6000));
  const a = await m(); const t0 = performance.now(); const all = [];
  for (let n = 0; n < 240; n++) { const left = t0 + n * 25 - performance.now(); if (left > 0) await new Promise((r) => setTimeout(r, left)); all.push(daemon.ask('POST', '/v1/metadata/batches', { targets: { channelArns: channels }, items: [{ payload: { n }, key: 'k' }] })); }
  await Promise.all(all);
  const b = await m();
  console.log('wall', (performance.now() - t0) / 1000, 'cpu', cpu(b) - cpu(a), (await simulator.control.cues()).length);
  console.log(b.split('\n').filter((l) => /ivs_(calls|permit|throttle|slot|lap)|eventloop_lag_p|metadata_(items|age)/.test(l) && !l.startsWith('#')).join('\n'));
  await daemon[Symbol.asyncDispose](); await simulator.close(); await server.stop();
}
