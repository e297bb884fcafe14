// Every route in the daemon's own API document, called with what the document allows and with what it does not.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Known,
  nounOf,
  type Operation,
  operationsOf,
  type Request,
  requestOf,
} from '#test/support/api-requests.ts';
import { broadcast } from '#test/support/broadcast.ts';

const rules = `
receivers: [{name: noc, webhook_configs: [{url: "http://127.0.0.1:9/"}]}]
rules:
  - name: slate
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    actions: [{put_metadata: {payload: {type: slate}}}]
  - name: called
    mode: enforce
    trigger: {http: {name: go}}
    actions: [{notify: {receiver: noc, text: called}}, {tag: {set: {x: y}}, approval: {not_by_author: false}}]
`;
/** Each calls every operation once. */
const rounds = 30;
/** Further requests to a route that has never succeeded. */
const mostMore = 200;
/**
 * The objects that these end, repeat or show are rare: bulk actions, timers, messages and jobs that failed, approvals, intents, stopped
 * rules, a session by its id.
 */
const needMore = /bulk|timers|resend|intents|reset|acknowledge|approvals\/|DELETE .*ad-breaks|\/samples|\/report/;
/** Guards against an answer that never comes: the daemon itself gives up after 15 s. */
const longestMs = 60_000;

test('every answer of every route is in the document, and never an internal error or missing', async () => {
  await using platform = await broadcast();
  const arns = (await platform.simulator.control.createChannels(3)).map(({ arn }) => arn);
  for (const arn of arns.slice(1)) await platform.simulator.control.goLive(arn);
  const folder = await mkdtemp(join(tmpdir(), 'autopilot-fuzz-'));
  await using daemon = await platform.daemon({ rules });
  const operations = operationsOf((await daemon.ask('GET', '/docs/json')).body);
  // Existing objects, so that requests find them; ids are added as answers name them, by noun.
  const ids = new Map<string, string[]>();
  const known: Known = {
    channelArn: fc.constantFrom(...arns),
    channelArns: fc.uniqueArray(fc.constantFrom(...arns), { minLength: 1 }),
    rule: fc.constantFrom('slate', 'called'),
    name: fc.constant('go'),
    account: fc.constant('main'),
    receiver: fc.constant('noc'),
    since: fc.constantFrom('1h', '2026-01-01T00:00:00Z'),
    until: fc.constantFrom('1s', '2036-01-01T00:00:00Z'),
    matchers: fc.constant(['rule="slate"']),
    // Mostly not, so that there is something to end afterwards.
    dryRun: fc.constantFrom(false, false, false, true),
    url: fc.constant('http://127.0.0.1:9/'),
    ...Object.fromEntries(['file', 'url_file', 'hmac_key_file'].map((name) => [name, fc.constant(join(folder, name))])),
  };
  const idFor = (noun: string) =>
    fc.nat().map((n) => {
      const given = ids.get(noun) ?? ['none'];
      return given[n % given.length]!;
    });
  const behindValidation = new Set<string>();
  const succeeded = new Set<string>();
  const nameOf = ({ method, path }: Operation) => `${method} ${path}`;
  const isMissing = (name: string) => !succeeded.has(name) && !needMore.test(name);
  const requestsOf = (operation: Operation) => requestOf(operation, { ...known, id: idFor(nounOf(operation)) });

  const ask = async (operation: Operation, { path, body, key }: Request): Promise<void> => {
    const answer = await fetch(daemon.url + path, {
      method: operation.method,
      headers: {
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(longestMs),
    });
    const { status } = answer;
    if (status < 300 && operation.streams) {
      const reader = answer.body!.getReader();
      expect((await reader.read()).done).toBe(false);
      await reader.cancel();
    }
    const text = status < 300 && operation.streams ? '' : await answer.text();
    const json: any = text.startsWith('{') ? JSON.parse(text.split('\n')[0]!) : undefined;
    expect(status, text).toBeLessThan(500);
    if (status >= 400) expect(json).toMatchObject({ code: expect.any(String), remedy: expect.any(String), status });
    else expect(operation.statuses).toContain(String(status));
    const name = nameOf(operation);
    if (json?.code !== 'REQUEST_INVALID') behindValidation.add(name);
    if (status < 300) succeeded.add(name);
    for (const [, field, id] of text.matchAll(/"(id|jobId|batchId|bulkId)":"([^"]{1,64})"/g)) {
      const noun = field === 'jobId' ? 'jobs' : id!.startsWith('d-') ? 'decisions' : nounOf(operation);
      ids.set(noun, [...(ids.get(noun) ?? []), id!].slice(-5));
    }
  };

  try {
    await fc.assert(
      fc.asyncProperty(fc.tuple(...operations.map(requestsOf)), async (requests) => {
        // Those of other rounds may be over by now.
        const made = await daemon.ask('POST', '/v1/silences', {
          matchers: ['rule="slate"'],
          reason: 'to be ended',
          duration: '24h',
        });
        ids.set('silences', [made.body.id]);
        for (const [index, request] of requests.entries()) {
          const operation = operations[index]!;
          try {
            await ask(operation, request);
          } catch (error) {
            throw new Error(`${operation.method} ${JSON.stringify(request)}`, { cause: error });
          }
        }
      }),
      { numRuns: rounds, endOnFailure: true },
    );
    // A route that was unlucky in every round, such as always with a channel without a stream, gets more.
    for (let more = 0; more < mostMore; more += 1)
      for (const operation of operations.filter((each) => isMissing(nameOf(each))))
        for (const request of fc.sample(requestsOf(operation), 1)) await ask(operation, request);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const names = operations.map(nameOf);
  expect(operations.filter(({ streams }) => streams).map(({ path }) => path)).toEqual([
    '/v1/metadata/batches/{id}/events',
    '/v1/live',
  ]);
  // No operation was only refused at the start, and everything that needs only existing objects was done.
  expect(names.filter((name) => !behindValidation.has(name))).toEqual([]);
  expect(names.filter(isMissing)).toEqual([]);
});
