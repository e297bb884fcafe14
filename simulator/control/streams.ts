// Drives the virtual encoders and what happens to their streams.

import type { Simulator } from '../parts.ts';
import type { EncoderSetup } from '../streams/encoders.ts';
import type { Connected } from '../streams/ingest.ts';
import type { AdBreak, Session } from '../streams/session.ts';
import { type ViewerCurve, viewerCount } from '../streams/viewers.ts';
import { resolveChannels } from './channels.ts';
import { ControlProblem } from './problem.ts';

/** Connects the encoder of each channel. */
export function connectEncoders(simulator: Simulator, wanted: readonly string[], setup: EncoderSetup): Connected[] {
  const answers = resolveChannels(simulator, wanted).map(({ arn }) => simulator.context.encoders.connect(arn, setup));
  if (setup.viewers !== undefined) checkViews(simulator);
  return answers;
}

/** The encoders' operators end their broadcasts. Returns the number of sessions that ended. */
export const endBroadcasts = (simulator: Simulator, wanted: readonly string[]): number =>
  resolveChannels(simulator, wanted).filter(({ arn }) => simulator.context.encoders.end(arn)).length;

export const starve = (simulator: Simulator, wanted: readonly string[]): void =>
  eachSession(simulator, wanted, (session) => simulator.context.ingest.starve(session));

export const recover = (simulator: Simulator, wanted: readonly string[]): void =>
  eachSession(simulator, wanted, (session) => simulator.context.ingest.recover(session));

/** The network between encoder and service breaks: no data at all. */
export const lose = (simulator: Simulator, wanted: readonly string[]): void =>
  eachSession(simulator, wanted, (session) => simulator.context.ingest.lose(session));

export function setViewers(simulator: Simulator, wanted: readonly string[], viewers: ViewerCurve): void {
  eachSession(simulator, wanted, (session) => {
    session.viewers = viewers;
    session.revoked = new Map();
  });
  checkViews(simulator);
}

/** Another client of the account inserts a break into each stream. A channel that already has one is an error. */
export function insertAdBreaks(simulator: Simulator, wanted: readonly string[], durationSeconds: number): AdBreak[] {
  const { ingest } = simulator.context;
  return resolveChannels(simulator, wanted).map(({ arn }) => {
    const session = ingest.sessions.live(arn);
    if (session === undefined) throw new ControlProblem(409, `the channel ${arn} is not live`);
    if (ingest.adBreak(session) !== undefined) throw new ControlProblem(409, `the channel ${arn} has an ad break`);
    return ingest.insertAdBreak(session, durationSeconds);
  });
}

/** A breach of the account's view quota is an event: once when it is exceeded, and again only after the count fell below it. */
function checkViews(simulator: Simulator): void {
  const { context, settings } = simulator;
  const now = context.clock.now();
  let views = 0;
  for (const session of context.ingest.sessions.allLive()) {
    views += Math.max(0, viewerCount(session, now));
  }
  const over = views > settings.quotas.concurrentViews;
  if (over && !simulator.viewsExceeded)
    context.ingest.breach('Concurrent Viewers', settings.quotas.concurrentViews, views);
  simulator.viewsExceeded = over;
}

/** The running session of one channel, for a request that needs one. */
export function sessionOf(simulator: Simulator, channelArn: string): Session {
  const session = simulator.context.ingest.sessions.current(channelArn);
  if (session === undefined) throw new ControlProblem(409, `the channel ${channelArn} has no running session`);
  return session;
}

function eachSession(simulator: Simulator, wanted: readonly string[], act: (session: Session) => void): void {
  for (const { arn } of resolveChannels(simulator, wanted)) act(sessionOf(simulator, arn));
}
