// Wrong or incomplete answers that a client must survive. Read from the socket, where the SDK hides nothing.

import { connect } from 'node:net';
import { afterAll, afterEach, expect, it } from 'vitest';
import { startSimulator } from '#simulator/server.ts';
import { failureOf, ivsFor, sender } from '#test/support/simulator-sdk.ts';

const simulator = await startSimulator({ seed: 'lying', enforcement: 'off' });
const { control } = simulator;
const ivs = ivsFor(simulator.url);
const send = sender(ivs);

afterAll(async () => {
  ivs.destroy();
  await simulator.close();
});
afterEach(() => control.clearFaults());

interface Received {
  readonly head: string;
  readonly body: string;
  /** How the body arrived: one entry per piece. */
  readonly pieces: readonly string[];
  /** Whether the simulator closed the connection. */
  readonly closed: boolean;
}

/**
 * The part of the answer to ListStreams that arrives until the body is complete, the connection ends, or nothing comes for `patienceMs`.
 */
const receive = (patienceMs = 300, operation = 'ListStreams'): Promise<Received> =>
  new Promise((resolve) => {
    const pieces: string[] = [];
    let text = '';
    const socket = connect(simulator.port, '127.0.0.1');
    const done = (closed: boolean): void => {
      socket.destroy();
      const [head = '', body = ''] = text.split('\r\n\r\n');
      resolve({ head, body, pieces, closed });
    };
    socket.setTimeout(patienceMs, () => done(false));
    socket.on('data', (chunk) => {
      const before = bodyOf(text);
      text += String(chunk);
      const piece = bodyOf(text).slice(before.length);
      if (piece !== '') pieces.push(piece);
      const length = /content-length: (\d+)/i.exec(text)?.[1];
      if (length !== undefined && bodyOf(text).length >= Number(length) && text.includes('\r\n\r\n')) done(false);
    });
    socket.on('error', () => {});
    socket.on('close', () => done(true));
    socket.write(`POST /${operation} HTTP/1.1\r\nhost: simulator\r\ncontent-length: 2\r\n\r\n{}`);
  });

const bodyOf = (text: string): string => text.split('\r\n\r\n')[1] ?? '';

const lastCall = async (operation = 'ListStreams') => (await control.calls({ operation })).at(-1);

it.each([
  ['an empty object', { json: {} }, '200', '{}'],
  ['an empty body', {}, '200', ''],
  ['a null where a list belongs', { json: { streams: null } }, '200', '{"streams":null}'],
  ['a value of another type', { json: 7 }, '200', '7'],
  ['a JSON null', { json: null }, '200', 'null'],
  ['broken JSON', { text: '{"streams":[' }, '200', '{"streams":['],
  ["a gateway's page", { status: 502, headers: { 'content-type': 'text/html' }, text: '<html>' }, '502', '<html>'],
  ['a member laid over the real answer', { members: { nextToken: 5 } }, '200', '{"streams":[],"nextToken":5}'],
])('the answer can be %s', async (_, answer, status, body) => {
  await control.addFault({ operation: 'ListStreams', answer });
  const received = await receive();
  expect(received.head).toContain(`HTTP/1.1 ${status} `);
  expect(received.body).toBe(body);
  expect(await lastCall()).toMatchObject({ outcome: 'ok', status: 200, fault: 'false-answer' });
});

it('a false answer hides an error, members overlaid on an answer do not', async () => {
  await control.addFault({ operation: 'GetChannel', answer: { json: { channel: {} } }, times: 1 });
  const arn = 'arn:aws:ivs:us-west-2:111122223333:channel/nosuchthing1';
  expect(await send('GetChannel')({ arn })).toMatchObject({ channel: {} });
  expect(await lastCall('GetChannel')).toMatchObject({ outcome: 'ResourceNotFoundException', fault: 'false-answer' });
  await control.addFault({ operation: 'GetChannel', answer: { members: { channel: {} } }, times: 1 });
  expect(await failureOf(send('GetChannel')({ arn }))).toBe('404 ResourceNotFoundException');
});

it('a false answer can replace one without a body, and the call takes effect', async () => {
  const { arn } = await control.createChannel();
  await control.goLive(arn);
  await control.addFault({ operation: 'PutMetadata', answer: { members: { odd: true } } });
  await send('PutMetadata')({ channelArn: arn, metadata: 'x' });
  expect(await control.cues({ channelArn: arn })).toMatchObject([{ metadata: 'x' }]);
  await control.end(arn);
});

it('a list can be endless, with one token or with ever new ones', async () => {
  await control.createChannels(3);
  const follow = async (): Promise<[string[], string[]]> => {
    const tokens: string[] = [];
    const arns: string[] = [];
    for (let page = 0; page < 4; page++) {
      const answer: any = await send('ListChannels')({ maxResults: 1, nextToken: tokens.at(-1) });
      tokens.push(answer.nextToken);
      arns.push(...answer.channels.map((channel: { arn: string }) => channel.arn));
    }
    return [tokens, arns];
  };
  await control.addFault({ operation: 'ListChannels', answer: { pages: 'same-token' } });
  const [same, firsts] = await follow();
  expect([new Set(same).size, new Set(firsts).size, firsts.length]).toEqual([1, 1, 4]);
  await control.clearFaults();
  await control.addFault({ operation: 'ListChannels', answer: { pages: 'new-tokens' } });
  expect(new Set((await follow())[0]).size).toBe(4);
});

it('an answer can arrive in drips', async () => {
  await control.addFault({ operation: 'ListStreams', drip: { bytes: 3, everyMs: 10 } });
  expect(await receive()).toMatchObject({ body: '{"streams":[]}', pieces: ['{"s', 'tre', 'ams', '":[', ']}'] });
  expect(await lastCall()).toMatchObject({ fault: 'dripped-answer' });
});

it('a caller that leaves in the middle of a drip affects nobody', async () => {
  await control.addFault({ operation: 'ListStreams', drip: { everyMs: 25 } });
  const given = await receive(5);
  expect(given.body.length).toBeLessThan(14);
  await control.clearFaults();
  expect((await receive()).body).toBe('{"streams":[]}');
});

it.each([
  ['no-answer', /^$/, ''],
  ['after-headers', /200 OK/, ''],
  ['half-way', /200 OK/, '{"strea'],
] as const)('an answer can hang: %s', async (hang, head, body) => {
  await control.addFault({ operation: 'ListStreams', hang });
  const received = await receive(100);
  expect(received.head).toMatch(head);
  expect(received).toMatchObject({ body, closed: false });
  expect(await lastCall()).toMatchObject({ outcome: 'ok', fault: 'hung-answer' });
});

it('a connection can be closed in the middle of an answer', async () => {
  await control.addFault({ operation: 'ListStreams', reset: 'half-way' });
  expect(await receive(5_000)).toMatchObject({ body: '{"strea', closed: true });
  expect(await lastCall()).toMatchObject({ outcome: 'ok', fault: 'cut-answer' });
});

it('the faults of answers apply to the other services too', async () => {
  await control.addFault({ operation: 'events:ListRules', answer: { json: [] }, drip: { everyMs: 1 } });
  const answer = await fetch(simulator.url, {
    method: 'POST',
    headers: { 'x-amz-target': 'AWSEvents.ListRules' },
    body: '{}',
  });
  expect(await answer.text()).toBe('[]');
});

it('a hanging or dripping answer does not keep the simulator from closing', async () => {
  await using other = await startSimulator();
  await other.control.addFault({ operation: 'ListStreams', hang: 'after-headers' });
  await other.control.addFault({ operation: 'ListChannels', drip: { everyMs: 60_000 } });
  const calls = ['ListStreams', 'ListChannels'].map(async (operation) => {
    const answer = await fetch(`${other.url}/${operation}`, { method: 'POST', body: '{}' });
    return answer.text();
  });
  await Promise.all([
    other.control.waitForCall({ operation: 'ListStreams' }),
    other.control.waitForCall({ operation: 'ListChannels' }),
  ]);
  const ends = Promise.allSettled(calls);
  await other.close();
  expect((await ends).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});

it('an answer of two kinds at once is refused', async () => {
  await expect(control.addFault({ answer: { json: {}, text: '' } })).rejects.toThrow('one of text, json, members');
});
