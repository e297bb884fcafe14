// What costs little once can be requested many times: the sum is limited, and the daemon keeps answering.
import { expect, test } from 'vitest';
import { broadcast } from '#test/support/broadcast.ts';
import { cpuMsSince } from '#test/support/effort.ts';

const slate = `
rules:
  - name: slate
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    actions: [{put_metadata: {payload: {type: slate}}}]
`;
/** None of them matches, and finding that out takes the old engine milliseconds for one channel. */
const heavy = [`(${'.*|'.repeat(100)}a)*~`, `(${'a*'.repeat(150)}.*)*~`, '(.*a){20}~', '((.*)*.*)~'];

test('silences with heavy expressions are limited in number and in cost, and delay nothing', async () => {
  await using platform = await broadcast();
  const arns = (await platform.simulator.control.createChannels(8)).map(({ arn }) => arn);
  for (const arn of arns) await platform.simulator.control.goLive(arn);
  await using daemon = await platform.daemon({ rules: `${slate}controls: {max_silences: 60, max_holds: 3}\n` });

  const silences = await Promise.all(
    Array.from({ length: 50 }, (_, n) =>
      daemon.ask('POST', '/v1/silences', {
        // The last matcher does not match: each silence is evaluated to its end, and none silences.
        matchers: [
          ...Array.from({ length: 19 }, (_m, m) => `channel!~"${heavy[(n + m) % heavy.length]}"`),
          `channel!~".*|${n}"`,
        ],
        reason: `number ${n}`,
        duration: '1h',
      }),
    ),
  );
  const made = silences.filter(({ status }) => status === 201);
  const refused = silences.filter(({ status }) => status !== 201);
  expect(made.length).toBeGreaterThan(0);
  expect(refused.length).toBeGreaterThan(0);
  for (const { body } of refused)
    expect(body).toMatchObject({
      status: 409,
      code: 'TOO_MANY_SILENCES',
      detail: expect.stringContaining('controls.max_regex_steps'),
    });
  const { body: audited } = await daemon.ask('GET', '/v1/audit?what=POST%20%2Fv1%2Fsilences&limit=100');
  expect(audited.entries[0]).toMatchObject({
    outcome: 'refused',
    reason: expect.stringContaining('TOO_MANY_SILENCES'),
  });

  const plain = [];
  for (let n = made.length; n < 61; n += 1)
    plain.push(
      await daemon.ask('POST', '/v1/silences', {
        matchers: [`rule="other-${n}"`],
        reason: `plain ${n}`,
        duration: '1h',
      }),
    );
  expect(plain.at(-2)!.status).toBe(201);
  expect(plain.at(-1)!.body).toMatchObject({
    status: 409,
    code: 'TOO_MANY_SILENCES',
    detail: expect.stringContaining('controls.max_silences'),
  });

  const held = [];
  for (const arn of arns.slice(0, 4))
    held.push(await daemon.ask('PUT', `/v1/holds/${encodeURIComponent(arn)}`, { reason: 'hold' }));
  expect(held.map(({ status }) => status)).toEqual([200, 200, 200, 409]);
  expect(held[3]!.body).toMatchObject({
    code: 'TOO_MANY_HOLDS',
    detail: expect.stringContaining('controls.max_holds'),
  });
  // An existing hold can be given another reason.
  expect((await daemon.ask('PUT', `/v1/holds/${encodeURIComponent(arns[0]!)}`, { reason: 'again' })).status).toBe(200);

  const startedAt = process.cpuUsage();
  await platform.simulator.control.starve(arns);
  await expect.poll(async () => (await daemon.ask('GET', '/v1/decisions?outcome=acted')).body.decisions.length).toBe(5);
  // An engine that evaluated every silence for each decision took more than a second of the processor for each.
  expect(cpuMsSince(startedAt)).toBeLessThan(5_000);
});
