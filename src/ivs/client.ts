// Amazon IVS with every call limited: one method for each operation the daemon uses, one permit for each wire call, the SDK's
// own retries off (who retries, and when, is decided by the jobs). Sole importer of the IVS SDK.
import { type Channel, IvsClient, type IvsClientConfig, type StreamKey } from '@aws-sdk/client-ivs';
import type { Lane } from '#domain/action.ts';
import { type ChannelArn, channelIdOf } from '#domain/channel.ts';
import { Secret } from '#domain/secret.ts';
import type { Traceparent } from '#domain/trace.ts';
import { createAwsClient } from '#runtime/aws-client.ts';
import type { AwsClock } from '#runtime/aws-clock.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { carried, following } from '#runtime/tracing.ts';
import type { WireAnswer } from '#runtime/wire-answers.ts';
import { checkAnswer } from './answers.ts';
import { type ClientOperation, type Commands, commands } from './commands.ts';
import { isThrottle, throttleScope, toAppError } from './errors.ts';
import { type Limiter, type Permit, PermitLapsed } from './limiter.ts';
import type { OperationName } from './limits.ts';

export type InputOf<O extends ClientOperation> = ConstructorParameters<Commands[O]>[0];
type SdkOutput<O extends ClientOperation> = Awaited<
  ReturnType<ReturnType<InstanceType<Commands[O]>['resolveMiddleware']>>
>['output'];

/** A stream key whose value cannot be printed. */
export type GuardedStreamKey = Omit<StreamKey, 'value'> & { readonly value?: Secret };
/** A channel whose SRT passphrase cannot be printed. */
export type GuardedChannel = Omit<Channel, 'srt'> & {
  readonly srt?: { readonly endpoint?: string; readonly passphrase?: Secret };
};

/** In a list: ListChannels has the members of a summary only. */
type ListedChannel = Partial<GuardedChannel>;

type Guarded<K, V> = K extends 'streamKey'
  ? GuardedStreamKey | Extract<V, undefined>
  : K extends 'streamKeys'
    ? GuardedStreamKey[] | Extract<V, undefined>
    : K extends 'channel'
      ? GuardedChannel | Extract<V, undefined>
      : K extends 'channels'
        ? ListedChannel[] | Extract<V, undefined>
        : V;

/** What a method returns: the operation's answer, its secrets wrapped. */
export type ResultOf<O extends ClientOperation> = {
  [K in Exclude<keyof SdkOutput<O>, '$metadata'>]: Guarded<K, SdkOutput<O>[K]>;
};

/** How a call waits. */
export interface CallOptions {
  /** Default `normal`. */
  readonly lane?: Lane;
  /** How long the call may wait for its permit; default: the limiter's longest wait. */
  readonly waitMs?: number;
  /** Ends the wait, and the call too if it was sent already (which may then have had its effect). */
  readonly signal?: AbortSignal;
  /** Asked right before the call goes, after every wait. What it throws is the call's failure; nothing was sent then. */
  readonly confirm?: () => void;
}

type Methods = {
  readonly [O in ClientOperation as Uncapitalize<O>]: (
    input: InputOf<O>,
    options?: CallOptions,
  ) => Promise<ResultOf<O>>;
};

/** So long before a call may go its content is decided: enough for a round trip to Redis, which may wait for others, and for signing. */
const buildAheadMs = 15;

/** The limited client. Every method throws AppError: LIMITER_*, IVS_* or INTERRUPTED. What it returns has been checked (answers.ts). */
export interface IvsClientPort extends Methods {
  /**
   * PutMetadata for whoever decides late: waits for the channel's permit, then asks `build` what to send. `build` runs at
   * the last moment, a little before the call may go, and must be quick (one round trip to Redis at most);
   * undefined returns the permit unspent, and the result is then undefined. It is undefined too, and nothing was sent, if
   * the permit lapsed meanwhile (the process was paused): what was built may be old by then.
   */
  putMetadataWhenGranted(
    channelArn: ChannelArn,
    options: CallOptions & { readonly onGranted?: () => void },
    build: () => Promise<BuiltMetadata | undefined> | BuiltMetadata | undefined,
  ): Promise<{ readonly metadata: string } | undefined>;
}

export interface BuiltMetadata {
  readonly metadata: string;
  /** Places in traces that the call follows from. */
  readonly follows?: readonly Traceparent[] | undefined;
}

export interface IvsClientOptions {
  readonly shard: string;
  readonly limiter: Limiter;
  readonly metrics: Metrics;
  readonly region: string;
  /** A stand-in for Amazon IVS; default: the SDK's own rules (AWS_ENDPOINT_URL_IVS, then AWS). */
  readonly endpoint?: string;
  /** Default: the SDK's chain. */
  readonly credentials?: NonNullable<IvsClientConfig['credentials']>;
  /** From sending a call to the last byte of its answer. */
  readonly requestTimeoutMs: number;
  /** Ends every call that is under way. */
  readonly until?: AbortSignal | undefined;
  /** Hears the date of every answer. */
  readonly awsClock?: AwsClock | undefined;
  /** Most calls that can be in flight at once: the sum of what the slots allow. */
  readonly maxSockets: number;
}

/** Builds the client. `destroy` closes its sockets. */
export function createIvsClient(options: IvsClientOptions): { client: IvsClientPort; destroy(): void } {
  const { shard, limiter, metrics, region, endpoint, credentials, requestTimeoutMs, maxSockets, until, awsClock } =
    options;
  const agent = { keepAlive: true, maxSockets };
  const sdk = createAwsClient(
    IvsClient,
    {
      region,
      endpoint,
      credentials,
      // AWS_RETRY_MODE=adaptive would hold calls back after their permit.
      retryMode: 'standard',
      requestHandler: { connectionTimeout: requestTimeoutMs, httpAgent: agent, httpsAgent: agent },
    },
    // Who retries, and when, is decided by the jobs.
    { requestTimeoutMs, maxAttempts: 1, until, awsClock },
  );

  async function send<O extends ClientOperation>(
    operation: O,
    input: InputOf<O>,
    permit: Permit,
    { signal, confirm }: Pick<CallOptions, 'signal' | 'confirm'>,
  ): Promise<ResultOf<O>> {
    // The table pairs each operation with its command; TypeScript cannot follow that through a union of so many commands.
    const command = new (
      commands[operation] as unknown as new (
        input: object,
      ) => InstanceType<Commands['ListStreams']>
    )(input as object);
    // The last step before the wire: what is serialised and signed waits here for its moment.
    command.middlewareStack.add(
      (next) => async (args) => {
        confirm?.();
        await permit.untilSend(signal);
        const result = await next(args);
        permit.answered();
        checkAnswer(operation, input as object, result.response as WireAnswer);
        return result;
      },
      { step: 'deserialize', priority: 'low', name: 'permit' },
    );
    const resource = resourceOf(input as object);
    let outcome = 'ok';
    try {
      const output = await sdk.send(command, signal ? { abortSignal: signal } : {});
      return guard(output) as unknown as ResultOf<O>;
    } catch (error) {
      if (error instanceof PermitLapsed) {
        outcome = 'lapsed';
        throw error;
      }
      // Before it is sent, it is another service (STS) that throttles.
      if (permit.state.kind !== 'granted' && isThrottle(error)) {
        const channel = resource?.includes(':channel/') ? channelIdOf(resource as ChannelArn) : undefined;
        limiter.throttled(operation, channel, throttleScope(error, resource));
      }
      const failure = toAppError(error, { operation, resource, sent: permit.state.kind !== 'granted' });
      outcome = failure.code;
      throw failure;
    } finally {
      const { state } = permit;
      if (state.kind !== 'granted') metrics.ivsCalls.inc({ shard, operation, outcome });
      if (state.kind === 'answered')
        metrics.ivsCallSeconds.observe({ shard, operation }, (state.at - state.sentAt) / 1000);
    }
  }

  const request = (operation: OperationName, input: object, { lane = 'normal', waitMs, signal }: CallOptions) => {
    const resource = resourceOf(input);
    return {
      operation,
      lane,
      ...(resource?.includes(':channel/') ? { channel: channelIdOf(resource as ChannelArn) } : {}),
      ...(waitMs === undefined ? {} : { waitMs }),
      ...(signal === undefined ? {} : { signal }),
    };
  };

  const methods = Object.fromEntries(
    (Object.keys(commands) as ClientOperation[]).map((operation) => [
      operation[0]!.toLowerCase() + operation.slice(1),
      (input: InputOf<ClientOperation>, callOptions: CallOptions = {}) => {
        // The limiter calls from wherever a permit came free.
        const asCaller = carried();
        return limiter.run(
          request(operation, input as object, callOptions),
          () => (permit) => asCaller(() => send(operation, input, permit, callOptions)),
        );
      },
    ]),
  ) as unknown as Methods;

  return {
    client: {
      ...methods,
      putMetadataWhenGranted: (channelArn, callOptions, build) =>
        limiter.run(request('PutMetadata', { channelArn }, callOptions), () => async (permit) => {
          callOptions.onGranted?.();
          // Nothing is decided early: what comes meanwhile goes along, the most urgent first.
          await permit.untilBefore(buildAheadMs, callOptions.signal);
          const built = await build();
          if (!built) return undefined;
          try {
            await following(built.follows ?? [], () =>
              send('PutMetadata', { channelArn, metadata: built.metadata }, permit, callOptions),
            );
          } catch (error) {
            if (error instanceof PermitLapsed) return undefined;
            throw error;
          }
          return built;
        }),
    },
    destroy: () => sdk.destroy(),
  };
}

/** The ARN a call is about, for messages and for the limit per channel. */
function resourceOf(input: object): string | undefined {
  const { channelArn, arn, resourceArn } = input as Readonly<Record<'channelArn' | 'arn' | 'resourceArn', unknown>>;
  for (const value of [channelArn, arn, resourceArn]) if (typeof value === 'string') return value;
  return undefined;
}

/** Wraps what must not be printed, wherever an answer has it. */
function guard(output: object): object {
  const { $metadata: _, ...answer } = output as { $metadata?: unknown } & Record<string, unknown>;
  const wrapped: Record<string, unknown> = { ...answer };
  const list = (value: unknown, each: (item: object) => object) => (Array.isArray(value) ? value.map(each) : value);
  if (wrapped['streamKey']) wrapped['streamKey'] = guardKey(wrapped['streamKey']);
  if (wrapped['streamKeys']) wrapped['streamKeys'] = list(wrapped['streamKeys'], withoutValue);
  if (wrapped['channel']) wrapped['channel'] = guardChannel(wrapped['channel']);
  if (wrapped['channels']) wrapped['channels'] = list(wrapped['channels'], guardChannel);
  const session = wrapped['streamSession'] as { channel?: object } | undefined;
  if (session?.channel) wrapped['streamSession'] = { ...session, channel: guardChannel(session.channel) };
  return wrapped;
}

/** Of many keys at once (BatchGetStreamKey) nobody needs the values: they go no further. */
function withoutValue(key: object): object {
  const { value: _, ...rest } = key as StreamKey;
  return rest;
}

function guardKey(key: object): object {
  const { value, ...rest } = key as StreamKey;
  return value === undefined ? rest : { ...rest, value: new Secret(value) };
}

function guardChannel(channel: object): object {
  const { srt, ...rest } = channel as Channel;
  if (srt === undefined) return rest;
  const { passphrase, ...others } = srt;
  return { ...rest, srt: passphrase === undefined ? others : { ...others, passphrase: new Secret(passphrase) } };
}
