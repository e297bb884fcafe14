// Every session of the account: the running one of each channel, the live ones in order, and the history, which stays readable for sixty
// days even after the channel is gone.

import type { Session } from './session.ts';

const KEPT_MS = 60 * 24 * 3_600_000;
/** A limit on memory, far above what an account reaches in sixty days. */
const KEPT_PER_CHANNEL = 1_000;

/** Sessions by channel. Phase changes go through `add`, `live` and `end`, which keep the indexes correct. */
export class Sessions {
  readonly #current = new Map<string, Session>();
  readonly #live = new Map<string, Session>();
  readonly #history = new Map<string, Session[]>();
  #starting = 0;

  /** A session that has just been created; it becomes the channel's current one. */
  add(session: Session): void {
    this.#current.set(session.channelArn, session);
    this.#starting++;
    const history = this.#history.get(session.channelArn) ?? [];
    history.push(session);
    if (history.length > KEPT_PER_CHANNEL) history.shift();
    this.#history.set(session.channelArn, history);
  }

  goLive(session: Session): void {
    session.phase = 'live';
    this.#starting--;
    this.#live.set(session.channelArn, session);
  }

  /** The encoder is gone: no longer listed as live. */
  wind(session: Session): void {
    if (session.phase === 'starting') this.#starting--;
    session.phase = 'ending';
    if (this.#live.get(session.channelArn) === session) this.#live.delete(session.channelArn);
  }

  end(session: Session, at: number): void {
    session.phase = 'ended';
    session.endedAt = at;
    if (this.#current.get(session.channelArn) === session) this.#current.delete(session.channelArn);
  }

  /** The session that has not ended, in any phase. */
  current(channelArn: string): Session | undefined {
    return this.#current.get(channelArn);
  }

  /** The session viewers can watch. */
  live(channelArn: string): Session | undefined {
    return this.#live.get(channelArn);
  }

  /** All live sessions, in the order in which they went live. */
  allLive(): MapIterator<Session> {
    return this.#live.values();
  }

  get liveCount(): number {
    return this.#live.size;
  }

  /** Sessions that hold one of the account's concurrent streams: starting or live. */
  get connectedCount(): number {
    return this.#starting + this.#live.size;
  }

  /** Newest first; undefined if the channel never had one or all are older than sixty days. */
  of(channelArn: string, now: number): readonly Session[] | undefined {
    const history = this.#history.get(channelArn)?.filter((s) => s.phase !== 'ended' || s.startedAt > now - KEPT_MS);
    return history === undefined || history.length === 0 ? undefined : history.reverse();
  }
}
