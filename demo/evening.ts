// The broadcast evening as a list of moments. Each drives the simulator, or calls the daemon's API, as people would.
import type { SimulatorClient } from '#simulator/client.ts';
import type { Narrator } from './narrator.ts';

export interface Stage {
  readonly control: SimulatorClient;
  readonly narrator: Narrator;
  /** ARN of a channel by its name. */
  readonly arn: (name: string) => string;
  /** Calls the daemon's API. */
  readonly get: (path: string) => Promise<Record<string, unknown>>;
  readonly post: (path: string, body: unknown) => Promise<Record<string, unknown>>;
  /** Puts an event into the queue as AWS would deliver it late. */
  readonly deliver: (event: unknown) => Promise<void>;
}

export interface Moment {
  readonly atSeconds: number;
  /** What a person in the room would see. */
  readonly says: string;
  run(stage: Stage): Promise<unknown>;
}

/** Names of the channels: studio-01 … studio-40. */
export const studio = (number: number): string => `studio-${String(number).padStart(2, '0')}`;

/** Who sends which metadata, by its `type`: a rule of autopilot.yaml, or people. */
export const senders: Readonly<Record<string, string>> = {
  slate: 'starving-slate',
  notice: 'limit-breach',
  milestone: 'viewer-milestone',
  poll: 'the video team’s batch',
};

export const evening: readonly Moment[] = [
  {
    atSeconds: 1,
    says: 'the evening begins: studios 02 to 36 go live',
    run: ({ control }) =>
      control.goLive(
        Array.from({ length: 35 }, (_, index) => studio(index + 2)),
        { viewers: { target: 300, rampMs: 10_000, wobble: 0.1 } },
      ),
  },
  {
    atSeconds: 3,
    says: 'studio-40 goes live too, but AWS loses all its events',
    async run({ control, arn }) {
      await control.planEvent({ fate: 'missing', channelArn: arn(studio(40)), times: 2 });
      await control.goLive(studio(40), { viewers: 60 });
    },
  },
  {
    atSeconds: 5,
    says: 'studio-01 goes live with 900 viewers',
    run: ({ control }) => control.goLive(studio(1), { viewers: 900 }),
  },
  { atSeconds: 10, says: 'studio-07 drops frames for three seconds', run: ({ control }) => control.starve(studio(7)) },
  { atSeconds: 13, says: 'studio-07 is fine again', run: ({ control }) => control.recover(studio(7)) },
  {
    atSeconds: 14,
    says: 'studio-03 and studio-15 lose their uplink',
    run: ({ control }) => control.starve([studio(3), studio(15)]),
  },
  { atSeconds: 15, says: 'studio-11 starves as well', run: ({ control }) => control.starve(studio(11)) },
  {
    atSeconds: 17,
    says: 'studio-01 passes a thousand viewers',
    run: ({ control }) => control.setViewers(studio(1), 1_240),
  },
  { atSeconds: 18, says: 'studio-11 gives up: its encoder disconnects', run: ({ control }) => control.end(studio(11)) },
  {
    atSeconds: 20,
    says: 'studio-05 sends more bits than its channel may',
    run: ({ control }) =>
      control.breach({ limit: 'Ingest Bitrate', limitValue: 8_500_000, value: 9_200_000, channel: studio(5) }),
  },
  {
    atSeconds: 22,
    says: 'the account reaches its concurrent viewers',
    run: ({ control }) => control.breach({ limit: 'Concurrent Viewers', limitValue: 15_000, value: 15_001 }),
  },
  {
    atSeconds: 23,
    says: 'someone asks for a recording of studio-13, which is live',
    async run({ post, arn, narrator }) {
      const answer = await post('/v1/actions', {
        action: { set_recording: { configuration: 'evening-archive', if_live: 'defer' } },
        channelArn: arn(studio(13)),
        reason: 'the editor wants the second half',
      });
      narrator.did(`accepted as job ${String(answer['jobId'])}: it waits for the end of the stream`);
    },
  },
  {
    atSeconds: 26,
    says: 'studio-03 and studio-15 are back',
    run: ({ control }) => control.recover([studio(3), studio(15)]),
  },
  {
    atSeconds: 28,
    says: 'the show of studio-09 ends; AWS sends its Stream End twice',
    async run({ control, arn }) {
      await control.planEvent({ fate: 'doubled', name: 'Stream End', channelArn: arn(studio(9)), lateMs: 1_000 });
      await control.end(studio(9));
    },
  },
  {
    atSeconds: 30,
    says: 'an event of forty minutes ago arrives',
    run: ({ deliver, arn }) =>
      deliver({
        version: '0',
        id: crypto.randomUUID(),
        'detail-type': 'IVS Limit Breach',
        source: 'aws.ivs',
        account: '111122223333',
        time: new Date(Date.now() - 40 * 60_000).toISOString().replace(/\.\d+Z$/, 'Z'),
        region: 'us-west-2',
        resources: [arn(studio(20))],
        detail: {
          limit_name: 'Ingest Resolution',
          limit_value: 2_073_600,
          exceeded_by: 100,
          limit_unit: 'total pixels',
          channel_name: studio(20),
          stream_id: 'st-AfternoonShowThatIsOver',
        },
      }),
  },
  { atSeconds: 32, says: 'the stream of studio-13 ends', run: ({ control }) => control.end(studio(13)) },
  {
    atSeconds: 34,
    says: 'the video team sends a poll to every live channel',
    async run({ post, narrator }) {
      const batch = await post('/v1/metadata/batches', {
        targets: { live: true },
        items: [{ payload: { type: 'poll', question: 'Who wins tonight?' }, expiresInMs: 20_000 }],
      });
      narrator.did(
        `batch ${String(batch['batchId'])}: ${String(batch['channels'])} channels, about ${String(batch['estimatedSeconds'])} s`,
      );
    },
  },
  {
    atSeconds: 35,
    says: 'half-time: ads on ten channels, and AWS takes one a second',
    async run({ post, arn, narrator }) {
      const { plan } = await post('/v1/actions', {
        action: { insert_ad_break: { duration: '15s' } },
        targets: { channelArns: Array.from({ length: 10 }, (_, index) => arn(studio(index + 22))) },
        reason: 'half-time',
      });
      const turns = plan as readonly { readonly startsAt: string; readonly behindSeconds: number }[];
      narrator.did(
        `planned: the first begins at ${turns[0]!.startsAt.slice(11, 19)}, the last ${turns.at(-1)!.behindSeconds} s later`,
      );
    },
  },
  {
    atSeconds: 36,
    says: 'studio-21 starves, and hardly anybody is watching it',
    async run({ control }) {
      await control.setViewers(studio(21), 12);
      await control.starve(studio(21));
    },
  },
  {
    atSeconds: 53,
    says: 'whoever is on duty reads the message, and says yes to stopping studio-21',
    async run({ get, post, narrator }) {
      const { approvals } = await get('/v1/approvals?state=waiting');
      const [waiting] = approvals as readonly { readonly id: string; readonly deed: string }[];
      if (!waiting) throw new Error('no action waits for a yes');
      await post(`/v1/approvals/${waiting.id}`, { decision: 'approve', reason: 'nobody is watching' });
      narrator.did(`approved: ${waiting.deed}`);
    },
  },
];

/** When the last thing that follows from the evening should have happened. */
export const eveningEndsAtSeconds = 58;
