// What the SDK hides: headers, bodies, status lines, broken requests, connections that are cut.
import { request } from 'node:http';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { startSimulator } from '#simulator/server.ts';

const simulator = await startSimulator({ seed: 'wire', enforcement: 'off' });
const { control } = simulator;

afterAll(() => simulator.close());
afterEach(async () => {
  await control.clearFaults();
  await control.configure({
    enforcement: 'off',
    switches: { errorBody: 'exceptionMessage', throttleError: 'ThrottlingException' },
  });
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** One raw request, on a connection of its own. */
const raw = (method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const call = request(
      {
        host: '127.0.0.1',
        port: simulator.port,
        method,
        path,
        headers: { 'content-type': 'application/json', ...headers },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      },
    );
    call.on('error', reject);
    call.end(body);
  });

const post = (operation: string, input: unknown): Promise<Answer> =>
  raw('POST', `/${operation}`, JSON.stringify(input));
const json = ({ body }: Answer): any => JSON.parse(body);

describe('an answer', () => {
  it('carries a request id and the JSON content type', async () => {
    const answer = await post('ListStreams', {});
    expect(answer).toMatchObject({ status: 200, body: '{"streams":[]}' });
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.headers['x-amzn-requestid']).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(answer.headers).not.toHaveProperty('x-amzn-errortype');
  });

  it('to a deletion or to metadata is 204 without a body or content headers', async () => {
    const channel = await control.createChannel();
    await control.goLive(channel.arn);
    const answers = [
      await post('PutMetadata', { channelArn: channel.arn, metadata: 'x' }),
      await post('DeleteStreamKey', { arn: channel.streamKeyArn }),
    ];
    await control.end(channel.arn);
    answers.push(await post('DeleteChannel', { arn: channel.arn }));
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 204, body: '' });
      expect(answer.headers).not.toHaveProperty('content-type');
      expect(answer.headers['x-amzn-requestid']).toBeDefined();
    }
  });

  it('writes times as ISO 8601 text in whole seconds, and leaves out members without a value', async () => {
    const { arn } = await control.createChannel({ name: 'times' });
    await control.goLive(arn);
    const [stream] = json(await post('ListStreams', {})).streams;
    expect(stream.startTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const { streamSession } = json(await post('GetStreamSession', { channelArn: arn }));
    expect(streamSession).not.toHaveProperty('endTime');
    expect(streamSession).not.toHaveProperty('recordingConfiguration');
    expect(streamSession.truncatedEvents[0]).not.toHaveProperty('code');
    await control.end(arn);
  });

  it('accepts an empty body, null members and unknown members for what they are', async () => {
    expect((await raw('POST', '/ListChannels')).status).toBe(200);
    expect((await post('ListChannels', { nextToken: null, filterByName: null, unknown: 1 })).status).toBe(200);
    expect((await post('ListChannels', { nextToken: '' })).status).toBe(200);
  });

  it('works with any content type, since curl sends a form type', async () => {
    const answer = await raw('POST', '/ListStreams', '{}', { 'content-type': 'application/x-www-form-urlencoded' });
    expect(answer.status).toBe(200);
  });
});

describe('an error', () => {
  it('has its shape in the header and only exceptionMessage in the body; with a switch message too', async () => {
    const input = { arn: 'arn:aws:ivs:us-west-2:111122223333:channel/nosuchthing1' };
    const answer = await post('GetChannel', input);
    expect(answer.status).toBe(404);
    expect(answer.headers['x-amzn-errortype']).toBe('ResourceNotFoundException');
    expect(answer.headers['content-type']).toBe('application/json');
    expect(json(answer)).toEqual({ exceptionMessage: `Resource: ${input.arn} not found` });
    await control.configure({ switches: { errorBody: 'both' } });
    const both = json(await post('GetChannel', input));
    expect(both.message).toBe(both.exceptionMessage);
  });

  it.each([
    ['POST', '/ListStreams', '{"maxResults":', 400, 'ValidationException'],
    ['POST', '/ListStreams', '[]', 400, 'ValidationException'],
    ['POST', '/ListStreams', '"text"', 400, 'ValidationException'],
    ['POST', '/ListStreams', 'null', 400, 'ValidationException'],
    ['POST', '/ListStreams', '{"maxResults":"10"}', 400, 'ValidationException'],
    ['POST', '/ListStreams', '{"maxResults":1.5}', 400, 'ValidationException'],
    ['POST', '/ListStreams', '{"filterBy":"STARVING"}', 400, 'ValidationException'],
    ['POST', '/CreateChannel', '{"authorized":"true"}', 400, 'ValidationException'],
    ['POST', '/CreateChannel', '{"tags":["a"]}', 400, 'ValidationException'],
    ['POST', '/GetStream', '{}', 400, 'ValidationException'],
    ['GET', '/ListStreams', undefined, 404, 'UnknownOperationException'],
    ['PUT', '/CreateChannel', '{}', 404, 'UnknownOperationException'],
    ['POST', '/liststreams', '{}', 404, 'UnknownOperationException'],
    ['POST', '/NoSuchOperation', '{}', 404, 'UnknownOperationException'],
    ['POST', '/__proto__', '{}', 404, 'UnknownOperationException'],
    ['GET', '/tags/%E0%A4%A', undefined, 400, 'ValidationException'],
    [
      'POST',
      '/PutMetadata',
      JSON.stringify({ metadata: 'x'.repeat(2_000_000) }),
      413,
      'RequestEntityTooLargeException',
    ],
  ])('%s %s %.40s is %i %s', async (method, path, body, status, name) => {
    const answer = await raw(method, path, body);
    expect([answer.status, answer.headers['x-amzn-errortype']]).toEqual([status, name]);
    expect(Object.keys(json(answer))).toEqual(['exceptionMessage']);
  });

  it('names the member that is missing', async () => {
    const answer = await post('PutMetadata', { metadata: 'x' });
    expect(json(answer).exceptionMessage).toBe('PutMetadata.channelArn is a required attribute');
  });
});

describe('tags', () => {
  it('are addressed by an ARN in one percent-encoded segment', async () => {
    const { arn } = await control.createChannel();
    const path = `/tags/${encodeURIComponent(arn)}`;
    expect(path).toContain('%3A');
    const tags = { tags: { tier: 'gold', 'ä b': '1' } };
    expect(await raw('POST', path, JSON.stringify(tags))).toMatchObject({ status: 200, body: '{}' });
    expect(json(await raw('GET', path))).toEqual(tags);
    expect(await raw('DELETE', `${path}?tagKeys=tier&tagKeys=%C3%A4+b`)).toMatchObject({ status: 200, body: '{}' });
    expect(json(await raw('GET', path))).toEqual({ tags: {} });
  });

  it('named __proto__ or constructor are ordinary tags', async () => {
    const { arn } = await control.createChannel();
    const path = `/tags/${encodeURIComponent(arn)}`;
    await raw('POST', path, '{"tags":{"__proto__":"a","constructor":"b"}}');
    expect((await raw('GET', path)).body).toBe('{"tags":{"__proto__":"a","constructor":"b"}}');
  });
});

describe('a throttled call', () => {
  it('is a 429 ThrottlingException that names operation, rate and channel; with a switch the gateway refuses', async () => {
    const { arn } = await control.createChannel();
    await control.goLive(arn);
    await control.configure({ enforcement: 'sliding-window' });
    const put = () => post('PutMetadata', { channelArn: arn, metadata: 'x' });
    const answers = await Promise.all(Array.from({ length: 7 }, put));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(2);
    expect(refused[0]!.headers['x-amzn-errortype']).toBe('ThrottlingException');
    expect(json(refused[0]!).exceptionMessage).toBe(
      `Operation: ivs:PutMetadata exceeded call rate: 5 for resource: ${arn}`,
    );
    await control.configure({ switches: { throttleError: 'TooManyRequestsException' } });
    expect((await put()).headers['x-amzn-errortype']).toBe('TooManyRequestsException');
    const outcomes = (await control.calls({ channelArn: arn, operation: 'PutMetadata' })).map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === 'ok')).toHaveLength(5);
    expect(await control.summary({ channelArn: arn, operation: 'PutMetadata' })).toEqual([
      {
        operation: 'PutMetadata',
        calls: 8,
        ok: 5,
        throttled: 3,
        failed: 0,
        peakPerSecond: 5,
        peakPerChannelPerSecond: 5,
      },
    ]);
    await control.end(arn);
  });
});

describe('a connection', () => {
  it('can be cut before a call takes effect, or after: the lost answer', async () => {
    const { arn } = await control.createChannel();
    await control.goLive(arn);
    const put = (metadata: string) => post('PutMetadata', { channelArn: arn, metadata });
    await control.addFault({ operation: 'PutMetadata', reset: 'before-effect', times: 1 });
    await expect(put('never')).rejects.toThrow(/hang up|ECONNRESET/);
    await control.addFault({ operation: 'PutMetadata', reset: 'after-effect', nth: 2, times: 1 });
    expect((await put('one')).status).toBe(204);
    await expect(put('lost answer')).rejects.toThrow(/hang up|ECONNRESET/);
    expect((await control.cues({ channelArn: arn })).map(({ metadata }) => metadata)).toEqual(['one', 'lost answer']);
    expect(await control.calls({ channelArn: arn, operation: 'PutMetadata' })).toMatchObject([
      { outcome: 'ConnectionReset', status: 0, fault: 'reset' },
      { outcome: 'ok', status: 204 },
      { outcome: 'ok', status: 204, fault: 'lost-answer' },
    ]);
    await control.end(arn);
  });

  it('can be slow before the call is counted, and after', async () => {
    await control.addFault({ operation: 'ListStreams', latencyMs: [60, 80], answerLatencyMs: 60, times: 1 });
    const startedAt = await control.now();
    await post('ListStreams', {});
    const [call] = (await control.calls({ operation: 'ListStreams' })).slice(-1);
    expect(call!.at - startedAt).toBeGreaterThanOrEqual(59);
    expect((await control.now()) - call!.at).toBeGreaterThanOrEqual(59);
  });

  it('that waits for a slow answer ends when the simulator closes', async () => {
    await using other = await startSimulator();
    await other.control.addFault({ latencyMs: 60_000 });
    const call = fetch(`${other.url}/ListStreams`, { method: 'POST', body: '{}' });
    await other.control.waitForCall({}, 20).catch(() => {});
    await Promise.all([expect(call).rejects.toThrow('fetch failed'), other.close()]);
  });
});

describe('the control API', () => {
  it('refuses what it does not know, in one sentence', async () => {
    const answers = [
      await raw('POST', '/_simulator/streams/starve', '{"channels":["nobody"]}'),
      await raw('POST', '/_simulator/faults', '{"operatoin":"ListStreams"}'),
      await raw('POST', '/_simulator/faults', '{'),
      await raw('GET', '/_simulator/nothing'),
      await raw('GET', '/_simulator/calls?limit=many'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([404, 400, 400, 404, 400]);
    expect(json(answers[1]!).error).toMatch(/^Unrecognized key: "operatoin"; known are .*operation/);
  });

  it('refuses query parameters that it does not take, and finds channels by name', async () => {
    const misspelt = await Promise.all(
      ['cues?chanel=a', 'calls?channelarn=a', 'events?after=1', 'revocations?x', 'health?verbose=1'].map((path) =>
        raw('GET', `/_simulator/${path}`),
      ),
    );
    expect(misspelt.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400]);
    expect(json(misspelt[0]!).error).toBe(
      'unknown query parameter chanel: this address takes channel, channelArn, afterSeq',
    );
    expect(json(misspelt[4]!).error).toBe('unknown query parameter verbose: this address takes none');
    expect((await raw('GET', '/_simulator/cues?channel=nobody')).status).toBe(404);

    const [one, other] = await control.createChannels([{ name: 'cued-1' }, { name: 'cued-2' }]);
    await control.connect([one!.arn, other!.arn]);
    for (const { arn } of [one!, other!]) await post('PutMetadata', { channelArn: arn, metadata: 'hello' });
    const cues = json(await raw('GET', '/_simulator/cues?channel=cued-2')).cues;
    expect(cues).toMatchObject([{ channelArn: other!.arn, metadata: 'hello' }]);
  });

  it('waits for a call that has not come yet', async () => {
    const waiting = control.waitForCall({ operation: 'ListPlaybackKeyPairs' });
    await post('ListPlaybackKeyPairs', {});
    expect(await waiting).toMatchObject({ operation: 'ListPlaybackKeyPairs', outcome: 'ok', status: 200 });
    await expect(control.waitForCall({ operation: 'GetPlaybackKeyPair' }, 10)).rejects.toThrow('within 10 ms');
  });
});

it('releases its port when it closes', async () => {
  const another = await startSimulator();
  await another.close();
  const again = await startSimulator({ port: another.port });
  expect(again.port).toBe(another.port);
  await again.close();
});

it('the same seed gives the same names', async () => {
  const arns = [];
  for (let n = 0; n < 2; n++) {
    await using one = await startSimulator({ seed: 'same' });
    arns.push((await one.control.createChannels(3)).map(({ arn, streamKey }) => [arn, streamKey]));
  }
  expect(arns[0]).toEqual(arns[1]);
});
