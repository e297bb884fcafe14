// AWS with several accounts: a simulator for each, all of its channels live, behind one address that distinguishes them by the access key
// that AssumeRole returned. A separate process; it ends with its parent.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { startSimulator } from '#simulator/server.ts';

export interface AccountsStand extends AsyncDisposable {
  readonly url: string;
  /** Calls of all accounts so far. */
  calls(): Promise<number>;
}

export interface AccountsStandOptions {
  readonly accounts: number;
  readonly channels: number;
}

/** The twelve digits of the account with this index. */
export function accountIdAt(place: number): string {
  return String(100_000_000_000 + place);
}

export async function accountsStand(options: AccountsStandOptions): Promise<AccountsStand> {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), ['serve', JSON.stringify(options)]);
  const exit = once(child, 'exit');
  const gone = exit.then(([code]) => Promise.reject(new Error(`the stand-in of AWS ended with ${code}`)));
  gone.catch(() => undefined);
  const said = async () => ((await Promise.race([once(child, 'message'), gone])) as [unknown])[0];
  const url = (await said()) as string;
  return {
    url,
    async calls() {
      child.send('calls');
      return (await said()) as number;
    },
    async [Symbol.asyncDispose]() {
      child.disconnect();
      await exit;
    },
  };
}

async function serve({ accounts, channels }: AccountsStandOptions): Promise<void> {
  const quotas = { channels, concurrentStreams: channels };
  const simulators = new Map<string, number>();
  for (let place = 0; place < accounts; place += 1) {
    const accountId = accountIdAt(place);
    const { port, control } = await startSimulator({ accountId, quotas, seed: accountId });
    await control.goLive((await control.createChannels(channels)).map(({ arn }) => arn));
    simulators.set(accountId, port);
  }
  const agent = new Agent({ keepAlive: true });
  let calls = 0;
  const server = createServer((asked, answer) => {
    const [, accountId] = /Credential=ASIA(\d{12})/.exec(asked.headers.authorization ?? '') ?? [];
    const port = simulators.get(accountId ?? '');
    if (port === undefined) return void assumeRole(asked, answer);
    calls += 1;
    const onward = request({
      port,
      host: '127.0.0.1',
      agent,
      path: asked.url,
      method: asked.method,
      headers: asked.headers,
    });
    onward.on('response', (given) => {
      answer.writeHead(given.statusCode!, given.headers);
      given.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    asked.pipe(onward);
  });
  server.listen(0, '127.0.0.1', () => process.send!(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  process.on('message', () => process.send!(calls));
  process.on('disconnect', () => process.exit(0));
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
async function assumeRole(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of asked) parts.push(part as Buffer);
  const role = new URLSearchParams(Buffer.concat(parts).toString()).get('RoleArn') ?? '';
  const [, accountId] = /^arn:aws:iam::(\d{12}):/.exec(role) ?? [];
  if (accountId === undefined) return void answer.writeHead(403).end();
  const expires = new Date(Date.now() + 3_600_000).toISOString();
  answer.writeHead(200, { 'content-type': 'text/xml' });
  answer.end(
    `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>` +
      `<AssumedRoleUser><AssumedRoleId>AROA:bench</AssumedRoleId><Arn>${role}/bench</Arn></AssumedRoleUser>` +
      // Used for signing only, then thrown away.
      `<Credentials><AccessKeyId>ASIA${accountId}</AccessKeyId><SecretAccessKey>bench</SecretAccessKey><SessionToken>bench</SessionToken><Expiration>${expires}</Expiration></Credentials>` +
      `</AssumeRoleResult></AssumeRoleResponse>`,
  );
}

if (process.argv[2] === 'serve' && process.argv[1] === fileURLToPath(import.meta.url))
  await serve(JSON.parse(process.argv[3]!) as AccountsStandOptions);
