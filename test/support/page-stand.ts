// The operator's page with the state of a whole daemon: the real server, feed and page over a state in memory, so that a test can show
// thousands of streams, stale data and incidents at will, without waiting.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import pino from 'pino';
import { z } from 'zod';
import { actorOf } from '#api/auth.ts';
import { LiveFeed } from '#api/live/feed.ts';
import { gatherExtras, gatherStatus } from '#api/live/gather.ts';
import type { LiveSources } from '#api/live/sources.ts';
import { alertRoutes } from '#api/routes/alerts.ts';
import { auditRoutes } from '#api/routes/audit.ts';
import { decisionRoutes } from '#api/routes/decisions.ts';
import { liveRoutes } from '#api/routes/live.ts';
import { pageRoutes } from '#api/routes/page.ts';
import { reportRoutes } from '#api/routes/reports.ts';
import { sampleRoutes } from '#api/routes/samples.ts';
import { streamRoutes } from '#api/routes/streams.ts';
import { HttpServer } from '#api/server.ts';
import type { RuleAlert } from '#domain/alert.ts';
import { channelIdOf, type StreamId } from '#domain/channel.ts';
import type { Incident } from '#domain/decision.ts';
import type { Ruleset } from '#domain/rule.ts';
import type { Timer } from '#domain/rule-memory.ts';
import { Secret } from '#domain/secret.ts';
import { kinds, notes, pauses } from '#domain/state-registry.ts';
import type { StreamRecord } from '#domain/stream-record.ts';
import { aggregateText } from '#rules/incidents.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { ShardDirectory } from '#shard/directory.ts';
import { MemoryState } from '#store/memory-state.ts';
import { channelArnAt, channelAt } from './page-channels.ts';
import { writeFleetSample, writeHistory } from './page-history.ts';

export { channelArnAt, channelAt } from './page-channels.ts';

/** A stream of the fleet as the state keeps it. */
export function streamRecord(
  index: number,
  nowMs: number,
  { health = 'HEALTHY', viewers = 100, ...more }: Partial<StreamRecord> & { viewers?: number } = {},
): StreamRecord {
  const evidence = { source: 'poll', name: 'ListStreams', eventTimeMs: nowMs, arrivedAtMs: nowMs } as const;
  return {
    channelArn: channelArnAt(index),
    streamId: `st-${String(index).padStart(4, '0')}ABCDEFGHIJKLMNOPQRST` as StreamId,
    channelName: channelAt(index).name,
    state: 'live',
    stateSinceMs: nowMs - 3_600_000,
    startedAtMs: nowMs - 3_600_000,
    endedAtMs: undefined,
    health,
    healthSinceMs: nowMs - 95_000 - ((index * 7919) % 5_000) * 1000,
    viewerCount: viewers,
    viewerCountAtMs: nowMs,
    recording: index % 5 === 0 ? 'recording' : 'none',
    recordingSinceMs: undefined,
    recordingPrefix: undefined,
    limitBreaches: [],
    takeoverAtMs: undefined,
    failureReason: undefined,
    evidence: { state: evidence, health: evidence },
    timeline: [
      {
        source: 'poll',
        name: 'ListStreams',
        eventTimeMs: nowMs - 400_000,
        arrivedAtMs: nowMs - 400_000,
        text: 'live, HEALTHY, 1,200 viewers',
      },
      {
        source: 'event',
        name: 'Starvation Start',
        eventTimeMs: nowMs - 95_000,
        arrivedAtMs: nowMs - 88_000,
        text: 'health HEALTHY → STARVING',
      },
    ],
    basis: { missed: [] },
    ...more,
  };
}

/** Rules, reduced to what the page reads. */
const ruleset = {
  rules: [
    rule('mass-starvation', 'enforce', 15_000, 'Tells the NOC when 30 % of the live channels starve for 15 s.'),
    rule(
      'starving-slate',
      'enforce',
      30_000,
      'Shows a slate on a channel that starves for 30 s, and stops it after 3 min.',
    ),
    rule('rotate-key-after-show', 'dry_run', 120_000, 'Rotates the stream key two minutes after a show has ended.'),
  ],
  inhibitRules: [],
  timeIntervals: [],
  receivers: [],
  hash: 'a1b2c3d4e5f60718',
} as unknown as Ruleset;

function rule(name: string, mode: string, forMs: number, description: string): unknown {
  return {
    name,
    mode,
    description,
    forMs,
    trigger: { kind: 'state', pattern: { source: { health: ['STARVING'] } } },
    actions: [
      { action: 'put_metadata', afterMs: 0 },
      { action: 'stop_stream', afterMs: 180_000 },
    ],
    onResolve: [],
    guards: { cooldownMs: 600_000, maxPerHour: 6, groupBy: [{ kind: 'channel' }] },
  };
}

/** A request, and the requester as the audit names them. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly body: unknown;
  readonly who: string;
}

export interface PageStand extends AsyncDisposable {
  readonly url: string;
  readonly tokens: Readonly<Record<'viewer' | 'operator' | 'admin', string>>;
  readonly state: MemoryState;
  /** Requests that would change something, in order. */
  readonly asked: Asked[];
  /** Ends the server, as a crash would. */
  stop(): Promise<void>;
}

/** Starts the stand with this many live streams: a few starving, unknown, held and with planned actions. */
export async function pageStand({
  streams,
  lively = true,
  breathe = true,
  tags = {},
  open = false,
  pastDecisions = 0,
}: {
  streams: number;
  lively?: boolean;
  /** Whether polls continue: viewers change, and data stays fresh. */
  breathe?: boolean;
  /** Tags of every channel, besides its own. */
  tags?: Readonly<Record<string, string>>;
  /** Without any token, as on one's own machine. */
  open?: boolean;
  /** How many decisions of the rule mass-starvation there are, one second apart; the oldest is two days old. */
  pastDecisions?: number;
}): Promise<PageStand> {
  let pastMs: number | undefined;
  const state = new MemoryState({ now: () => pastMs ?? Date.now() });
  const nowMs = Date.now();
  for (let minute = lively ? 60 : 0; minute > 0; minute -= 1) {
    pastMs = nowMs - minute * 60_000;
    await state.transact((tx) => writeFleetSample(tx, minute));
  }
  pastMs = undefined;
  await state.transact((tx) => {
    for (let index = 0; index < streams; index += 1) {
      const channel = channelAt(index);
      tx.set(kinds.channel.of(channelArnAt(index)), { ...channel, tags: { ...channel.tags, ...tags } });
      tx.set(kinds.stream.of(channelArnAt(index)), streamRecord(index, nowMs, { viewers: (index * 7919) % 20_000 }));
    }
    tx.set(notes.sweep('all'), { startedAtMs: nowMs, finishedAtMs: nowMs, pages: 1, streams });
    tx.set(notes.queueRead, { atMs: nowMs, lagMs: 400 });
    if (lively) scenery(tx, nowMs, streams);
  });
  if (lively) await writeHistory(state, { nowMs, streams, pastDecisions });
  const tokens = { viewer: token(), operator: token(), admin: token() };
  const alerts = {
    shards: [{ name: 'main', state, deadLetters: () => ({ count: 1, sinceMs: nowMs - 600_000 }) }],
    config: () => ({ loadedAtMs: nowMs - 3_600_000 }),
  };
  const sources: LiveSources = {
    state,
    ruleset: () => ruleset,
    config: () => ({ hash: ruleset.hash, loadedAtMs: nowMs - 3_600_000 }),
    alerts,
    silentAfterMs: () => ({ poll: 60_000, events: 900_000 }),
    events: () => ({ waiting: 3, deadLetters: 1 }),
    redisLatencyMs: () => 0.4,
    quota: () => quotaOf(),
    quotaHour: async () => hourOf(nowMs),
    queues: async () => [
      { name: 'actions', waiting: 4, active: 2, delayed: 1, failed: 0 },
      { name: 'metadata-fanout', waiting: 120, active: 20, delayed: 0, failed: 0 },
    ],
    batches: () => [
      {
        id: 'b-7f3aQx19',
        state: 'running',
        lane: 'bulk',
        channels: 2_015,
        items: 1,
        startedMs: nowMs - 9_000,
        etaSeconds: 4,
        by: 'token video-team',
        counts: { pending: 620, delivered: 1_378, conflated: 12, expired: 0, notBroadcasting: 3, failed: 2 },
        failures: { IVS_REFUSED: 2 },
      },
      {
        id: 'b-55d0Lk02',
        state: 'finished',
        lane: 'urgent',
        channels: 1,
        items: 2,
        startedMs: nowMs - 300_000,
        finishedMs: nowMs - 299_300,
        by: 'rule starving-slate',
        counts: { pending: 0, delivered: 2, conflated: 0, expired: 0, notBroadcasting: 0, failed: 0 },
        failures: {},
      },
    ],
    activity: () =>
      lively
        ? [0, 1, 2].map((index) => ({
            // The first of them is on record.
            id: `d-${index === 0 ? 4 : index}`,
            atMs: nowMs - 20_000 * (index + 1),
            rule: 'starving-slate',
            outcome: index === 1 ? 'suppressed' : 'acted',
            text: index === 1 ? 'cooldown' : 'put_metadata, notify',
            // The last of them has left the list.
            arn: channelArnAt([4, 1, streams][index]!),
          }))
        : [],
  };
  const logger = pino({ level: 'silent' });
  const feed = new LiveFeed({
    state,
    extras: () => gatherExtras(sources),
    status: () => gatherStatus(sources),
    logger,
    intervalMs: 250,
    sampleMs: 500,
  });
  const asked: Asked[] = [];
  const shard = {
    name: 'main',
    region: 'us-west-2',
    accountId: '111122223333',
    state,
    ruleset,
    startedAtMs: nowMs - 86_400_000,
  };
  const server = new HttpServer({
    host: '127.0.0.1',
    port: 0,
    tokens: (open ? [] : (['viewer', 'operator', 'admin'] as const)).map((role) => ({
      name: `the ${role}`,
      role,
      value: new Secret(tokens[role]),
    })),
    routes: [
      { prefix: '/v1', plugin: liveRoutes({ feed, version: '0.1.0' }) },
      { prefix: '/v1', plugin: commands(state, asked) },
      {
        prefix: '/v1',
        plugin: streamRoutes({ state, retentionMs: () => 7 * 86_400_000, silentSinceMs: () => undefined }),
      },
      { prefix: '/v1', plugin: decisionRoutes({ shards: new ShardDirectory([shard]) }) },
      { prefix: '/v1', plugin: alertRoutes(alerts) },
      { prefix: '/v1', plugin: auditRoutes({ state, scrub: (text) => text }) },
      { prefix: '/v1', plugin: sampleRoutes({ state, accounts: [{ name: 'main', state }] }) },
      { prefix: '/v1', plugin: reportRoutes({ state }) },
      { prefix: '', plugin: pageRoutes({ directory: join(import.meta.dirname, '../../dist/web') }), access: 'public' },
    ],
    checks: {},
    maxBodyBytes: 100_000,
    requestsPerMinute: 100_000,
    version: '0.1.0',
    metrics: createMetrics(),
    logger,
  });
  await feed.start();
  await server.start();
  const breathing = breathe ? setInterval(() => void breatheOnce(state, streams), breatheMs) : undefined;
  const stop = async () => {
    clearInterval(breathing);
    await server.stop();
    await feed.stop();
  };
  return { url: server.url, tokens, state, asked, stop, [Symbol.asyncDispose]: stop };
}

const breatheMs = 500;

/** What a poll of a fifteenth of the fleet brings: other viewer counts. Twice a second, as if each stream were polled every 7.5 s. */
async function breatheOnce(state: MemoryState, streams: number): Promise<void> {
  await state.transact((tx) => {
    const turn = Math.floor(tx.nowMs / breatheMs);
    tx.set(notes.sweep('all'), { startedAtMs: tx.nowMs, finishedAtMs: tx.nowMs, pages: 1, streams });
    tx.set(notes.queueRead, { atMs: tx.nowMs, lagMs: 400 });
    for (let index = turn % 15; index < streams; index += 15) {
      const key = kinds.stream.of(channelArnAt(index));
      const record = tx.get(key);
      if (record?.viewerCount === undefined) continue;
      const change = ((turn * 31 + index * 17) % 21) - 9;
      tx.set(key, { ...record, viewerCount: Math.max(3, Math.round(record.viewerCount * (1 + change / 200))) });
    }
  });
}

function token(): string {
  return randomBytes(16).toString('hex');
}

type Writer = { set(key: string, value: unknown): void };

/** Trouble of every kind that the page shows. @param streams the number of the channel that failed a while ago and no longer has a row */
function scenery(tx: Writer, nowMs: number, streams: number): void {
  for (const index of [4, 17, 40])
    tx.set(
      kinds.stream.of(channelArnAt(index)),
      streamRecord(index, nowMs, { health: 'STARVING', viewers: 300 * index }),
    );
  tx.set(kinds.stream.of(channelArnAt(23)), streamRecord(23, nowMs, { health: 'UNKNOWN', viewers: 42 }));
  tx.set(
    `stream/${channelArnAt(9)}`,
    streamRecord(9, nowMs, { state: 'ended', stateSinceMs: nowMs - 40_000, endedAtMs: nowMs - 40_000 }),
  );
  tx.set(
    `stream/${channelArnAt(streams)}`,
    streamRecord(streams, nowMs, {
      state: 'failed',
      stateSinceMs: nowMs - 1_500_000,
      endedAtMs: nowMs - 1_500_000,
      failureReason: 'Encoder disconnected',
      basis: { missed: [], failedMs: nowMs - 1_500_000 },
    }),
  );
  tx.set(kinds.channel.of(channelArnAt(streams)), channelAt(streams));
  tx.set(kinds.past.of(channelArnAt(streams)), [
    streamRecord(streams, nowMs, {
      streamId: 'st-EARLIERSESSION' as StreamId,
      state: 'ended',
      startedAtMs: nowMs - 9_000_000,
      stateSinceMs: nowMs - 5_400_000,
      endedAtMs: nowMs - 5_400_000,
      basis: { missed: [], endedMs: nowMs - 5_400_000 },
    }),
  ]);
  tx.set(kinds.hold.of(channelArnAt(11)), {
    who: 'mara',
    reason: 'sponsor on air, hands off',
    sinceMs: nowMs - 600_000,
    untilMs: nowMs + 3_000_000,
  });
  tx.set(kinds.intent.of('set_recording', channelArnAt(6)), {
    id: 'intent-1',
    kind: 'set_recording',
    channelArn: channelArnAt(6),
    summary: 'recording off',
    sinceMs: nowMs - 120_000,
  });
  tx.set(kinds.timer.of(`step|starving-slate|${channelArnAt(4)}|1|d-1`), {
    kind: 'step',
    rule: 'starving-slate',
    subject: channelArnAt(4),
    sinceMs: nowMs - 96_000,
    runsMs: 180_000,
    freezes: false,
    step: 1,
  } satisfies Timer);
  tx.set(kinds.ruleMemory.of('starving-slate', channelArnAt(4)), {
    rule: 'starving-slate',
    subject: channelArnAt(4),
    firing: { firedAtMs: nowMs - 95_000, acted: true },
    acted: [],
  });
  tx.set(kinds.ruleMemory.of('starving-slate', channelArnAt(17)), {
    rule: 'starving-slate',
    subject: channelArnAt(17),
    pending: { cause: { evidence: { sinceMs: nowMs - 12_000 } } },
    acted: [],
  });
  tx.set(kinds.cooldown.of('starving-slate', channelArnAt(4)), nowMs - 95_000);
  tx.set(kinds.silence.of('s-1'), {
    matchers: ['rule="rotate-key-after-show"'],
    author: 'jonas',
    reason: 'encoders are being moved tonight',
    startsMs: nowMs - 1000,
    endsMs: nowMs + 5_400_000,
  });
  tx.set(kinds.alert.of('cap', 'starving-slate'), {
    kind: 'cap',
    rule: 'starving-slate',
    ruleHash: 'x',
    sinceMs: nowMs - 200_000,
    text: 'It was about to act on 31 of 120 live channels (25.8 %); max_live_percent is 5.',
    values: {},
  } satisfies RuleAlert);
  tx.set(kinds.alert.of('keyless', channelArnAt(30)), {
    kind: 'keyless',
    channelArn: channelArnAt(30),
    sinceMs: nowMs - 65_000,
    updatedAtMs: nowMs,
    text: 'The old key was deleted and no new one could be made: the quota is used up. Delete the key that somebody else made.',
    jobId: 'rotate-1',
  });
  tx.set(kinds.incident.of('i-1'), {
    id: 'i-1',
    kind: 'aggregate',
    rule: 'mass-starvation',
    openedAtMs: nowMs - 80_000,
    affected: 41,
    peak: 52,
    live: 120,
    withheld: 12,
    text: aggregateText('mass-starvation', 41, 120),
  } satisfies Incident);
}

/** A quiet hour with one busy show, and a restart during which nothing was seen. */
function hourOf(endMs: number) {
  const perSecond = Array.from({ length: 360 }, (_, step) => {
    if (step > 90 && step < 102) return null;
    return step > 180 && step < 300 ? 140 + (step % 5) * 3 : 10 + ((step * 13) % 40);
  });
  return { endMs, stepMs: 10_000, perSecond, throttled: 0 };
}

function quotaOf() {
  const line = (operation: string, limit: number, used: number, waiting = 0) => ({
    shard: 'main',
    operation,
    limit,
    used,
    withheld: 0,
    slowedChannels: 0,
    waiting,
  });
  return {
    operations: [
      line('PutMetadata', 155, 148, 620),
      line('ListStreams', 5, 1),
      line('GetStream', 5, 2),
      line('UpdateChannel', 5, 0),
      line('StopStream', 5, 0),
    ],
    hottest: [
      { channelId: channelIdOf(channelArnAt(4)), arn: channelArnAt(4), used: 5, limit: 5 },
      { channelId: channelIdOf(channelArnAt(17)), arn: channelArnAt(17), used: 3, limit: 5 },
    ],
    lanes: [
      { lane: 'urgent', waiting: 0 },
      { lane: 'normal', waiting: 14, oldestMs: 220, drainSeconds: 1 },
      { lane: 'bulk', waiting: 606, oldestMs: 8_800, drainSeconds: 4 },
    ],
  };
}

/** The commands of the API on the state alone: what the rules engine would read. */
function commands(state: MemoryState, asked: Asked[]): FastifyPluginAsyncZod {
  const arn = z.object({ arn: z.string() });
  return async (app) => {
    app.addHook('preHandler', async (request) => {
      const { method, url, body, caller } = request;
      if (method !== 'GET') asked.push({ method, url, body, who: actorOf(caller) });
    });
    app.post('/pause', { schema: { body: z.object({ reason: z.string() }) } }, async (request) => {
      await state.transact((tx) =>
        tx.set(pauses.asked, { who: actorOf(request.caller), reason: request.body.reason, sinceMs: tx.nowMs }),
      );
      return {};
    });
    app.post('/resume', async () => {
      await state.transact((tx) => tx.delete(pauses.asked));
      return {};
    });
    app.put(
      '/holds/:arn',
      { schema: { params: arn, body: z.object({ reason: z.string() }).loose() } },
      async (request) => {
        await state.transact((tx) =>
          tx.set(kinds.hold.of(request.params.arn), {
            who: request.caller.name,
            reason: request.body.reason,
            sinceMs: tx.nowMs,
          }),
        );
        return {};
      },
    );
    app.delete('/holds/:arn', { schema: { params: arn } }, async (request) => {
      await state.transact((tx) => tx.delete(kinds.hold.of(request.params.arn)));
      return {};
    });
    const id = z.object({ id: z.string() });
    app.delete('/metadata/batches/:id', async () => ({}));
    app.get('/metadata/batches/:id', { schema: { params: id } }, async (request) => ({
      batchId: request.params.id,
      who: 'token video-team',
      state: 'running',
      lane: 'bulk',
      channels: 2_015,
      items: 1,
      total: 2_015,
      counts: {
        pending: 620,
        delivered: 1_378,
        conflated: 12,
        expired: 0,
        notBroadcasting: 3,
        failed: 2,
        cancelled: 0,
      },
      failures: { IVS_REFUSED: 2 },
      contents: [{ payload: { type: 'quiz', question: 7 }, key: 'quiz' }],
      skipped: [{ reason: 'held', count: 1, examples: [channelArnAt(11)] }],
      startedAt: new Date(Date.now() - 9_000).toISOString(),
      finishedAt: null,
      etaSeconds: 4,
    }));
    app.get('/incidents', async () => ({
      incidents: Array.from(state.view.entries(kinds.incident), ([, { openedAtMs, closedAtMs, ...rest }]) => ({
        ...rest,
        openedAt: new Date(openedAtMs).toISOString(),
        ...(closedAtMs === undefined ? {} : { closedAt: new Date(closedAtMs).toISOString() }),
      })),
    }));
    const known = ruleset.rules.map(({ name, mode, description }) => ({
      name,
      mode,
      description,
      trigger: 'health is STARVING',
      actions: ['put_metadata', 'stop_stream after 3m'],
      onResolve: ['put_metadata'],
      last24h: { acted: 14, suppressed: 6, not_fired: 120 },
      ...(mode === 'dry_run' ? { wouldHave: wouldHave(), patch: patchOfRule } : {}),
    }));
    app.get('/rules', async () => ({ rules: known }));
    app.get('/rules/:rule', { schema: { params: z.object({ rule: z.string() }) } }, async (request) =>
      known.find(({ name }) => name === request.params.rule),
    );
    app.post('/actions', { schema: { body: z.looseObject({}) } }, async (_request, reply) =>
      reply.code(202).send({ jobId: 'job-1' }),
    );
    app.post(
      '/silences',
      { schema: { body: z.object({ matchers: z.array(z.string()), dryRun: z.boolean().optional() }).loose() } },
      async ({ body: { matchers } }) => {
        const known = matchers.includes('rule="starving-slate"');
        const planned = { rule: 'starving-slate', action: 'stop_stream', channelName: channelAt(4).name };
        return {
          matches: { rules: known ? 1 : 0, channels: 31 },
          matchesNothing: !known,
          examples: { rules: known ? ['starving-slate'] : [], channelArns: [channelArnAt(4), channelArnAt(17)] },
          didYouMean: known ? [] : ['rule="starving-slate"'],
          planned: known
            ? { count: 1, examples: [{ ...planned, channelArn: channelArnAt(4), due: new Date().toISOString() }] }
            : { count: 0, examples: [] },
        };
      },
    );
    app.put(
      '/silences/:id',
      { schema: { params: id, body: z.object({ matchers: z.array(z.string()).optional() }).loose() } },
      async ({ params, body: { matchers } }) => {
        const silence = await state.transact((tx) => {
          const known = tx.get(kinds.silence.of(params.id))!;
          const next = { ...known, matchers: matchers ?? known.matchers, endsMs: tx.nowMs + 7_200_000 };
          tx.delete(kinds.silence.of(params.id));
          tx.set(kinds.silence.of('s-2'), next);
          return next;
        });
        return { id: 's-2', ends: new Date(silence.endsMs).toISOString() };
      },
    );
    app.get('/jobs/put-metadata-1', async () => metadataJob());
    app.get('/jobs/:id', async () => ({
      jobId: 'job-1',
      name: 'stop_stream',
      state: 'completed',
      channelArn: channelArnAt(4),
      cause: { kind: 'rule', rule: 'starving-slate', decisionId: 'd-4' },
      params: { revoke_key: false },
      attempts: 1,
      steps: [{ step: 'read_stream', at: new Date(Date.now() - 61_000).toISOString(), viewerCount: 12 }],
      checks: [
        {
          check: 'only_if',
          verdict: 'passed',
          asked: { viewerCount: [{ numeric: ['<', 50] }] },
          found: { viewerCount: 12 },
          at: new Date(Date.now() - 61_000).toISOString(),
        },
      ],
      startedAt: new Date(Date.now() - 62_000).toISOString(),
      finishedAt: new Date().toISOString(),
      result: { outcome: 'done', reason: 'it would stop the stream', calls: ['GetStream', 'StopStream'] },
    }));
  };
}

function wouldHave() {
  const at = new Date(Date.now() - 7_200_000).toISOString();
  const [one, many] = [channelArnAt(6), channelArnAt(17)];
  return {
    times: 14,
    actions: { rotate_stream_key: 14, notify: 3 },
    heldBack: { cooldown: 2 },
    newest: [
      {
        decisionId: 'd-6',
        at,
        channelArn: one,
        channelName: channelAt(6).name,
        count: 1,
        actions: ['rotate_stream_key'],
      },
      { decisionId: 'd-8', at, channelArn: many, channelName: channelAt(17).name, count: 13, actions: ['notify'] },
    ],
    partial: false,
  };
}

const patchOfRule = {
  file: '/etc/autopilot/autopilot.yaml',
  line: 31,
  text: `--- a/etc/autopilot/autopilot.yaml
+++ b/etc/autopilot/autopilot.yaml
@@ -30,3 +30,3 @@
   - name: rotate-key-after-show
-    mode: dry_run
+    mode: enforce
     trigger: {event: {detailType: [Stream End]}}
`,
};

/** A job of somebody who gave no name; not all its items arrived. */
function metadataJob() {
  const at = new Date(Date.now() - 60_000).toISOString();
  return {
    jobId: 'put-metadata-1',
    name: 'put_metadata',
    state: 'completed',
    channelArn: channelArnAt(4),
    cause: { kind: 'operator', who: 'loopback', reason: 'round 2' },
    params: { payload: 'quiz' },
    attempts: 1,
    steps: [],
    checks: [],
    startedAt: at,
    finishedAt: at,
    result: { outcome: 'done', reason: 'delivered 2, failed 1: IVS_ACCESS_DENIED' },
    delivery: {
      batchId: 'b-7f3aQx19',
      pending: 0,
      delivered: 2,
      conflated: 0,
      expired: 0,
      notBroadcasting: 1,
      failed: 1,
      cancelled: 0,
      reason: 'IVS_ACCESS_DENIED, not_broadcasting',
      finishedAt: at,
    },
  };
}
