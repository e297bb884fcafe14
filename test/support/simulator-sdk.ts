// The real SDK pointed at a simulator: one wire call per send, fake credentials, and errors reduced to what tests compare.
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
