// What the SDK runs around each call. By default it sorts its middleware anew for each call, copies its configuration four times, and runs
// steps that do nothing here. In clients made here the steps of an operation are sorted once (`cacheMiddleware`), and what differs from
// call to call travels with the call's arguments to its last step. aws-middleware.test.ts names the steps that are left, and fails when a
// new SDK has others.

import { getSchemaSerdePlugin } from '@smithy/core/schema';
import type { NodeHttpHandler } from '@smithy/node-http-handler';

export type HttpRequest = Parameters<NodeHttpHandler['handle']>[0];
export type HttpOptions = NonNullable<Parameters<NodeHttpHandler['handle']>[1]>;
export type HttpAnswer = Awaited<ReturnType<NodeHttpHandler['handle']>>;

/** What `send` of a client made here accepts besides the SDK's own options. */
export interface AwsCallOptions extends HttpOptions {
  /** Runs as the last step before the wire, for each attempt: the request is serialized and signed, and `send` sends it. */
  readonly aroundWire?: (send: () => Promise<HttpAnswer>) => Promise<HttpAnswer>;
}

/** The part of a command that the SDK's `send` needs. */
export interface AwsCommand {
  readonly input?: unknown;
  readonly constructor: { readonly name: string };
  readonly resolveMiddleware: (...args: never[]) => unknown;
}

const callOptions = Symbol('call options');

interface CallArguments {
  readonly request: HttpRequest;
  readonly [callOptions]?: AwsCallOptions;
}

type Step = (args: CallArguments) => Promise<unknown>;

/** The part of an SDK client that is used here. */
interface LeanClient {
  config: Parameters<typeof getSchemaSerdePlugin>[0] & { signer?: MakeSigner };
  readonly middlewareStack: {
    add(
      middleware: (next: Step) => Step,
      options: { readonly step: string; readonly priority: string; readonly name: string; readonly override?: true },
    ): void;
    remove(name: string): boolean;
    use(plugin: ReturnType<typeof getSchemaSerdePlugin>): void;
  };
}

interface SigningScheme {
  readonly name?: string;
  readonly signingName?: string;
  readonly signingRegion?: string;
}

type MakeSigner = (scheme?: SigningScheme) => Promise<unknown>;

/** One call of a command, to be given to the client's `send` without options: these travel with it. A command may be sent many times. */
export function callOf(command: AwsCommand, options: AwsCallOptions): AwsCommand {
  const call: AwsCommand & Pick<CallArguments, typeof callOptions> = {
    input: command.input,
    constructor: command.constructor,
    resolveMiddleware: command.resolveMiddleware.bind(command),
    [callOptions]: options,
  };
  return call;
}

/** Prepares a client, made with `cacheMiddleware`, for calls of `callOf`. Its last step hands the request to `handler`. */
export function leanMiddleware(client: object, handler: Pick<NodeHttpHandler, 'handle'>, maxAttempts: number): void {
  const lean = client as LeanClient;
  const { middlewareStack } = lean;
  // Hides what is secret in each input and output, for a logger that is not there.
  middlewareStack.remove('loggerMiddleware');
  // Passes on the trace of AWS Lambda.
  middlewareStack.remove('recursionDetectionMiddleware');
  // Without a second attempt it numbers the first. A step with its name stays, because others are placed after it.
  if (maxAttempts === 1)
    middlewareStack.add((next) => next, {
      step: 'finalizeRequest',
      priority: 'high',
      name: 'retryMiddleware',
      override: true,
    });
  // The signer of a region and service is the same for every call.
  if (lean.config.signer) lean.config.signer = kept(lean.config.signer);
  // Steps that need the configuration copy it. The SDK assembles it in a way that makes V8 keep it as a dictionary, whose copy takes eight
  // times as long as that of a plain object.
  lean.config = { ...lean.config };
  middlewareStack.use(getSchemaSerdePlugin(lean.config));
  middlewareStack.add(
    () => async (args) => {
      const options = args[callOptions];
      if (options === undefined) throw new TypeError('a middleware of the SDK has dropped the options of the call');
      const { aroundWire, ...rest } = options;
      const send = () => handler.handle(args.request, rest);
      return aroundWire ? aroundWire(send) : send();
    },
    { step: 'deserialize', priority: 'low', name: 'wire' },
  );
}

function kept(make: MakeSigner): MakeSigner {
  const signers = new Map<string, unknown>();
  return async (scheme) => {
    const key = `${scheme?.name} ${scheme?.signingName} ${scheme?.signingRegion}`;
    const known = signers.get(key) ?? withKeptKey((await make(scheme)) as Signer);
    signers.set(key, known);
    return known;
  };
}

/** The SDK's SignatureV4. The signers of EventBridge and STS, which can sign for several Regions, find their keys elsewhere. */
interface Signer {
  getSigningKey?(
    credentials: { readonly secretAccessKey: string },
    region: string,
    day: string,
    service?: string,
  ): Promise<Uint8Array>;
}

/** The SDK finds a day's key by a hash of the credentials, made anew for each call. Here the newest key is kept, with what it was made of. */
function withKeptKey(signer: Signer): Signer {
  const derive = signer.getSigningKey?.bind(signer);
  if (derive === undefined) return signer;
  let newest: { readonly of: readonly unknown[]; readonly key: Uint8Array } | undefined;
  signer.getSigningKey = async (credentials, region, day, service) => {
    const of = [credentials.secretAccessKey, region, day, service];
    if (newest?.of.every((part, place) => part === of[place])) return newest.key;
    const key = await derive(credentials, region, day, service);
    newest = { of, key };
    return key;
  };
  return signer;
}
