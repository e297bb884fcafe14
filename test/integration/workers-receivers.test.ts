// Messages to every kind of receiver, against stand-ins that check what their vendors document.
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '#config/load.ts';
import { type ActionJob, actionSchemas } from '#domain/action.ts';
import { kinds, logs } from '#domain/state-registry.ts';
import { processEgress } from '#runtime/egress.ts';
import { startSimulator } from '#simulator/server.ts';
import { startLocalSqs } from '#simulator/sqs.ts';
import { type ActionRig, actionRig, operatorJob } from '#test/support/action-rig.ts';
import { authority } from '#test/support/certificates.ts';
import { receiverOf } from '#test/support/receivers.ts';
import { redisScope } from '#test/support/redis.ts';
import { type Answer, startVendors } from '#test/support/vendors.ts';
import { flushGroups } from '#workers/groups.ts';

const channelArn = 'arn:aws:ivs:us-west-2:111122223333:channel/aBcDeFgHiJkL';
/** Nobody's key: 32 characters, as in PagerDuty. */
const routingKey = 'not-a-key-made-for-this-test-000';

const secrets = { api_url: 'slack', webhook_url: 'msteams', url: 'json' } as const;

async function setup(answer?: Answer, more: Readonly<Record<string, unknown>> = {}) {
  const resources = new AsyncDisposableStack();
  const simulator = resources.use(await startSimulator({ enforcement: 'off' }));
  const scope = resources.use(await redisScope());
  const vendors = resources.use(await startVendors(answer));
  const folder = await mkdtemp(join(tmpdir(), 'receivers-'));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  for (const [name, vendor] of Object.entries(secrets)) await writeFile(join(folder, name), `${vendors.url(vendor)}\n`);
  await writeFile(join(folder, 'routing_key'), `${routingKey}\n`);
  await writeFile(join(folder, 'token'), 'a-bearer-token-of-this-test\n');
  const file = (name: string) => join(folder, name);
  const noc = receiverOf({
    name: 'noc',
    webhook_configs: [
      { url_file: file('url') },
      {
        url: vendors.url('alertmanager'),
        format: 'alertmanager',
        http_config: { authorization: { credentials_file: file('token') } },
      },
    ],
    slack_configs: [{ api_url_file: file('api_url'), send_resolved: true }],
    pagerduty_configs: [{ routing_key_file: file('routing_key'), url: vendors.url('pagerduty') }],
    msteamsv2_configs: [{ webhook_url_file: file('webhook_url') }],
    ...more,
  });
  const receivers = [noc];
  const rig = resources.use(
    await actionRig({ simulatorUrl: simulator.url, redis: scope.redis, prefix: scope.prefix, receivers }),
  );
  const again = () => actionRig({ simulatorUrl: simulator.url, redis: scope.redis, prefix: scope.prefix, receivers });
  return { rig, again, receivers, vendors, scope, folder, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** A rule's notification about its beginning or its end. */
function ruleJob(text: string, end?: { readonly isAutomatic?: true }): ActionJob<'notify'> {
  const begin = Date.parse('2026-11-30T20:00:00Z');
  return {
    action: 'notify',
    params: actionSchemas.notify.parse({ receiver: 'noc', text, severity: 'critical' }),
    channelArn,
    cause: { kind: 'rule', rule: 'starving', decisionId: 'd-1' },
    decidedAtMs: begin + 30_000,
    alert: {
      fingerprint: 'f00d',
      labels: {
        alertname: 'starving',
        rule: 'starving',
        severity: 'critical',
        channel: channelArn,
        channel_name: 'studio-a',
      },
      startsAtMs: begin,
      ...(end ? { endsAtMs: begin + 60_000, ...end } : {}),
      firing: { rule: 'starving', subject: channelArn, causeId: 'c-1' },
    },
  };
}

describe('a rule’s notification', () => {
  test('has the format of every vendor, says firing and resolved, and keeps one identity', async () => {
    await using t = await setup();

    await t.rig.settle('note-1', ruleJob('studio-a starves <!channel> [here](http://evil.example)'));
    await t.rig.settle('note-2', ruleJob('Resolved: studio-a starves', { isAutomatic: true }));

    expect(t.vendors.got.filter(({ problem }) => problem !== undefined)).toEqual([]);
    expect(t.vendors.got.map(({ vendor }) => vendor).toSorted()).toEqual(
      ['alertmanager', 'json', 'msteams', 'pagerduty', 'slack'].flatMap((vendor) => [vendor, vendor]),
    );
    const [firing, resolved] = t.vendors.of('alertmanager');
    expect(firing?.headers.authorization).toBe('Bearer a-bearer-token-of-this-test');
    expect(firing?.body).toMatchObject({
      status: 'firing',
      receiver: 'noc',
      commonLabels: { alertname: 'starving', severity: 'critical', channel_name: 'studio-a' },
      externalURL: 'https://autopilot.example',
      alerts: [
        {
          startsAt: '2026-11-30T20:00:00.000Z',
          endsAt: '0001-01-01T00:00:00Z',
          fingerprint: 'f00d',
          generatorURL: `https://autopilot.example/#/stream/${encodeURIComponent(channelArn)}`,
        },
      ],
    });
    expect(resolved?.body).toMatchObject({
      status: 'resolved',
      groupKey: firing?.body.groupKey,
      alerts: [{ status: 'resolved', endsAt: '2026-11-30T20:01:00.000Z', fingerprint: 'f00d' }],
    });
    const events = t.vendors.of('pagerduty').map(({ body }) => body);
    expect(events[0]).toMatchObject({
      routing_key: routingKey,
      event_action: 'trigger',
      payload: { severity: 'critical', source: 'studio-a', timestamp: '2026-11-30T20:00:00.000Z' },
      links: [{ href: expect.stringContaining('#/stream/') }],
    });
    expect(events[1]).toEqual({ routing_key: routingKey, event_action: 'resolve', dedup_key: events[0].dedup_key });
    const attachments = t.vendors.of('slack').map(({ body }) => body.attachments[0]);
    expect(attachments[0]).toMatchObject({ color: 'danger', title: '[FIRING] starving studio-a' });
    expect(attachments[0].text).toBe('studio-a starves &lt;!channel&gt; [here](http://evil.example)');
    expect(attachments[1]).toMatchObject({
      color: 'good',
      title: '[RESOLVED] starving studio-a',
      text: 'studio-a starves',
    });
    const [card] = t.vendors.of('msteams').map(({ body }) => body.attachments[0].content.body);
    expect(card[1].text).toContain(String.raw`\[here\](http://evil.example)`);
    expect(t.vendors.of('json')[0]?.body).toMatchObject({ version: 1, receiver: 'noc', jobId: 'note-1' });
  });

  test('its end is not sent to those without send_resolved, unless the rule names them', async () => {
    await using t = await setup(undefined, {
      slack_configs: undefined,
      pagerduty_configs: undefined,
      msteamsv2_configs: undefined,
    });
    const quiet = receiverOf({ name: 'quiet', slack_configs: [{ api_url: t.vendors.url('slack') }] });
    t.rig.ports.receiver = () => quiet;

    await t.rig.settle('note-1', ruleJob('Resolved: studio-a starves', { isAutomatic: true }));
    expect(t.vendors.got).toEqual([]);
    await t.rig.settle('note-2', ruleJob('studio-a is well again', {}));
    expect(t.vendors.of('slack').map(({ body }) => body.attachments[0].text)).toEqual(['studio-a is well again']);
  });
});

describe('grouped notifications', () => {
  /** Sends what is due, as the upkeep and the queue do. Returns the audit's text for each. */
  async function flush(rig: ActionRig): Promise<unknown[]> {
    const results: unknown[] = [];
    for (const { jobId, job } of await due(rig)) results.push(await rig.settle(jobId, job));
    return results;
  }
  /** The messages that are due and under way. */
  async function due(rig: ActionRig): Promise<{ readonly jobId: string; readonly job: ActionJob }[]> {
    await rig.state.transact((tx) =>
      flushGroups(tx, { receiver: (name) => rig.ports.receiver(name), isSilenced: () => false }),
    );
    const waiting = Array.from(rig.state.view.entries(kinds.job), ([, job]) => job);
    await rig.state.transact((tx) => {
      for (const { jobId } of waiting) tx.delete(kinds.job.of(jobId));
    });
    return waiting.map(({ jobId, payload }) => ({ jobId, job: payload as unknown as ActionJob }));
  }
  const about = (channel: string, more: Partial<ActionJob<'notify'>> = {}): ActionJob<'notify'> => {
    const job = ruleJob(`${channel} starves`);
    const labels = { ...job.alert!.labels, channel_name: channel };
    return { ...job, alert: { ...job.alert!, fingerprint: `fp-${channel}`, labels, firing: undefined }, ...more };
  };

  test('for a receiver with group_by are one message to each integration, whichever replica evaluates; a person’s, and an approval, go at once', async () => {
    await using t = await setup(undefined, { group_by: ['alertname'], group_wait: '0s' });

    for (const channel of ['a', 'b', 'c']) {
      const result = await t.rig.settle(`note-${channel}`, about(channel));
      expect(result).toMatchObject({ outcome: 'done', groups: ['{receiver="noc"}:{alertname="starving"}'] });
    }
    expect(t.vendors.got).toEqual([]);
    expect(await flush(t.rig)).toMatchObject([{ outcome: 'done', reason: '3 firing, 0 resolved', sent: 5 }]);
    expect(await flush(t.rig)).toEqual([]);

    expect(t.vendors.got.map(({ vendor, problem }) => [vendor, problem])).toHaveLength(5);
    expect(t.vendors.got.filter(({ problem }) => problem !== undefined)).toEqual([]);
    expect(t.vendors.of('alertmanager')[0]?.body).toMatchObject({
      groupKey: '{receiver="noc"}:{alertname="starving"}',
      groupLabels: { alertname: 'starving' },
      alerts: [{}, {}, {}],
    });
    expect(t.vendors.of('json')[0]?.body).toMatchObject({ status: 'firing', firing: 3, resolved: 0 });
    expect(t.vendors.of('slack')[0]?.body.attachments[0].title).toBe('[FIRING:3] starving');

    await t.rig.settle('note-person', operatorJob('notify', { receiver: 'noc', text: 'hello' }));
    await t.rig.settle('note-approval', about('d', { isNotice: true }));
    expect(t.vendors.of('json')).toHaveLength(3);
  });

  test('are sent once, even if their job runs again after a crash', async () => {
    await using t = await setup(undefined, { group_by: ['alertname'], group_wait: '0s' });

    await t.rig.settle('note-a', about('a'));
    expect(await flush(t.rig)).toHaveLength(1);
    expect(await t.rig.settle('note-a', about('a'))).toMatchObject({
      outcome: 'done',
      reason: expect.stringContaining('earlier run'),
    });
    const groups = Array.from(t.rig.state.view.entries(kinds.alertGroup), ([, { count }]) => count);
    expect(groups).toEqual([0]);
  });

  test('under way when their process dies continue in another, to those that do not have them', async () => {
    await using t = await setup(
      ({ vendor, count }) => (vendor === 'slack' && count === 1 ? { status: 503 } : undefined),
      {
        group_by: ['alertname'],
        group_wait: '0s',
      },
    );
    await t.rig.settle('note-a', about('a'));
    const [message] = await due(t.rig);
    await t.rig.run(message!.jobId, message!.job).catch(() => undefined);
    expect(t.vendors.got.map(({ vendor }) => vendor)).toContain('slack');
    const before = t.vendors.got.length;
    await using other = await t.again();

    expect(await other.run(message!.jobId, message!.job)).toMatchObject({ outcome: 'done', sent: 5 });
    expect(t.vendors.got.slice(before).map(({ vendor }) => vendor)).toEqual(['slack']);
  });

  test('that are given up for one integration are sent to it again at the group’s next evaluation', async () => {
    await using t = await setup(
      ({ vendor, count }) => (vendor === 'pagerduty' && count === 1 ? { status: 400 } : undefined),
      {
        group_by: ['alertname'],
        group_wait: '0s',
      },
    );
    await t.rig.settle('note-a', ruleJob('a starves'));
    await t.rig.state.transact((tx) => {
      const evidence = { kind: 'state' as const, sinceMs: 0, text: '', values: {} };
      const firing = {
        cause: { id: 'c-1', evidence },
        firedAtMs: 0,
        acted: true,
        mode: 'enforce' as const,
        decisionId: 'd',
      };
      const memory = { rule: 'starving', subject: channelArn, conditionHash: 'h', acted: [], touchedMs: 0, firing };
      tx.set(kinds.ruleMemory.of('starving', channelArn), memory);
    });
    const [message] = await due(t.rig);
    await expect(t.rig.run(message!.jobId, message!.job)).rejects.toMatchObject({ code: 'WEBHOOK_REJECTED' });
    const [id, group] = [...t.rig.state.view.entries(kinds.alertGroup)][0]!;
    await t.rig.state.transact((tx) => tx.set(kinds.alertGroup.of(id), { ...group, nextMs: 0 }));
    const before = t.vendors.got.length;

    const [again] = await due(t.rig);
    expect(await t.rig.run(again!.jobId, again!.job)).toMatchObject({ outcome: 'done', sent: 1 });
    expect(t.vendors.got.slice(before).map(({ vendor }) => vendor)).toEqual(['pagerduty']);
  });

  test('without a receiver follow the route, and a dry run says so', async () => {
    await using t = await setup(undefined, {});
    const parsed = parseConfig(
      'version: 1\nreceivers: [{name: noc, webhook_configs: [{url: "https://noc.example/"}]}]\nroute: {receiver: noc, group_by: [severity], group_wait: 0s}',
      'f.yaml',
    );
    t.rig.ports.route = () => (parsed.ok ? parsed.config.ruleset.route : undefined);
    const params = actionSchemas.notify.parse({ text: 'x starves' });

    const dry = await t.rig.run('note-0', about('a', { params, dryRun: true }));
    expect(dry).toMatchObject({
      outcome: 'skipped',
      calls: [expect.stringMatching(/^notify noc: .*grouped by severity$/)],
    });
    await t.rig.settle('note-1', about('a', { params }));
    await flush(t.rig);

    expect(t.vendors.of('alertmanager')[0]?.body).toMatchObject({ groupKey: '{}:{severity="critical"}' });
  });

  test('above max_per_hour wait in one message, which the journal mentions', async () => {
    await using t = await setup(undefined, { max_per_hour: 1 });

    const results = [];
    for (const channel of ['a', 'b', 'c']) results.push(await t.rig.settle(`note-${channel}`, about(channel)));

    expect(results.map((result) => result['sent'])).toEqual([5, undefined, undefined]);
    expect(results[2]?.reason).toMatch(/^in the group \{max_per_hour="noc"\}:\{\}, next message in \d/);
    expect(await flush(t.rig)).toEqual([]);
    expect([...t.rig.state.view.entries(kinds.alertGroup)]).toMatchObject([[expect.any(String), { count: 2 }]]);
  });
});

test('above max_per_hour, the end of a separately sent alert waits for room, and closes its own incident', async () => {
  await using t = await setup(undefined, { max_per_hour: 1 });
  const end = { ...ruleJob('Resolved: studio-a starves', { isAutomatic: true }), decidedAtMs: t.rig.state.nowMs() };

  await t.rig.settle('note-1', ruleJob('studio-a starves'));
  const put = await t.rig.run('note-2', end).catch((error: unknown) => error);
  expect(put).toMatchObject({ code: 'WEBHOOK_FAILED', disposition: { kind: 'retry-after' } });
  expect(t.vendors.of('pagerduty')).toHaveLength(1);

  // Nobody waits forever.
  await t.rig.settle('note-2', { ...end, decidedAtMs: t.rig.state.nowMs() - 7 * 3_600_000 });
  const events = t.vendors.of('pagerduty').map(({ body }) => body);
  expect(events).toMatchObject([
    { event_action: 'trigger' },
    { event_action: 'resolve', dedup_key: events[0].dedup_key },
  ]);
});

describe('a receiver that does not accept a message', () => {
  test('is left alone as long as Retry-After says, while the others get it once', async () => {
    await using t = await setup(({ vendor, count }) =>
      vendor === 'slack' && count === 1 ? { status: 429, headers: { 'retry-after': '40' } } : undefined,
    );
    const decided = { ...operatorJob('notify', { receiver: 'noc', text: 'busy' }), decidedAtMs: t.rig.state.nowMs() };

    const first = await t.rig.run('note-1', decided).catch((error: unknown) => error);
    const second = await t.rig.run('note-1', decided).catch((error: unknown) => error);

    expect(first).toMatchObject({ code: 'WEBHOOK_FAILED', disposition: { kind: 'retry-after', delayMs: 40_000 } });
    expect(second).toMatchObject({ disposition: { kind: 'retry-after' } });
    // Called once, and the others not again.
    expect(t.vendors.got).toHaveLength(5);
    const [, progress] = [...t.rig.state.view.entries(kinds.notified)][0]!;
    expect(Object.values(progress.waits ?? {})).toHaveLength(1);
    // The retention of the progress, in case its job never reaches this again.
    expect(progress.atMs).toEqual(expect.any(Number));
  });

  test('is called again alone, even if a reload has reordered the integrations meanwhile', async () => {
    await using t = await setup(({ vendor, count }) =>
      vendor === 'slack' && count === 1 ? { status: 503 } : undefined,
    );
    const decided = { ...operatorJob('notify', { receiver: 'noc', text: 'busy' }), decidedAtMs: t.rig.state.nowMs() };
    await t.rig.run('note-1', decided).catch(() => undefined);
    const before = t.vendors.got.map(({ vendor }) => vendor).toSorted();
    expect(before).toEqual(['alertmanager', 'json', 'msteams', 'pagerduty', 'slack']);
    const [noc] = t.receivers;
    const { integrations } = noc!;
    t.receivers.splice(0, 1, { ...noc!, integrations: integrations.toReversed() });

    expect(await t.rig.run('note-1', decided)).toMatchObject({ outcome: 'done', sent: 5 });
    expect(t.vendors.got.slice(5).map(({ vendor }) => vendor)).toEqual(['slack']);
  });

  test('and asks for time for hours finally counts as failing', async () => {
    await using t = await setup(() => ({ status: 429, headers: { 'retry-after': '40' } }));
    const old = {
      ...operatorJob('notify', { receiver: 'noc', text: 'busy' }),
      decidedAtMs: t.rig.state.nowMs() - 7 * 3_600_000,
    };

    const failure = await t.rig.run('note-1', old).catch((error: unknown) => error);

    expect(failure).toMatchObject({ code: 'WEBHOOK_FAILED', disposition: { kind: 'retry' } });
  });

  test('permanently (400) is counted, reported, and not called again', async () => {
    await using t = await setup(({ vendor }) => (vendor === 'pagerduty' ? { status: 400 } : undefined));

    const failed = t.rig.settle('note-1', operatorJob('notify', { receiver: 'noc', text: 'x' }));

    await expect(failed).rejects.toMatchObject({ code: 'WEBHOOK_REJECTED' });
    expect(t.vendors.of('pagerduty')).toHaveLength(1);
    const counts = await t.rig.metrics.notifications.get();
    expect(counts.values.find(({ labels }) => labels.integration === 'pagerduty')).toMatchObject({
      labels: { receiver: 'noc', outcome: 'refused' },
      value: 1,
    });
    expect([...t.rig.state.view.entries(kinds.notified)]).toEqual([]);
  });
});

test('a receiver test sends each integration one message and its end, and returns what each of them answered', async () => {
  await using t = await setup(({ vendor }) => (vendor === 'slack' ? { status: 404 } : undefined), {
    group_by: ['alertname'],
  });
  const job = {
    ...operatorJob('notify', { receiver: 'noc', text: 'Test of the receiver noc.' }),
    isTest: true as const,
  };

  const result = await t.rig.run('note-1', job);

  expect(result).toMatchObject({
    outcome: 'done',
    reason: 'delivered to 4 of 5',
    tried: [
      { to: 'webhook_configs[0]' },
      { to: 'webhook_configs[1]' },
      { to: 'slack_configs[0]', error: expect.stringMatching(/^WEBHOOK_REJECTED: .*404$/) },
      { to: 'pagerduty_configs[0]' },
      { to: 'msteamsv2_configs[0]' },
    ],
  });
  expect(t.vendors.got.filter(({ problem }) => problem !== undefined)).toEqual([]);
  expect(t.vendors.of('pagerduty').map(({ body }) => body.event_action)).toEqual(['trigger', 'resolve']);
  expect(t.vendors.of('alertmanager').map(({ body }) => body.status)).toEqual(['firing', 'resolved']);
  expect([t.vendors.of('json').length, t.vendors.of('slack').length]).toEqual([1, 1]);
});

test('the secrets of a receiver are in no log, state or error', async () => {
  await using t = await setup(() => ({ status: 403 }));

  const failure = await t.rig
    .run('note-1', operatorJob('notify', { receiver: 'noc', text: 'x' }))
    .catch((error: unknown) => error);
  const log = await t.rig.state.readLog(logs.deliveries, { limit: 20 });

  const seen = JSON.stringify([log, String(failure), [...t.rig.state.view.entries(kinds.notified)]]);
  expect(log).toHaveLength(5);
  for (const secret of [routingKey, 'a-bearer-token', '/slack', '/json']) expect(seen).not.toContain(secret);
});

/** A mail server on loopback. */
async function mailServer(options: SMTPServerOptions = {}) {
  const mails: string[] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    ...options,
    onData(stream, _session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        mails.push(Buffer.concat(chunks).toString());
        done();
      });
    },
  });
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  return {
    port,
    mails,
    [Symbol.asyncDispose]: () => new Promise<void>((closed) => server.close(() => closed())),
  };
}

describe('mail', () => {
  const only = {
    webhook_configs: undefined,
    slack_configs: undefined,
    pagerduty_configs: undefined,
    msteamsv2_configs: undefined,
  };
  const mail = (port: number, more: object = {}) => ({
    ...only,
    email_configs: [
      { to: 'noc@example.com, night@example.com', from: 'ivs@example.com', smarthost: `localhost:${port}`, ...more },
    ],
  });

  test('uses STARTTLS with user and password, has text and HTML, and says that a machine wrote it', async () => {
    const ca = authority();
    const folder = await mkdtemp(join(tmpdir(), 'mail-'));
    await using _folder = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
    await writeFile(join(folder, 'ca.pem'), ca.certificate);
    await writeFile(join(folder, 'password'), 'a password of this test\n');
    processEgress({ AWS_CA_BUNDLE: join(folder, 'ca.pem') });
    const asked: string[] = [];
    await using server = await mailServer({
      ...ca.issue('localhost'),
      disabledCommands: [],
      authOptional: false,
      onAuth: ({ username, password }, { secure }, done) => {
        asked.push(`${username} ${password} ${secure}`);
        done(null, { user: username });
      },
    });
    await using t = await setup(
      undefined,
      mail(server.port, { auth_username: 'ivs', auth_password_file: join(folder, 'password') }),
    );

    await t.rig.settle('note-1', ruleJob('studio-a <b>starves</b>'));

    expect(asked).toEqual(['ivs a password of this test true']);
    const [text = ''] = server.mails;
    expect(text).toContain('Subject: [FIRING] starving studio-a');
    expect(text).toContain('To: noc@example.com, night@example.com');
    expect(text).toMatch(/^Message-ID: <note-1-email-[0-9a-f]{12}@example\.com>/m);
    expect(text).toMatch(/^References:\s+<[0-9a-f]{64}@example\.com>/m);
    expect(text).toContain('Auto-Submitted: auto-generated');
    expect(text).toContain('studio-a <b>starves</b>');
    expect(text.replaceAll('=\r\n', '')).toContain('studio-a &lt;b&gt;starves&lt;/b&gt;');
  });

  test('goes to no server without TLS unless that is allowed; a wrong password is final, a full mailbox is not', async () => {
    await using plain = await mailServer();
    await using strict = await mailServer({
      onRcptTo: (_address, _session, done) => done(Object.assign(new Error('mailbox full'), { responseCode: 452 })),
    });
    await using closed = await mailServer({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => done(new Error('who?')),
    });
    const folder = await mkdtemp(join(tmpdir(), 'mail-'));
    await using _folder = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
    await writeFile(join(folder, 'password'), 'wrong\n');
    await using t = await setup();
    const codeOf = async (port: number, more: object) => {
      const receiver = receiverOf({ name: 'noc', ...mail(port, more) });
      t.rig.ports.receiver = () => receiver;
      return t.rig.run(`note-${port}`, ruleJob('x')).catch((error: unknown) => (error as { code?: string }).code);
    };

    expect(await codeOf(plain.port, {})).toBe('MAIL_REJECTED');
    expect(plain.mails).toEqual([]);
    expect(await codeOf(plain.port, { require_tls: false })).toMatchObject({ outcome: 'done' });
    expect(await codeOf(strict.port, { require_tls: false })).toBe('MAIL_FAILED');
    const auth = { require_tls: false, auth_username: 'ivs', auth_password_file: join(folder, 'password') };
    expect(await codeOf(closed.port, auth)).toBe('MAIL_REJECTED');
  });
});

test('a mail server that sends back the password gets it into no error and no log', async () => {
  const password = 'a password of this test';
  const told = ['', `\0ivs\0`].map((before) => Buffer.from(`${before}${password}`).toString('base64'));
  await using server = await mailServer({
    authOptional: false,
    allowInsecureAuth: true,
    onAuth: (_auth, _session, done) =>
      done(new Error(`who is ${password} or ${told.join(' or ')}? ${'x'.repeat(400)}`)),
  });
  const folder = await mkdtemp(join(tmpdir(), 'mail-'));
  await using _folder = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
  await writeFile(join(folder, 'password'), `${password}\n`);
  await using t = await setup();
  const auth = { auth_username: 'ivs', auth_password_file: join(folder, 'password'), require_tls: false };
  const smarthost = `localhost:${server.port}`;
  const receiver = receiverOf({
    name: 'noc',
    email_configs: [{ to: 'noc@example.com', from: 'ivs@example.com', smarthost, ...auth }],
  });
  t.rig.ports.receiver = () => receiver;

  const failure = (await t.rig.run('note-1', ruleJob('x')).catch((error: unknown) => error)) as Error;
  const log = await t.rig.state.readLog(logs.deliveries, { limit: 20 });

  expect(failure.message).toContain('who is [password] or [password] or [password]?');
  const seen = inspect([failure, log], { depth: 10 });
  for (const form of [password, ...told]) expect(seen).not.toContain(form);
});

test('SNS gets the message, a missing topic is final, and api_url is not a metadata service', async () => {
  await using aws = await startLocalSqs();
  const { queueArn, queueUrl } = await aws.createQueue('notes');
  const sns = await import('@aws-sdk/client-sns');
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new sns.SNSClient({ region: 'us-west-2', endpoint: aws.endpoint, credentials });
  const { TopicArn = '' } = await client.send(new sns.CreateTopicCommand({ Name: 'notes' }));
  await client.send(new sns.SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: queueArn }));
  client.destroy();
  const config = (topic_arn: string) =>
    receiverOf({ name: 'noc', sns_configs: [{ topic_arn, api_url: aws.endpoint, attributes: { team: 'video' } }] });
  await using t = await setup();
  let receiver = config(TopicArn);
  t.rig.ports.receiver = () => receiver;

  await t.rig.settle('note-1', ruleJob('studio-a stårves'));
  const answer = await fetch(aws.endpoint, {
    method: 'POST',
    headers: { 'x-amz-target': 'AmazonSQS.ReceiveMessage', 'content-type': 'application/x-amz-json-1.0' },
    body: JSON.stringify({ QueueUrl: queueUrl, WaitTimeSeconds: 20 }),
  });
  const { Messages = [] } = (await answer.json()) as { Messages?: { Body: string }[] };

  expect(Messages.map(({ Body }) => JSON.parse(Body) as object)).toMatchObject([
    { Subject: '[FIRING] starving studio-a', Message: '[FIRING] starving studio-a\nstudio-a stårves' },
  ]);
  receiver = config(`${TopicArn}-not-there`);
  await expect(t.rig.run('note-2', ruleJob('x'))).rejects.toMatchObject({ code: 'SNS_REJECTED' });
  for (const api_url of ['http://169.254.169.254/', 'https://metadata.google.internal/', 'http://[fd00:ec2::254]/']) {
    receiver = receiverOf({ name: 'noc', sns_configs: [{ topic_arn: TopicArn, api_url }] });
    await expect(t.rig.run('note-3', ruleJob('x'))).rejects.toMatchObject({ code: 'WEBHOOK_REFUSED' });
  }
});
