// The calls that leave a rule test's virtual world, as lines of text: `StopStream ch/a`, `PutMetadata ch/a {"type":"slate"}`. Reads are
// recorded too, but a test that names no read need not list them.

/** One call, in virtual time. */
export interface Call {
  readonly atMs: number;
  readonly rule: string;
  /** The channel it is about. */
  readonly channelArn: string | undefined;
  readonly text: string;
  /** A read: it changes nothing. */
  readonly isRead: boolean;
}

/** Records the calls of one job. */
export interface JobLog {
  /** A call that changes something, or leaves the daemon. */
  change(operation: string, channelArn?: string, detail?: string): void;
  read(operation: string, channelArn?: string, detail?: string): void;
}

const reads = [
  'GetStream',
  'GetStreamSession',
  'GetChannel',
  'GetStreamKey',
  'GetRecordingConfiguration',
  'ListChannels',
  'ListStreamKeys',
  'ListRecordingConfigurations',
  'ListPlaybackKeyPairs',
  'GetPlaybackKeyPair',
  'ListTagsForResource',
  'ListAdConfigurations',
  'GetAdConfiguration',
  'ListPlaybackRestrictionPolicies',
  'GetPlaybackRestrictionPolicy',
] as const;
const changesOfChannels = [
  'PutMetadata',
  'StopStream',
  'InsertAdBreak',
  'UpdateChannel',
  'DeleteChannel',
  'CreateStreamKey',
  'DeleteStreamKey',
  'TagResource',
  'UntagResource',
  'BatchStartViewerSessionRevocation',
  'deliver',
] as const;
const otherChanges = [
  'DeleteRecordingConfiguration',
  'UpdatePlaybackRestrictionPolicy',
  'CreateChannel',
  'CreateRecordingConfiguration',
  'ImportPlaybackKeyPair',
  'DeletePlaybackKeyPair',
  'POST',
  'PUT',
  'PutEvents',
];

/** Every first word of a call. */
export const callNames: readonly string[] = [...changesOfChannels, ...otherChanges, ...reads];
/** Calls whose second word is a channel. */
export const channelCalls: ReadonlySet<string> = new Set<string>([
  ...changesOfChannels,
  'GetStream',
  'GetStreamSession',
  'GetChannel',
  'GetStreamKey',
  'ListStreamKeys',
  'ListTagsForResource',
]);

export class CallLog {
  readonly calls: Call[] = [];
  readonly #nameOf: (channelArn: string) => string;

  /** `nameOf` returns the test's short name of a channel. */
  constructor(nameOf: (channelArn: string) => string) {
    this.#nameOf = nameOf;
  }

  of(now: () => number, { rule, channelArn: own }: { rule: string; channelArn: string | undefined }): JobLog {
    const note = (isRead: boolean) => (operation: string, channelArn?: string, detail?: string) => {
      const words = [operation, channelArn === undefined ? undefined : this.#nameOf(channelArn), detail];
      const text = words.filter((word) => word !== undefined && word !== '').join(' ');
      this.calls.push({ atMs: now(), rule, channelArn: channelArn ?? own, text, isRead });
    };
    return { change: note(false), read: note(true) };
  }
}

/** Whether a call begins with these words. */
export function beginsWith(text: string, words: string): boolean {
  return text === words || text.startsWith(`${words} `);
}
