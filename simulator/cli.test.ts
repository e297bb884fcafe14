import { expect, it } from 'vitest';
import { SimulatorCommandError, simulatorCommand } from './cli.ts';
import { startSimulator } from './server.ts';

/** Runs the command in this process until it has printed its address; returns what it printed and its failure, if any. */
async function run(...flags: string[]): Promise<{ printed: string[]; failure: unknown; complaints: string }> {
  const ending = new AbortController();
  const printed: string[] = [];
  let complaints = '';
  const print = (line: string): void => {
    printed.push(line);
    ending.abort();
  };
  const command = simulatorCommand({ print, signal: ending.signal })
    .exitOverride()
    .configureOutput({ writeErr: (text) => (complaints += text) });
  const failure: unknown = await command.parseAsync(['--port', '0', ...flags], { from: 'user' }).then(
    () => undefined,
    (error: unknown) => error,
  );
  return { printed, failure, complaints };
}

it('announces its address, and ends when told to', async () => {
  const { printed, failure } = await run('--channels', '2', '--seed', 'cli', '--json');
  expect(failure).toBeUndefined();
  expect(JSON.parse(printed[0]!)).toMatchObject({
    url: expect.stringContaining('http://127.0.0.1:'),
    channels: 2,
    seed: 'cli',
  });
});

it.each([
  [['--scenario', 'no-such-evening'], 'there is no scenario no-such-evening: give a YAML file, or one of '],
  [['--scenario', 'package.json'], 'package.json:3:3 version: there is no such member'],
  [['--sqs', '--queue-url', 'http://127.0.0.1:1/q'], 'give either --sqs or --queue-url, not both'],
  [['--host', '203.0.113.9'], 'this machine has no address 203.0.113.9: check --host'],
])('with %j fails with one sentence', async (flags, message) => {
  const { failure } = await run(...flags);
  expect(failure).toBeInstanceOf(SimulatorCommandError);
  expect((failure as Error).message).toContain(message);
});

it('reports that the port is taken', async () => {
  await using other = await startSimulator();
  const { failure } = await run('--port', String(other.port));
  expect(String(failure)).toContain(`port ${other.port} on 127.0.0.1 is taken: choose another --port`);
});

it.each([
  [['--quota', 'sometimes'], 'sliding-window, token-bucket, off'],
  [['--channels', 'many'], 'It must be a whole number.'],
  [['--speed', '-1'], 'It must be a number, 0 or more.'],
])('with %j is a usage error', async (flags, message) => {
  const { complaints } = await run(...flags);
  expect(complaints).toContain(message);
});
