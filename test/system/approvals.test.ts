// An action that waits for approval, from the rule to the call: two replicas, two people who answer at the same time and more than once,
// over the API and with the command line.
import { createHmac, randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { notes } from '#domain/state-registry.ts';
import { broadcast, type Daemon } from '#test/support/broadcast.ts';
import { commandLine } from '#test/support/command-line.ts';
import { startPathProxy } from '#test/support/path-proxy.ts';
import { eventually } from '#test/support/quiet.ts';
import { startVendors } from '#test/support/vendors.ts';

/** Made for this test. */
const slackSecret = 'not-a-secret-of-any-slack-app-00';

const rulesWith = (slack: string, secretFile: string) => `
receivers:
  - name: noc
    slack_configs: [{api_url: "${slack}", signing_secret_file: ${secretFile}}]
approvers:
  - {name: ann, slack_user_id: UANN}
  - {name: bob, slack_user_id: UBOB}
  - {name: root, slack_user_id: UROOT, role: admin}
rules:
  - name: stop
    mode: enforce
    trigger: {http: {name: panic}}
    actions: [{stop_stream: {}, approval: {count: 2, timeout: 1h}}]
    guards: {cooldown: 0s, max_per_hour: 100}
`;

interface Answer {
  readonly status: number;
  readonly body: any;
}

test('two people say yes on two replicas at once, twice each: the stream is stopped once, and everything shows who it was', async () => {
  const token = () => randomBytes(16).toString('hex');
  const tokens = { ann: token(), bob: token(), eve: token(), root: token() };
  const file = join(tmpdir(), `approval-tokens-${randomBytes(6).toString('hex')}`);
  const roles = { ann: 'operator', bob: 'operator', eve: 'viewer', root: 'admin' } as const;
  await writeFile(
    file,
    Object.entries(tokens)
      .map(([name, value]) => `${name} ${roles[name as keyof typeof roles]} ${value}\n`)
      .join(''),
  );
  const secretFile = `${file}-slack`;
  await writeFile(secretFile, `${slackSecret}\n`);
  await using vendors = await startVendors();
  await using platform = await broadcast();
  const { control } = platform.simulator;
  const [channel, other, third] = await control.createChannels(3);
  await control.goLive([channel!.arn, other!.arn, third!.arn]);
  const env = { AUTOPILOT_TOKENS_FILE: file };
  const rules = rulesWith(vendors.url('slack'), secretFile);
  const http =
    'external_url: "https://noc.example/ops", trusted_proxies: [127.0.0.2], auth_proxy: {header_name: X-User, headers: {role: X-Role}}';
  await using first = await platform.daemon({ rules, env, http });
  await using second = await platform.daemon({ rules, env, http });
  // A yes counts once a replica has seen a complete poll since its start (warm_up).
  const startedMs = Math.max(...[first, second].map(({ app }) => app.shards[0]!.state.nowMs()));
  for (const { app } of [first, second])
    await expect
      .poll(() => app.shards[0]!.state.view.get(notes.sweep('all'))?.startedAtMs ?? 0)
      .toBeGreaterThan(startedMs);
  const as = async (
    who: keyof typeof tokens,
    daemon: Daemon,
    method: string,
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> => {
    const answer = await fetch(`${daemon.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${tokens[who]}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
  };
  const stops = async () => (await control.calls({ operation: 'StopStream' })).length;
  const panic = async (arn: string) => {
    expect((await as('root', first, 'POST', '/v1/triggers/panic', { channelArn: arn })).status).toBe(202);
    return eventually(async () => {
      const { body } = await as('ann', second, 'GET', '/v1/approvals?state=waiting');
      return body.approvals.find((each: any) => each.channelArn === arn);
    });
  };

  const asked = await panic(channel!.arn);
  expect(asked).toMatchObject({
    rule: 'stop',
    action: 'stop_stream',
    state: 'waiting',
    count: 2,
    missing: 2,
    author: 'token root',
    now: { health: 'HEALTHY' },
  });
  const path = `/v1/approvals/${asked.id}`;
  // Robots and previews open links; only a POST by somebody who may approve counts.
  for (const method of ['GET', 'HEAD']) expect((await as('bob', first, method, path)).status).toBe(200);
  expect((await as('eve', first, 'POST', path, { decision: 'approve' })).status).toBe(403);
  expect((await as('root', first, 'POST', path, { decision: 'approve' })).body).toMatchObject({
    code: 'APPROVAL_NOT_ALLOWED',
  });
  expect((await fetch(`${first.url}${path}`, { method: 'POST' })).status).toBe(401);
  expect((await as('ann', first, 'POST', path, { decision: 'aprove' })).status).toBe(400);
  expect((await as('ann', first, 'POST', `${path}0`, { decision: 'approve' })).body).toMatchObject({
    code: 'NOT_FOUND',
  });
  const alerts = (await as('ann', second, 'GET', '/v1/alerts?kind=approval')).body.alerts;
  expect(alerts).toMatchObject([{ title: 'stop_stream waits for approval', channelArn: channel!.arn, rule: 'stop' }]);

  // A person who claims another name is still one person.
  const claim = { 'x-autopilot-as': 'Mara' };
  expect((await as('ann', first, 'POST', path, { decision: 'approve', reason: 'seen it' }, claim)).body).toMatchObject({
    state: 'waiting',
    missing: 1,
  });
  expect((await as('ann', second, 'POST', path, { decision: 'approve' })).body).toMatchObject({ missing: 1 });
  const presses = await Promise.all(
    [first, second, first, second].map((daemon) => as('bob', daemon, 'POST', path, { decision: 'approve' })),
  );
  expect(presses.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  const { body: approved } = await as('ann', second, 'GET', path);
  expect(approved).toMatchObject({
    state: 'approved',
    answers: [
      { who: 'token ann', from: '127.0.0.1', reason: 'seen it', shown: { health: 'HEALTHY' } },
      { who: 'token bob', from: '127.0.0.1' },
    ],
  });
  await eventually(async () => {
    const { body } = await as('ann', first, 'GET', `/v1/jobs/${approved.jobId}`);
    return body.state === 'completed' && body.result.outcome === 'done';
  });
  expect(await stops()).toBe(1);
  expect(await control.calls({ operation: 'StopStream' })).toMatchObject([{ channelArn: channel!.arn }]);
  const { body: decided } = await as('ann', first, 'GET', `/v1/decisions?rule=stop&outcome=acted`);
  expect(decided.decisions).toMatchObject([
    { reason: 'approved', words: 'approved by ann and bob', jobs: [{ jobId: approved.jobId }] },
  ]);
  const { body: audit } = await as('ann', first, 'GET', '/v1/audit?what=approve');
  expect(audit.entries.map(({ who, outcome }: any) => `${who} ${outcome}`).toSorted()).toEqual([
    'token ann done',
    'token bob done',
    'token root refused',
  ]);
  expect((await as('ann', first, 'POST', path, { decision: 'reject' })).body).toMatchObject({ code: 'APPROVAL_OVER' });

  // With the command line: a pause holds a yes back, a no ends it.
  const held = await panic(other!.arn);
  const cli = (who: 'ann' | 'bob', ...args: readonly string[]) =>
    commandLine(args, { env: { AUTOPILOT_URL: first.url, AUTOPILOT_API_TOKEN: tokens[who] } });
  expect((await cli('ann', 'approval', 'list')).out).toMatch(
    new RegExp(`WAITING stop_stream on .*\\n.* left, until .*\\n.*rule stop\\)[^]*id ${held.id}`),
  );
  expect((await cli('ann', 'approval', 'approve', held.id)).out).toContain('1 more must approve');
  await as('ann', second, 'POST', '/v1/pause', { reason: 'drill' });
  const refused = await cli('bob', 'approval', 'approve', held.id);
  expect(refused.code).toBe(1);
  expect(refused.err).toMatch(/held back by pause .*drill/);
  expect((await cli('bob', 'approval', 'reject', held.id, '--reason', 'sponsor')).out).toContain(
    'Rejected: stop_stream',
  );
  await as('ann', second, 'POST', '/v1/resume', {});
  expect((await cli('ann', 'approval', 'list')).out).toBe('Nothing waits for approval.');
  expect((await cli('ann', 'approval', 'list', '--all')).out).toMatch(/reject by bob from 127\.0\.0\.1 at .*: sponsor/);
  expect(await stops()).toBe(1);

  // With buttons in Slack, and by somebody whom a proxy signed in.
  const wanted = await panic(third!.arn);
  const buttons = () =>
    vendors
      .of('slack')
      .flatMap(({ body }) => body.attachments[1]?.blocks[0].elements ?? [])
      .filter(({ value }: { value: string }) => value === wanted.id);
  await expect.poll(() => buttons().map(({ action_id }: any) => action_id)).toEqual(['approve', 'reject']);
  expect(vendors.of('slack').filter(({ problem }) => problem !== undefined)).toEqual([]);
  expect(vendors.of('slack').at(-1)?.body.attachments[0].title_link).toBe(
    `https://noc.example/ops/#/approval/${wanted.id}`,
  );
  let pressed = 0;
  const signed = (user: string, action: string) => {
    pressed += 1;
    const [button] = buttons().filter(({ action_id }: any) => action_id === action);
    const payload = {
      type: 'block_actions',
      trigger_id: `${pressed}`,
      user: { id: user, name: 'root' },
      actions: [button],
    };
    const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
    const time = String(Math.floor(Date.now() / 1000));
    const digest = createHmac('sha256', slackSecret).update(`v0:${time}:${body}`).digest('hex');
    return { body, headers: { 'x-slack-request-timestamp': time, 'x-slack-signature': `v0=${digest}` } };
  };
  const send = async (daemon: Daemon, { body, headers }: ReturnType<typeof signed>): Promise<Answer> => {
    const answer = await fetch(`${daemon.url}/v1/slack/interactions`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body,
    });
    return { status: answer.status, body: await answer.json() };
  };
  const press = async (daemon: Daemon, user: string, action: string) =>
    (await send(daemon, signed(user, action))).body.text as string;
  expect(await press(first, 'UEVE', 'approve')).toContain('not in `approvers`');
  expect(await press(first, 'UROOT', 'approve')).toContain('not_by_author');
  const once = signed('UANN', 'approve');
  expect((await send(first, once)).body.text).toMatch(/^ann approved; 1 more must say yes/);
  expect(await send(second, once)).toMatchObject({ status: 409, body: { code: 'SLACK_REPLAYED' } });
  expect(await press(second, 'UANN', 'approve')).toContain('You have already said so');
  const { body: again } = await as('ann', second, 'POST', `/v1/approvals/${wanted.id}`, { decision: 'approve' });
  expect(again).toMatchObject({ state: 'waiting', missing: 1 });
  expect((await send(first, { ...once, body: `${once.body} ` })).body.code).toBe('SLACK_SIGNATURE_INVALID');
  await using proxy = await startPathProxy(second.url, { prefix: '/ops', from: '127.0.0.2' });
  const byProxy = async (user: string, role: string, origin: string) => {
    const answer = await fetch(`${proxy.url}/v1/approvals/${wanted.id}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-user': user, 'x-role': role, origin },
      body: JSON.stringify({ decision: 'approve' }),
    });
    return { status: answer.status, body: (await answer.json()) as any };
  };
  const own = 'https://noc.example';
  expect((await byProxy('Ann', 'operator', own)).body).toMatchObject({ missing: 1 });
  expect((await byProxy('zoe', 'viewer', own)).status).toBe(403);
  expect((await byProxy('zoe', 'operator', 'https://evil.example')).body).toMatchObject({ code: 'FOREIGN_REQUEST' });
  expect((await byProxy('zoe', 'operator', own)).body).toMatchObject({ state: 'approved' });
  await expect.poll(stops).toBe(2);
  expect(await press(first, 'UBOB', 'reject')).toMatch(/^Nothing was done: it ended/);
  const { body: who } = await as('ann', first, 'GET', `/v1/approvals/${wanted.id}`);
  expect(who.answers).toMatchObject([
    { who: 'user ann', from: 'slack UANN' },
    { who: 'user zoe', from: '127.0.0.2' },
  ]);
  await rm(file);
  await rm(secretFile);
});
