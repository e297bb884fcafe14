import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChannelArn, StreamHealth, StreamId } from '#domain/channel.ts';
import type { Control } from '#domain/control.ts';
import type { Observation } from '#domain/observation.ts';
import { ObservationRecorder } from '#journal/recorder.ts';
import { runCli } from './main.ts';
import { parseRecording } from './rule-test/recording.ts';

const startMs = Date.UTC(2026, 10, 20, 20);
const arn = 'arn:aws:ivs:us-west-2:111122223333:channel/a' as ChannelArn;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'autopilot-replay-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function poll(second: number, health: StreamHealth): Observation {
  const atMs = startMs + second * 1000;
  const stream = { channelArn: arn, streamId: 'st-00000000000000000000001' as StreamId, health, viewerCount: 5 };
  return {
    kind: 'poll',
    scope: 'all',
    pollId: `p${second}`,
    startedAtMs: atMs,
    finishedAtMs: atMs,
    complete: true,
    pages: 1,
    streams: [{ ...stream, startTimeMs: startMs }],
  };
}

interface Recording {
  readonly maxBytes?: number;
  /** Commands of operators, by the second. */
  readonly controls?: readonly (readonly [second: number, control: Control])[];
  /** What is in force when the recording begins. */
  readonly inForce?: readonly Control[];
}

/** A recording as the daemon makes it: starving from 10 s to 60 s. */
async function record(file: string, { maxBytes, controls = [], inForce = [] }: Recording = {}): Promise<void> {
  let nowMs = startMs;
  const errors: unknown[] = [];
  const recorder = new ObservationRecorder({
    file,
    now: () => nowMs,
    inForce: () => inForce,
    onError: (error) => errors.push(error),
    ...(maxBytes === undefined ? {} : { maxBytes }),
  });
  const lines = [
    ...(
      [
        [0, 'HEALTHY'],
        [10, 'STARVING'],
        [60, 'HEALTHY'],
      ] as const
    ).map(([second, health]) => [second, () => recorder.record(poll(second, health))] as const),
    ...controls.map(([second, control]) => [second, () => recorder.recordControl(control)] as const),
  ];
  for (const [second, note] of lines.sort(([left], [right]) => left - right)) {
    nowMs = startMs + second * 1000;
    note();
  }
  await recorder.flush();
  expect(errors).toEqual([]);
}

function rules(name: string, forText: string): string {
  const file = join(folder, name);
  writeFileSync(
    file,
    `version: 1
rules:
  - name: slate
    trigger: {state: {health: [STARVING]}}
    for: ${forText}
    actions: [{put_metadata: {payload: slate}}]
    on_resolve: [{put_metadata: {payload: gone}}]
`,
  );
  return file;
}

async function run(...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCli(['node', 'ivs-autopilot', ...args], {
    print: (line) => out.push(line),
    printError: (line) => err.push(line),
    env: {},
    signal: new AbortController().signal,
  });
  return { code, out, err: err.join('\n') };
}

describe('replay', () => {
  it('shows what rules would have done with a recording', async () => {
    const recording = join(folder, 'observations.jsonl');
    await record(recording);

    expect(await run('replay', recording, '--config', rules('new.yaml', '20s'))).toEqual({
      code: 0,
      err: '',
      out: [
        '2026-11-20T20:00:30.000Z  a  slate  put_metadata',
        '2026-11-20T20:01:00.000Z  a  slate  put_metadata',
        '2 actions from 3 observations',
      ],
    });
  });

  it('shows the difference to other rules', async () => {
    const recording = join(folder, 'observations.jsonl');
    writeFileSync(recording, '');
    await record(recording);

    const { out } = await run(
      'replay',
      recording,
      '--config',
      rules('new.yaml', '40s'),
      '--against',
      rules('old.yaml', '20s'),
    );

    expect(out).toEqual([
      '- 2026-11-20T20:00:30.000Z  a  slate  put_metadata',
      '+ 2026-11-20T20:00:50.000Z  a  slate  put_metadata',
      '1 actions the same, 1 no more (-), 1 new (+)',
    ]);
  });

  const by = { who: 'ann', reason: 'test' };
  const silence = {
    ...by,
    kind: 'silence',
    matchers: ['rule="slate"'],
    startsMs: startMs,
    endsMs: startMs + 40_000,
  } as const;
  it.each<[string, Recording, string[]]>([
    ['a hold', { controls: [[5, { ...by, kind: 'hold', channelArn: arn }]] }, []],
    [
      'a hold that expires, as noticed later',
      { controls: [[5, { ...by, kind: 'hold', channelArn: arn, untilMs: startMs + 45_000 }]] },
      ['50', '00'],
    ],
    [
      'a hold that is released',
      {
        controls: [
          [5, { ...by, kind: 'hold', channelArn: arn }],
          [50, { ...by, kind: 'release', channelArn: arn }],
        ],
      },
      ['50', '00'],
    ],
    ['a silence', { controls: [[0, silence]] }, ['40', '00']],
    [
      'a pause from before, which ends',
      { inForce: [{ ...by, kind: 'pause' }], controls: [[35, { ...by, kind: 'resume' }]] },
      ['35', '00'],
    ],
    ['a hold from before', { inForce: [{ ...by, kind: 'hold', channelArn: arn }] }, []],
  ])('follows the commands of operators: %s', async (_, controls, seconds) => {
    const recording = join(folder, 'controls.jsonl');
    writeFileSync(recording, '');
    await record(recording, controls);

    const { out } = await run('replay', recording, '--config', rules('new.yaml', '20s'));

    expect(out.slice(0, -1).map((line) => line.slice(17, 19))).toEqual(seconds);
  });

  it('a recording that continues after a restart knows what has ended by then', async () => {
    const recording = join(folder, 'two-lives.jsonl');
    const hold = { ...by, kind: 'hold', channelArn: arn } as const;
    const lines = [
      { atMs: startMs, inForce: [hold, { ...by, kind: 'pause' }, { ...silence, endsMs: startMs + 3_600_000 }] },
      { atMs: startMs, observation: poll(0, 'HEALTHY') },
      { atMs: startMs + 10_000, observation: poll(10, 'STARVING') },
      { atMs: startMs + 40_000, inForce: [] },
    ];
    writeFileSync(recording, lines.map((line) => JSON.stringify(line)).join('\n'));

    const { out } = await run('replay', recording, '--config', rules('new.yaml', '20s'));

    expect(out).toEqual(['2026-11-20T20:00:40.000Z  a  slate  put_metadata', '1 actions from 2 observations']);
  });

  it('merges the recordings of several replicas', async () => {
    const [polls, controls] = [join(folder, 'intake.jsonl'), join(folder, 'api.jsonl')];
    writeFileSync(polls, '');
    await record(polls);
    writeFileSync(
      controls,
      JSON.stringify({ atMs: startMs + 5_000, control: { ...by, kind: 'hold', channelArn: arn } }),
    );

    expect((await run('replay', polls, controls, '--config', rules('new.yaml', '20s'))).out).toEqual([
      '0 actions from 3 observations',
    ]);
  });

  it('accepts the events of an archive', async () => {
    const recording = join(folder, 'events.jsonl');
    const event = (second: number, name: string) => ({
      id: `e${second}`,
      'detail-type': 'IVS Stream Health Change',
      source: 'aws.ivs',
      account: '111122223333',
      time: new Date(startMs + second * 1000).toISOString(),
      region: 'us-west-2',
      resources: [arn],
      detail: { event_name: name, channel_name: 'a', stream_id: 'st-00000000000000000000001' },
    });
    const lines = [event(60, 'Starvation End'), event(10, 'Starvation Start'), event(10, 'Starvation Start')];
    writeFileSync(recording, lines.map((line) => JSON.stringify(line)).join('\n'));

    const { out } = await run('replay', recording, '--config', rules('new.yaml', '20s'));

    expect(out.slice(0, -1).map((line) => line.slice(11, 19))).toEqual(['20:00:30', '20:01:00']);
  });

  it.each([
    ['nothing', '', /the recording is empty/],
    ['no JSON', '{\n', /x\.jsonl:1:1: expected one JSON object/],
    ['an unknown control', '{"atMs": 1, "control": {"kind": "holt"}}\n', /control\.kind: expected one of hold/],
    ['half a control', '{"atMs": 1, "control": {"kind": "hold", "who": "a", "reason": "b"}}\n', /control\.channelArn/],
    [
      'an answer listed as in force',
      '{"atMs": 1, "inForce": [{"kind": "approve", "who": "a", "reason": "", "id": "ap-1", "role": "operator", "from": "b"}]}\n',
      /x\.jsonl:1:1: inForce\.0\.kind: expected hold, silence, pause, got approve/,
    ],
    [
      'a single command listed as in force',
      '{"atMs": 1, "inForce": [{"kind": "resume", "who": "a", "reason": ""}]}\n',
      /got resume/,
    ],
    ['half an observation', '{"atMs": 1, "observation": {"kind": "event"}}\n', /"event" of 1970.* cannot be read/],
    ['something else', '{"a": 1}\n', /expected \{"atMs"/],
    ['half an event', '{"detail-type": "x", "time": "2026"}\n', /the event lacks id/],
  ])('refuses a recording of %s and names the line', async (_, text, message) => {
    const file = join(folder, 'x.jsonl');
    writeFileSync(file, text);

    expect(await run('replay', file, '--config', rules('new.yaml', '1s'))).toMatchObject({
      code: 1,
      err: expect.stringMatching(message),
    });
  });
});

describe('a recording', () => {
  it('is kept in at most two files of the given size, with the newest observations in the second', async () => {
    const file = join(folder, 'small.jsonl');
    await record(file, { maxBytes: 400 });
    await record(file, { maxBytes: 400 });
    const newest = parseRecording(readFileSync(file, 'utf8'), file);

    expect(newest.ok && newest.recorded.at(-1)).toMatchObject({ observation: { pollId: 'p60' } });
    expect(newest.ok && newest.recorded[0], 'each file begins with what is in force').toHaveProperty('inForce');
    expect(readFileSync(`${file}.1`, 'utf8').length).toBeLessThan(2_000);
  });

  it('that cannot be written stops nothing, and is logged once', async () => {
    const errors: unknown[] = [];
    const recorder = new ObservationRecorder({
      file: join(folder, 'no', 'such', 'folder'),
      now: () => 0,
      inForce: () => [],
      onError: (error) => errors.push(error),
    });
    recorder.record(poll(0, 'HEALTHY'));
    recorder.record(poll(1, 'HEALTHY'));
    await recorder.flush();
    recorder.record(poll(2, 'HEALTHY'));
    await recorder.flush();

    expect(errors).toHaveLength(1);
  });
});
