// heartbeat: says that streams are polled and rules decide. When they are not, whoever waits for it hears nothing: like Alertmanager's
// Watchdog.
import { z } from 'zod';
import { iso } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import type { JobHandler } from './host.ts';
import type { ActionPorts } from './ports.ts';
import { receiverNamed, sendToReceiver } from './receivers.ts';

/** The payload of its job. */
export interface HeartbeatJob {
  readonly receiver: string;
  readonly intervalMs: number;
  /** When everything was well. */
  readonly atMs: number;
}

const schema = z.object({ receiver: z.string(), intervalMs: z.number(), atMs: z.number() });
const text = 'ivs-autopilot is watching: streams are polled and rules decide';
const groupLabels = { alertname: 'Watchdog' } as const;

/** The handler of its job. A late job sends nothing: it would report a time that is over. */
export function bindHeartbeat(ports: ActionPorts): JobHandler {
  return async (payload, run) => {
    const parsed = schema.safeParse(payload);
    if (!parsed.success) throw new AppError('JOB_PAYLOAD_INVALID', `job heartbeat: ${parsed.error.message}`);
    const { receiver: name, intervalMs, atMs } = parsed.data;
    if (ports.state.nowMs() - atMs > intervalMs) return { outcome: 'skipped', reason: 'late' };
    const receiver = receiverNamed(ports, name);
    const alert = { fingerprint: 'watchdog', labels: groupLabels, startsAtMs: atMs, text };
    const groupKey = '{}:{alertname="Watchdog"}';
    const notification = { receiver: name, groupKey, groupLabels, alerts: [alert], firing: 1, resolved: 0 };
    const json = { version: 1, receiver: name, text, heartbeat: true, decidedAt: iso(atMs), jobId: run.jobId };
    const message = { notification, json, slackText: text, decidedAtMs: atMs };
    return { outcome: 'done', sent: await sendToReceiver({ ...ports, ...run }, receiver, message) };
  };
}
