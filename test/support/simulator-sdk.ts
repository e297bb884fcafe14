// The real SDK pointed at a simulator: one request per send, fake credentials, and errors reduced to what tests compare.
import * as ivsSdk from '@aws-sdk/client-ivs';
import { IvsClient, type IvsServiceException } from '@aws-sdk/client-ivs';

/** Fake: the simulator does not check signatures, but the SDK wants something to sign with. */
export const fakeCredentials = { accessKeyId: 'test', secretAccessKey: 'test' };

export const ivsFor = (url: string): IvsClient =>
  new IvsClient({ endpoint: url, region: 'us-west-2', credentials: fakeCredentials, maxAttempts: 1 });

/** How a call that must fail failed: `404 ResourceNotFoundException`. */
export const failureOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'no failure',
    (error: IvsServiceException) => `${error.$metadata?.httpStatusCode} ${error.name}`,
  );

/** Sends any operation by its name, so that tables can use every one; returns the answer without its metadata. */
export const sender =
  (ivs: IvsClient) =>
  (operation: string) =>
  async (input: Record<string, unknown>): Promise<Record<string, any>> => {
    const commands = ivsSdk as unknown as Record<string, new (input: object) => any>;
    const { $metadata, ...output } = (await ivs.send(new commands[`${operation}Command`]!(input))) as Record<
      string,
      any
    >;
    if (!/^[0-9a-f-]{36}$/.test($metadata.requestId)) throw new Error(`${operation} answered without a request id`);
    return output;
  };
