// The control API: one table of method, path and handler under /_simulator. It drives the simulator and reads its records; none of it
// exists at AWS. simulator/client.ts is its typed client.

import { z } from 'zod';
import { overlay } from '../overlay.ts';
import type { Simulator } from '../parts.ts';
import { parseScenario, ScenarioError } from '../scenario/parse.ts';
import { ScenarioRun } from '../scenario/play.ts';
import { channelState, makeChannel, resolveChannels } from './channels.ts';
import { ControlProblem } from './problem.ts';
import * as requests from './requests.ts';
import { changeSettings } from './settings.ts';
import {
  connectEncoders,
  endBroadcasts,
  insertAdBreaks,
  lose,
  recover,
  sessionOf,
  setViewers,
  starve,
} from './streams.ts';
import { summarize } from './summary.ts';

export interface ControlRequest {
  readonly simulator: Simulator;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

/** `body`: its request body, if it takes one. `params`: the query parameters that it takes. */
type Handler = ((request: ControlRequest) => unknown) & {
  readonly body?: z.ZodType;
  readonly params?: readonly string[];
};

/** A handler whose body must have this shape. */
export function taking<T>(schema: z.ZodType<T>, run: (body: T, request: ControlRequest) => unknown): Handler {
  const handle = (request: ControlRequest) => {
    const parsed = schema.safeParse(request.body);
    if (!parsed.success) throw new ControlProblem(400, sentencesOf(parsed.error, schema));
    return run(parsed.data, request);
  };
  return Object.assign(handle, { body: schema });
}

/** A handler that takes these query parameters; it gets no others. */
function filtered(params: readonly string[], run: (request: ControlRequest) => unknown): Handler {
  return Object.assign((request: ControlRequest) => run(request), { params });
}

/** Refuses query parameters that a handler does not take: a filter that is misspelt would return everything. */
export function assertParams({ params = [] }: Handler, query: URLSearchParams): void {
  for (const name of query.keys()) {
    if (params.includes(name)) continue;
    const known = params.length === 0 ? 'this address takes none' : `this address takes ${params.join(', ')}`;
    throw new ControlProblem(400, `unknown query parameter ${name.slice(0, 100)}: ${known}`);
  }
}

/** What is wrong with a body: each place with its problem. */
function sentencesOf({ issues }: z.ZodError, schema: z.ZodType): string {
  return issues
    .map(({ code, path, message }) => {
      const isUnknown = code === 'unrecognized_keys' && path.length === 0 && schema instanceof z.ZodObject;
      const known = isUnknown ? `; known are ${Object.keys(schema.shape).join(', ')}` : '';
      return `${path.length === 0 ? '' : `${path.map(String).join('.')}: `}${message}${known}`;
    })
    .join('. ');
}

const text = (query: URLSearchParams, name: string): string | undefined => query.get(name) ?? undefined;

function whole(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null) return undefined;
  const parsed = Number(value);
  if (!Number.isInteger(parsed) || parsed < 0)
    throw new ControlProblem(400, `${name} must be a whole number, not ${value}`);
  return parsed;
}

/** `channel` is an ARN or a name. `channelArn` may also be that of a channel that is gone. */
function channelOf({ simulator, query }: ControlRequest): string | undefined {
  const channel = query.get('channel');
  if (channel === null) return text(query, 'channelArn');
  const [found, another] = resolveChannels(simulator, [channel]);
  if (another) throw new ControlProblem(400, `several channels have the name ${channel}: give an ARN`);
  return found?.arn;
}

const channelParams = ['channel', 'channelArn', 'afterSeq'];
const callParams = ['operation', 'channel', 'channelArn', 'outcome', 'afterSeq', 'limit'];

const callFilter = ({ simulator, query, body }: ControlRequest) => ({
  operation: text(query, 'operation'),
  channelArn: channelOf({ simulator, query, body }),
  outcome: text(query, 'outcome'),
  afterSeq: whole(query, 'afterSeq'),
  limit: whole(query, 'limit'),
});

const DONE = {};

export const ROUTES: Readonly<Record<string, Handler>> = {
  'GET /health': ({ simulator }) => ({
    seed: simulator.seed,
    now: simulator.clock.now(),
    channels: simulator.context.store.channels.size,
    live: simulator.context.ingest.sessions.liveCount,
    calls: simulator.context.recorder.lastSeq,
    enforcement: simulator.throttle.enforcement,
  }),

  'POST /channels': taking(requests.createChannels, (body, { simulator }) => {
    const specs =
      'channels' in body
        ? body.channels
        : Array.from({ length: body.count }, (_, at) => ({
            ...body,
            name: body.name ?? `${body.namePrefix ?? 'channel-'}${String(at + 1).padStart(4, '0')}`,
          }));
    return { channels: specs.map((spec) => makeChannel(simulator, spec)) };
  }),
  'GET /channels': filtered(['channel'], ({ simulator, query }) => {
    const wanted = query.getAll('channel');
    const { channels } = simulator.context.store;
    const found = wanted.length === 0 ? [...channels.values()] : resolveChannels(simulator, wanted);
    return { channels: found.map((channel) => channelState(simulator, channel)) };
  }),

  'POST /streams/connect': taking(requests.connect, ({ channels, ...setup }, { simulator }) => ({
    connections: connectEncoders(simulator, channels, setup),
  })),
  'POST /streams/end': taking(requests.onChannels, ({ channels }, { simulator }) => ({
    ended: endBroadcasts(simulator, channels),
  })),
  'POST /streams/starve': taking(requests.onChannels, ({ channels }, { simulator }) => {
    starve(simulator, channels);
    return DONE;
  }),
  'POST /streams/recover': taking(requests.onChannels, ({ channels }, { simulator }) => {
    recover(simulator, channels);
    return DONE;
  }),
  'POST /streams/lose': taking(requests.onChannels, ({ channels }, { simulator }) => {
    lose(simulator, channels);
    return DONE;
  }),
  'POST /streams/viewers': taking(requests.setViewers, ({ channels, viewers }, { simulator }) => {
    setViewers(simulator, channels, viewers);
    return DONE;
  }),
  'POST /streams/ad-break': taking(requests.adBreak, ({ channels, durationSeconds }, { simulator }) => ({
    adBreaks: insertAdBreaks(simulator, channels, durationSeconds),
  })),
  'POST /streams/fail-recording': taking(requests.onChannels, ({ channels }, { simulator }) => {
    for (const { arn } of resolveChannels(simulator, channels)) simulator.context.ingest.recordings.failNext(arn);
    return DONE;
  }),
  'POST /streams/breach': taking(requests.breach, (body, { simulator }) => {
    const channel = body.channel === undefined ? undefined : resolveChannels(simulator, [body.channel])[0];
    const session = channel === undefined ? undefined : sessionOf(simulator, channel.arn);
    simulator.context.ingest.breach(body.limit, body.limitValue, body.value, session, body.unit);
    return DONE;
  }),

  'GET /calls': filtered(callParams, (request) => {
    const { recorder } = request.simulator.context;
    return { calls: recorder.calls(callFilter(request)), lastSeq: recorder.lastSeq, lost: recorder.lostCalls };
  }),
  'GET /calls/wait': filtered([...callParams, 'timeoutMs'], async (request) => {
    const timeoutMs = Math.min(whole(request.query, 'timeoutMs') ?? 5_000, 60_000);
    return { call: (await request.simulator.context.recorder.waitFor(callFilter(request), timeoutMs)) ?? null };
  }),
  'GET /calls/summary': filtered(callParams, (request) => ({
    operations: summarize(request.simulator.context.recorder.calls(callFilter(request))),
  })),
  'DELETE /calls': ({ simulator }) => {
    simulator.context.recorder.clear();
    return DONE;
  },
  'GET /cues': filtered(channelParams, (request) => ({
    cues: request.simulator.context.recorder.cues(channelOf(request), whole(request.query, 'afterSeq')),
  })),

  'GET /revocations': filtered(channelParams, (request) => ({
    revocations: request.simulator.context.recorder.revocations(channelOf(request), whole(request.query, 'afterSeq')),
  })),

  'GET /events': filtered(['name', ...channelParams], (request) => ({
    events: request.simulator.publisher.events({
      name: text(request.query, 'name'),
      channelArn: channelOf(request),
      afterSeq: whole(request.query, 'afterSeq'),
    }),
    lostDeliveries: request.simulator.delivery.lost,
  })),
  'PUT /events/policy': taking(requests.deliveryPolicy, (policy, { simulator }) => {
    simulator.publisher.policy = overlay(simulator.publisher.policy, policy);
    return simulator.publisher.policy;
  }),
  'POST /events/plan': taking(requests.nextFate, (next, { simulator }) => {
    simulator.publisher.plan(next);
    return DONE;
  }),
  'POST /events/release': ({ simulator }) => {
    simulator.publisher.release();
    return DONE;
  },
  'POST /events/settle': async ({ simulator }) => {
    await simulator.delivery.settled();
    return { lostDeliveries: simulator.delivery.lost };
  },

  'GET /faults': ({ simulator }) => ({ faults: simulator.faults.list() }),
  'POST /faults': taking(requests.faultRule, (rule, { simulator }) => ({ id: simulator.faults.add(rule) })),
  'DELETE /faults': filtered(['id'], ({ simulator, query }) => {
    const id = whole(query, 'id');
    if (id === undefined) simulator.faults.clear();
    else if (!simulator.faults.remove(id)) throw new ControlProblem(404, `there is no fault ${id}`);
    return DONE;
  }),

  'GET /clock': ({ simulator }) => ({ now: simulator.clock.now(), rate: simulator.clock.rate }),
  'POST /clock/advance': taking(requests.advance, ({ ms }, { simulator }) => {
    simulator.clock.advance(ms);
    return { now: simulator.clock.now() };
  }),
  'PUT /clock': taking(requests.clockRate, ({ rate }, { simulator }) => {
    simulator.clock.setRate(rate);
    return { now: simulator.clock.now(), rate };
  }),

  'PATCH /settings': taking(requests.settingsChange, (change, { simulator }) => {
    changeSettings(simulator, change);
    return { enforcement: simulator.throttle.enforcement, ...simulator.settings };
  }),
  'GET /settings': ({ simulator }) => ({ enforcement: simulator.throttle.enforcement, ...simulator.settings }),

  'PUT /buckets': taking(requests.buckets, ({ buckets }, { simulator }) => {
    for (const [name, bucket] of Object.entries(buckets)) simulator.context.store.buckets.set(name, bucket);
    return DONE;
  }),
  'PUT /playback-configurations': taking(requests.playbackConfigurations, (body, { simulator }) => {
    const { playbackConfigurations } = simulator.context.store;
    for (const [arn, one] of Object.entries(body.playbackConfigurations)) playbackConfigurations.set(arn, one);
    return DONE;
  }),

  'POST /scenario': taking(requests.scenario, ({ yaml, channels }, { simulator }) => {
    simulator.scenario?.stop();
    try {
      simulator.scenario = new ScenarioRun(simulator, parseScenario(yaml), { channels });
    } catch (error) {
      if (error instanceof ScenarioError) throw new ControlProblem(400, error.message);
      throw error;
    }
    return simulator.scenario.state;
  }),
  'GET /scenario': ({ simulator }) => ({ scenario: simulator.scenario?.state ?? null }),
  'DELETE /scenario': ({ simulator }) => {
    simulator.scenario?.stop();
    simulator.scenario = undefined;
    return DONE;
  },
};
