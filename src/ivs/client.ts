// Amazon IVS with every call limited: one method for each operation that the daemon uses, one permit for each wire call, and no retries by
// the SDK (the jobs decide about retries). Nothing else imports the IVS SDK.
import { type Channel, IvsClient, type IvsClientConfig, type StreamKey } from '@aws-sdk/client-ivs';
import type { Lane } from '#domain/action.ts';
import { type ChannelArn, channelIdOf } from '#domain/channel.ts';
import { Secret } from '#domain/secret.ts';
import type { Traceparent } from '#domain/trace.ts';
import { createAwsClient } from '#runtime/aws-client.ts';
import type { AwsClock } from '#runtime/aws-clock.ts';
import type { AwsCallOptions } from '#runtime/aws-middleware.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { carried, following } from '#runtime/tracing.ts';
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

/** In a list: ListChannels has only the members of a summary. */
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

/** What a method returns: the operation's answer, with its secrets wrapped. */
export type ResultOf<O extends ClientOperation> = {
  [K in Exclude<keyof SdkOutput<O>, '$metadata'>]: Guarded<K, SdkOutput<O>[K]>;
};

/** How a call waits. */
export interface CallOptions {
  /** Default `normal`. */
  readonly lane?: Lane;
  /** How long the call may wait for its permit; default: the limiter's longest wait. */
  readonly waitMs?: number;
  /** Ends the wait, and also the call if it was already sent (which may then have taken effect). */
  readonly signal?: AbortSignal;
  /** Called right before the request is sent, after every wait. If it throws, the call fails with that error and nothing is sent. */
  readonly confirm?: () => void;
}

type Methods = {
  readonly [O in ClientOperation as Uncapitalize<O>]: (
    input: InputOf<O>,
    options?: CallOptions,
  ) => Promise<ResultOf<O>>;
};

/**
 * The content of a call is decided this long before it may be sent: enough for a round trip to Redis, including its wait, and for signing.
 */
const buildAheadMs = 15;
/** It may be decided this much earlier: what several calls send is then decided in one round trip. */
const buildTogetherMs = 12;

/** The limited client. Every method throws AppError: LIMITER_*, IVS_* or INTERRUPTED. Returned answers have been checked (answers.ts). */
export interface IvsClientPort extends Methods {
  /**
   * PutMetadata for callers that decide late: waits for the channel's permit, then asks `build` what to send. `build` runs at the last
   * moment, `leadMs` before the call may be sent, and must be quick (one round trip to Redis at most). If it returns undefined, the permit
   * is returned unused, and the result is undefined. The result is also undefined, and nothing was sent, if the permit lapsed meanwhile
   * (the process was suspended), because the content may be out of date by then.
   */
  putMetadataWhenGranted(
    channelArn: ChannelArn,
    options: CallOptions & { readonly onGranted?: () => void },
    build: (leadMs: number) => Promise<BuiltMetadata | undefined> | BuiltMetadata | undefined,
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
  /** A stand-in for Amazon IVS; default: as the SDK decides (AWS_ENDPOINT_URL_IVS, then AWS). */
  readonly endpoint?: string;
  /** Default: the SDK's chain. */
  readonly credentials?: NonNullable<IvsClientConfig['credentials']>;
  /** Limit from sending a call to the last byte of its answer. */
  readonly requestTimeoutMs: number;
  /** Ends every running call. */
  readonly until?: AbortSignal | undefined;
  /** Receives the date of every answer. */
  readonly awsClock?: AwsClock | undefined;
  /** Maximum number of calls in flight at once: the sum of what the slots allow. */
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
      // AWS_RETRY_MODE=adaptive would delay calls after their permit.
      retryMode: 'standard',
      requestHandler: { connectionTimeout: requestTimeoutMs, httpAgent: agent, httpsAgent: agent },
    },
    // The jobs decide about retries.
    { requestTimeoutMs, maxAttempts: 1, until, awsClock },
  );

  async function send<O extends ClientOperation>(
    operation: O,
    input: InputOf<O>,
    permit: Permit,
    { signal, confirm }: Pick<CallOptions, 'signal' | 'confirm'>,
  ): Promise<ResultOf<O>> {
    // The table pairs each operation with its command; TypeScript cannot follow that through a union of this size.
    const command = new (
      commands[operation] as unknown as new (
        input: object,
      ) => InstanceType<Commands['ListStreams']>
    )(input as object);
    const callOptions: AwsCallOptions = {
      // A serialized and signed request waits here for its time.
      async aroundWire(toWire) {
        confirm?.();
        await permit.untilSend(signal);
        const answer = await toWire();
        permit.answered();
        checkAnswer(operation, input as object, answer.response);
        return answer;
      },
      ...(signal ? { abortSignal: signal } : {}),
    };
    const resource = resourceOf(input as object);
    let outcome = 'ok';
    try {
      const output = await sdk.send(command, callOptions);
      return guard(output) as unknown as ResultOf<O>;
    } catch (error) {
      if (error instanceof PermitLapsed) {
        outcome = 'lapsed';
        throw error;
      }
      // Before our request is sent, a throttle comes from another service (STS).
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
        // The limiter calls this in the context of whoever freed the permit.
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
          // Decided late on purpose: items that arrive meanwhile are included, the most urgent first.
          const leadMs = await permit.untilBefore(buildAheadMs, buildTogetherMs, callOptions.signal);
          const built = await build(leadMs);
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

/** Wraps secrets, wherever an answer contains them. */
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

/** Nobody needs the values of many keys at once (BatchGetStreamKey), so they are dropped. */
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
