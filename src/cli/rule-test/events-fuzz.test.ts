// Whatever an event contains, the example's rules evaluate it without a crash, and its content stays data.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseConfig } from '#config/load.ts';
import type { ChannelArn } from '#domain/channel.ts';
import { ivsEvents } from '#domain/ivs-events.ts';
import { enforced } from './run-rule-test.ts';
import { VirtualWorld } from './world.ts';

const parsed = parseConfig(
  readFileSync(new URL('../../../config/autopilot.example.yaml', import.meta.url), 'utf8'),
  'f.yaml',
);
if (!parsed.ok) throw new Error('the example is not valid');
const ruleset = enforced(parsed.config.ruleset);
const arn = 'arn:aws:ivs:us-west-2:111122223333:channel/a' as ChannelArn;

const hostile = fc.constantFrom(
  '{{ channel.name }}',
  '{% for i in (1..9) %}x',
  '"}],"type":"x',
  '__proto__',
  '\u0000',
  '../..',
  '<script>',
);
const text = fc.oneof(hostile, fc.string({ maxLength: 20 }));
const value = fc.oneof(text, fc.jsonValue({ maxDepth: 3 }));
const names = Object.values(ivsEvents).flatMap((event) => [...event.names] as string[]);
const event = fc.record({
  detailType: fc.oneof(fc.constantFrom(...Object.keys(ivsEvents)), text),
  detail: fc.dictionary(
    fc.oneof(
      fc.constantFrom('event_name', 'limit_name', 'limit', 'recording_status', 'stream_id', 'channel_name'),
      text,
    ),
    fc.oneof(fc.constantFrom(...names), value),
    { maxKeys: 6 },
  ),
  ofChannel: fc.boolean(),
  lateMs: fc.nat(7_200_000),
});

it('rules evaluate events of any content, and the content stays in its place', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 6 }), async (events) => {
      const world = new VirtualWorld({ ruleset, startMs: Date.UTC(2026, 0, 1) });
      const tags = { tier: 'gold', 'key-rotation': 'on-stream-end', show: 'x' };
      const channel = { arn, name: 'a', type: 'STANDARD', latencyMode: 'LOW', recordingConfigurationArn: '', tags };
      await world.setChannels([{ channel }]);
      for (const { detailType, detail, ofChannel, lateMs } of events) {
        world.sendEvent(ofChannel ? arn : undefined, detailType, detail, { lateMs });
        await world.flush();
        await world.advanceTo(world.nowMs + 60_000);
      }
      await world.advanceTo(world.nowMs + 600_000);

      for (const { action, params } of world.jobs) {
        const { payload, body } = params as { payload?: Record<string, unknown>; body?: string };
        if (action === 'webhook')
          expect(events.map(({ detailType }) => detailType)).toContain(JSON.parse(body!)['detail-type']);
        if (action === 'put_metadata' && payload?.['type'] === 'notice')
          expect(Object.keys(payload)).toEqual(['type', 'limit']);
      }
    }),
    { numRuns: 60 },
  );
});

it('a limit name of any text appears unchanged in its notice', async () => {
  await fc.assert(
    fc.asyncProperty(text, async (limit) => {
      const world = new VirtualWorld({ ruleset, startMs: Date.UTC(2026, 0, 1) });
      const channel = { arn, name: 'a', type: 'STANDARD', latencyMode: 'LOW', recordingConfigurationArn: '', tags: {} };
      await world.setChannels([{ channel }]);
      world.sendEvent(arn, 'IVS Limit Breach', { limit_name: `Ingest ${limit}` });
      await world.flush();

      const notice = world.jobs.find(({ action }) => action === 'put_metadata');
      expect(notice?.params['payload']).toEqual({ type: 'notice', limit: `Ingest ${limit}` });
    }),
    { numRuns: 60 },
  );
});
