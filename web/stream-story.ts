// One channel as the API describes it: a session with its timeline, the others, and what was decided and done.

import type { DecisionView } from './decisions.ts';
import type { Session } from './sessions.ts';
import type { AuditEntry } from './views/audit.tsx';

/** `GET /v1/streams/{channelArn}` */
export interface Story {
  readonly record: Session | null;
  readonly timeline: readonly {
    readonly source: 'event' | 'poll' | 'history';
    readonly name: string;
    readonly eventTime: string;
    readonly arrivedAt: string;
    readonly text: string;
  }[];
  readonly channel: { readonly name: string; readonly tags: Readonly<Record<string, string>> } | null;
  /** The others, newest first. */
  readonly sessions: readonly Session[];
}

/** What is known of a channel and one of its sessions. */
export interface LoadedStream {
  readonly story: Story;
  readonly decisions: readonly DecisionView[];
  readonly audit: readonly AuditEntry[];
}
