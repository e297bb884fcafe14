import { afterAll, test as base, beforeAll, describe, expect } from 'vitest';
import { type SimulatorHandle, simulatorFixture, useSimulator } from './index.ts';

const test = base.extend<{ simulator: SimulatorHandle }>({ simulator: simulatorFixture({ seed: 'fixture' }) });
const urls: string[] = [];

/** Whether a simulator answers at this address, and which one; another server may have taken the port of a closed one. */
const seedAt = (url: string): Promise<string | undefined> =>
  fetch(`${url}/_simulator/health`)
    .then(async (answer) => (JSON.parse(await answer.text()) as { seed?: string }).seed)
    .catch(() => undefined);

describe('the fixture', () => {
  test('provides each test with a simulator of its own', async ({ simulator }) => {
    urls.push(simulator.url);
    expect(await seedAt(simulator.url)).toBe('fixture');
    await simulator.control.createChannels(2);
    expect(await simulator.control.channels()).toHaveLength(2);
  });

  test('starts empty, with the same seed', async ({ simulator }) => {
    urls.push(simulator.url);
    expect([await simulator.control.channels(), simulator.seed]).toEqual([[], 'fixture']);
  });

  base('and is closed after its test', async () => {
    for (const url of urls) expect(await seedAt(url)).not.toBe('fixture');
    expect(urls).toHaveLength(2);
  });
});

describe('through hooks', () => {
  const simulator = useSimulator({ beforeAll, afterAll }, { seed: 'hooks' });
  const tooEarly = (() => {
    try {
      return simulator.url;
    } catch (error) {
      return (error as Error).message;
    }
  })();

  base('one simulator serves the tests of a file', async () => {
    const [channel] = await simulator.control.createChannels(1);
    await simulator.control.goLive(channel!.arn);
    expect(simulator.seed).toBe('hooks');
  });

  base('which see what was made before', async () => {
    await expect.poll(() => simulator.control.channels()).toMatchObject([{ phase: 'live' }]);
  });

  base('and nothing can be read of it before', () => {
    expect(tooEarly).toBe('the simulator runs while tests run: read it inside a test or a hook');
  });
});

base('hooks of another runner do as well, and it is closed after them', async () => {
  const work: (() => Promise<void>)[] = [];
  const simulator = useSimulator({ beforeAll: (each) => work.push(each), afterAll: (each) => work.push(each) });
  await work[0]!();
  const { url, seed } = simulator;
  expect(await seedAt(url)).toBe(seed);
  await work[1]!();

  expect(await seedAt(url)).not.toBe(seed);
  expect(() => simulator.url).toThrow('inside a test or a hook');
});
