// What a person's request may name on a running daemon with roles and tokens: files, and the folders they are in.
import { execFileSync } from 'node:child_process';
import { chmod, link, lstat, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kinds, logs } from '#domain/state-registry.ts';
import { broadcast } from '#test/support/broadcast.ts';
import { eventually } from '#test/support/quiet.ts';

// Not secrets: they open this test's own daemon, for as long as it runs.
const tokens = { root: 'admin-of-a-test-daemon', mara: 'operator-of-a-test-daemon', vic: 'viewer-of-a-test-daemon' };

async function setup(settings: (folder: string) => string = () => '', channelName = 'studio') {
  const resources = new AsyncDisposableStack();
  const platform = resources.use(await broadcast({ timings: { sessionToStartMs: 100, sessionEndToStreamEndMs: 50 } }));
  const folder = await mkdtemp(join(tmpdir(), 'authority-'));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  for (const name of ['keys', 'read', 'elsewhere']) await mkdir(join(folder, name));
  const tokensFile = join(folder, 'keys', 'tokens');
  await writeFile(tokensFile, `root admin ${tokens.root}\nmara operator ${tokens.mara}\nvic viewer ${tokens.vic}\n`, {
    mode: 0o600,
  });
  const channel = await platform.simulator.control.createChannel({ name: channelName });
  const daemon = await platform.daemon({
    rules: settings(folder) || 'rules: []\n',
    env: { AUTOPILOT_TOKENS_FILE: tokensFile },
  });
  const as = async (who: keyof typeof tokens, method: string, path: string, body?: object) => {
    const answer = await fetch(daemon.url + path, {
      method,
      headers: { authorization: `Bearer ${tokens[who]}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.includes('json') && !path.includes('export');
    return { status: answer.status, body: isJson ? JSON.parse(text) : text };
  };
  await eventually(async () => (await as('vic', 'GET', '/v1/channels')).body.channels.length === 1);
  const act = (action: object, who: keyof typeof tokens = 'mara', more: object = {}) =>
    as(who, 'POST', '/v1/actions', { action, channelArn: channel.arn, reason: 'asked for by a test', ...more });
  const rotate = (file: string, who?: keyof typeof tokens) =>
    act({ rotate_stream_key: { when: 'now', deliver: { file } } }, who);
  const ended = async (jobId: string) =>
    eventually(async () => {
      const { body } = await as('vic', 'GET', `/v1/jobs/${jobId}`);
      return body.state === 'completed' || body.state === 'failed' ? body : undefined;
    });
  const audited = async () => (await as('vic', 'GET', '/v1/audit?limit=100')).body.entries;
  return {
    platform,
    daemon,
    folder,
    tokensFile,
    channel,
    as,
    act,
    rotate,
    ended,
    audited,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

test('without a setting a request cannot deliver a key into a file, whoever asks; the refusal is in the audit', async () => {
  await using t = await setup();

  const answers = [
    await t.rotate(t.tokensFile),
    await t.rotate(join(t.folder, 'keys', 'new'), 'root'),
    await t.act({ rotate_playback_key_pair: { name: 'k', deliver: { file: join(t.folder, 'keys', 'pem') } } }),
    await t.act({ rotate_stream_key: { deliver: { file: join(t.folder, 'keys', '{{ channel.id }}') } } }, 'mara', {
      channelArn: undefined,
      targets: { channelArns: [t.channel.arn] },
    }),
    await t.rotate(join(t.folder, 'keys', 'x'), 'vic'),
  ];

  expect(answers.map(({ status, body }) => [status, body.code])).toEqual([
    ...Array.from({ length: 4 }, () => [403, 'FILE_NOT_ALLOWED']),
    [403, 'FORBIDDEN'],
  ]);
  expect(answers[0]!.body).toMatchObject({
    setting: 'secrets.delivery_folders',
    detail: expect.stringContaining('body.action.rotate_stream_key.deliver.file'),
  });
  // A request that an earlier version accepted, and that waits in Redis, is checked when it runs.
  await t.daemon.app.shards[0]!.state.transact((tx) =>
    tx.enqueue({
      jobId: 'rotate-of-before',
      name: 'rotate_stream_key',
      payload: {
        action: 'rotate_stream_key',
        params: { when: 'now', deliver: { file: t.tokensFile } },
        channelArn: t.channel.arn,
        cause: { kind: 'operator', who: 'token mara', reason: 'asked before' },
        decidedAtMs: tx.nowMs,
      },
    }),
  );
  expect(await t.ended('rotate-of-before')).toMatchObject({
    state: 'failed',
    error: expect.stringContaining('secrets.delivery_folders'),
  });
  expect(await readFile(t.tokensFile, 'utf8')).toContain(tokens.root);
  const refused = (await t.audited()).filter(({ outcome }: { outcome: string }) => outcome === 'refused');
  expect(refused.map(({ who, what }: { who: string; what: string }) => [who, what])).toEqual([
    ['token vic', 'POST /v1/actions'],
    ['token mara', 'rotate_stream_key'],
    ['token mara', 'rotate_playback_key_pair'],
    ['token root', 'rotate_stream_key'],
    ['token mara', 'rotate_stream_key'],
  ]);
  expect(refused[1]).toMatchObject({
    why: 'asked for by a test',
    reason: expect.stringMatching(/^FILE_NOT_ALLOWED: /),
  });

  // Ids of viewers are for operators: viewers of the API see only how many there were.
  const { body: accepted } = await t.act({ revoke_viewers: { viewers: ['secret-ann', 'secret-ben'] } });
  await t.ended(accepted.jobId);
  const paths = [`/v1/jobs/${accepted.jobId}`, '/v1/audit?what=revoke_viewers', '/v1/audit/export?what=revoke_viewers'];
  await eventually(async () => (await t.as('vic', 'GET', paths[1]!)).body.entries.length === 2);
  for (const path of paths) {
    expect(JSON.stringify((await t.as('mara', 'GET', path)).body), path).toContain('secret-ann');
    const seen = JSON.stringify((await t.as('vic', 'GET', path)).body);
    expect(seen, path).not.toContain('secret-');
    expect(seen, path).toContain('2 hidden');
  }
  const metrics = await (await fetch(`${t.daemon.url}/metrics`)).text();
  expect(metrics).not.toContain('secret-');
});

test('below a delivery folder a request writes new files and replaces delivered ones, and nothing else, however the path is spelled', async () => {
  await using t = await setup((folder) => `secrets: {delivery_folders: ["${folder}/keys"]}\nrules: []\n`);
  const keys = join(t.folder, 'keys');
  await writeFile(join(keys, 'notes'), 'not ours', { mode: 0o600 });
  await writeFile(join(t.folder, 'elsewhere', 'file'), 'not ours', { mode: 0o600 });
  await symlink(join(t.folder, 'elsewhere'), join(keys, 'out'));
  await symlink(join(t.folder, 'elsewhere', 'file'), join(keys, 'linked'));

  const outside = await Promise.all(
    [
      join(t.folder, 'elsewhere', 'new'),
      `${keys}/../elsewhere/new`,
      join(keys, 'out', 'new'),
      join(keys, 'linked'),
      `${keys}-beside/new`,
      keys,
      t.tokensFile,
      t.daemon.configFile,
      'keys/new',
      '/proc/self/root/tmp/new',
      `${keys}/new\0`,
    ].map((file) => t.rotate(file)),
  );
  expect(outside.map(({ status, body }) => [status, body.code])).toEqual(outside.map(() => [403, 'FILE_NOT_ALLOWED']));

  // A file that exists and was not delivered, whatever its mode: refused before the old key is deleted.
  const before = await t.platform.simulator.control.cues();
  const notOurs = await t.ended((await t.rotate(join(keys, 'notes'))).body.jobId);
  expect(notOurs).toMatchObject({ state: 'failed', error: expect.stringContaining('no delivery is on record') });
  expect(notOurs.steps.map(({ step }: { step: string }) => step)).toEqual(['check_sink']);
  expect(await readFile(join(keys, 'notes'), 'utf8')).toBe('not ours');
  expect(await t.platform.simulator.control.cues()).toEqual(before);

  const first = await t.ended((await t.rotate(join(keys, 'new'))).body.jobId);
  const delivered = await readFile(join(keys, 'new'), 'utf8');
  // The owner opened it for the encoder's group: it still belongs to the delivery.
  await chmod(join(keys, 'new'), 0o640);
  const again = await t.ended((await t.rotate(join(keys, 'new'))).body.jobId);
  expect([first.state, again.state]).toEqual(['completed', 'completed']);
  expect(await readFile(join(keys, 'new'), 'utf8')).not.toBe(delivered);
  expect((await lstat(join(keys, 'new'))).mode & 0o777).toBe(0o600);
});

test('a file in an older record counts as delivered; a rule may name any path, which stays in the folder that it spells out', async () => {
  await using t = await setup(
    (folder) => `rules:
  - name: literal
    mode: enforce
    trigger: {http: {name: literal}}
    actions: [{rotate_stream_key: {when: now, deliver: {file: "${folder}/elsewhere/known"}}}]
    guards: {max_per_hour: 10, cooldown: 0s}
  - name: templated
    mode: enforce
    trigger: {http: {name: templated}}
    actions: [{rotate_stream_key: {when: now, deliver: {file: "${folder}/keys/{{ http.body.place }}/key"}}}]
    guards: {max_per_hour: 10, cooldown: 0s}
`,
  );
  const known = join(t.folder, 'elsewhere', 'known');
  await writeFile(known, 'of an earlier version', { mode: 0o600 });
  await mkdir(join(t.folder, 'keys', 'inside'));
  await symlink(join(t.folder, 'elsewhere'), join(t.folder, 'keys', 'out'));
  // As the previous version wrote it.
  await t.daemon.app.shards[0]!.state.transact((tx) =>
    tx.set(kinds.key.of(t.channel.arn), {
      rotationId: 'old',
      startedAtMs: 1,
      updatedAtMs: 1,
      oldKeyArns: [],
      deliveredKeyArn: 'arn:aws:ivs:us-west-2:111122223333:stream-key/old',
      deliveredAtMs: 1,
      finishedAtMs: 1,
      sink: `file ${known}`,
      repairs: 0,
    }),
  );
  const trigger = async (name: string, body: object) => {
    const { body: answer } = await t.as('mara', 'POST', `/v1/triggers/${name}`, { channelArn: t.channel.arn, body });
    expect(answer.rules).toEqual([name]);
  };
  const jobsOf = async (rule: string) =>
    (await t.as('vic', 'GET', `/v1/decisions?rule=${rule}`)).body.decisions.flatMap(({ jobs }: any) => jobs);

  await trigger('literal', {});
  await eventually(async () => (await readFile(known, 'utf8')).startsWith('sk_'));
  await trigger('templated', { place: 'inside' });
  await eventually(
    async () => (await readFile(join(t.folder, 'keys', 'inside', 'key'), 'utf8').catch(() => '')) !== '',
  );
  await trigger('templated', { place: 'out' });
  const outcome = await eventually(async () =>
    (await jobsOf('templated')).find(({ outcome, detail }: any) => outcome === 'failed' && detail),
  );
  await trigger('templated', { place: '../elsewhere' });
  await trigger('templated', { place: '..' });
  const withheld = await eventually(async () => {
    const { decisions } = (await t.as('vic', 'GET', '/v1/decisions?rule=templated')).body;
    return decisions.flatMap((each: any) => each.withheld).length === 2 ? decisions : undefined;
  });

  expect(outcome.detail).toContain('leads out of');
  expect(withheld[0].withheld[0]).toMatchObject({ reason: 'template_failed' });
  await expect(lstat(join(t.folder, 'elsewhere', 'key'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a request reads addresses and keys only from regular files below the read folders, and only up to a limit', async () => {
  await using t = await setup(
    (folder) => `secrets: {read_folders: ["${folder}/read"]}
receivers: [{name: pipe, webhook_configs: [{url_file: "${folder}/elsewhere/pipe"}]}, {name: zero, webhook_configs: [{url_file: /dev/zero}]}, {name: environ, webhook_configs: [{url_file: /proc/self/environ}]}]
rules: []
`,
  );
  const got: string[] = [];
  await using target = createServer((request, response) => {
    got.push(request.url ?? '');
    response.end();
  });
  await new Promise<void>((listening) => target.listen(0, '127.0.0.1', listening));
  const read = (name: string) => join(t.folder, 'read', name);
  const url = `http://127.0.0.1:${(target.address() as AddressInfo).port}`;
  await writeFile(read('url'), `${url}/good`);
  await writeFile(read('large'), `${url}/${'x'.repeat(70_000)}`);
  await writeFile(join(t.folder, 'elsewhere', 'url'), `${url}/bad`);
  await symlink(join(t.folder, 'elsewhere', 'url'), read('linked'));
  await symlink('/proc/self', read('process'));
  await link(join(t.folder, 'elsewhere', 'url'), read('second-name'));
  execFileSync('mkfifo', [read('pipe'), join(t.folder, 'elsewhere', 'pipe')]);
  const hook = (url_file: string, more: object = {}) => t.act({ webhook: { url_file, ...more } });

  const outside = await Promise.all([
    hook(join(t.folder, 'elsewhere', 'url')),
    hook('/proc/self/environ'),
    hook('/dev/zero'),
    hook(read('linked')),
    hook(`${read('process')}/environ`),
    hook(`${read('..')}/elsewhere/url`),
    hook(read('url'), { hmac_key_file: t.tokensFile }),
    t.act({ rotate_stream_key: { deliver: { webhook: { url_file: read('url'), hmac_key_file: '/etc/hostname' } } } }),
  ]);
  expect(outside.map(({ status, body }) => [status, body.code, body.setting])).toEqual(
    outside.map(() => [403, 'FILE_NOT_ALLOWED', 'secrets.read_folders']),
  );

  const job = async (action: object) => t.ended((await t.act(action)).body.jobId);
  const [good, secondName] = [
    await job({ webhook: { url_file: read('url') } }),
    await job({ webhook: { url_file: read('second-name') } }),
  ];
  expect([good.state, secondName.state]).toEqual(['completed', 'failed']);
  expect(secondName.error).toContain('hard link');
  // These are retried in case the file is repaired: the result of the first attempt is enough.
  const beforeMiB = process.memoryUsage().rss / 2 ** 20;
  for (const action of [
    { webhook: { url_file: read('large') } },
    { webhook: { url_file: read('pipe') } },
    ...['pipe', 'zero', 'environ'].map((receiver) => ({ notify: { receiver, text: 'x' } })),
  ])
    await t.act(action);
  const complaints = () =>
    ['it is larger than 65536 bytes', 'it is not a regular file', 'it is a file of the kernel'].map(
      (text) =>
        t.daemon.log.filter((line) => line.includes('SECRET_FILE_UNREADABLE') && line.includes(text)).length > 0,
    );
  await eventually(() => complaints().every(Boolean));
  expect(process.memoryUsage().rss / 2 ** 20 - beforeMiB).toBeLessThan(100);
  expect(got).toEqual(['/good']);
});

test('a forbidden address is refused in the request, with the setting, and in the audit; bulk actions are limited', async () => {
  await using t = await setup(() => 'controls: {max_bulk_actions: 1}\nrules: []\n');
  const bulk = (action: object) =>
    t.act(action, 'mara', { channelArn: undefined, targets: { channelArns: [t.channel.arn] } });
  // Judged by their text alone: none of them is dialled.
  const setting = 'http.allow_link_local_webhooks';
  const cases: [string, string | undefined][] = [
    ['http://168.63.129.16/machine?comp=goalstate', setting],
    ['http://0xa83f8110/', setting],
    ['http://[::ffff:168.63.129.16]/', setting],
    ['http://100.100.100.200/latest/meta-data/', setting],
    ['http://169.254.169.254./', setting],
    ['http://metadata.google.internal./', setting],
    ['http://[64:ff9b::a9fe:a9fe]/', setting],
    ['http://224.0.0.1/', undefined],
    ['file:///etc/passwd', undefined],
  ];
  for (const [url, opens] of cases) {
    const { status, body } = await t.act({ webhook: { url } });
    expect([url, status, body.code, body.setting]).toEqual([url, 422, 'WEBHOOK_REFUSED', opens]);
    expect(body.detail).toContain('body.action.webhook.url');
  }
  expect((await bulk({ webhook: { url: 'http://168.63.129.16/bulk' } })).body.code).toBe('WEBHOOK_REFUSED');
  const refused = (await t.audited()).filter(({ outcome }: { outcome: string }) => outcome === 'refused');
  expect(refused).toHaveLength(cases.length);
  expect(refused[0]).toMatchObject({
    who: 'token mara',
    what: 'webhook',
    reason: expect.stringMatching(/^WEBHOOK_REFUSED: /),
  });

  // The second does not wait: while the first is running it is refused.
  const two = await Promise.all([1, 2].map(() => bulk({ webhook: { url: 'http://127.0.0.1:1/never' } })));
  expect(two.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([202, 409]);
  expect(two.find(({ status }) => status === 409)!.body).toMatchObject({
    code: 'TOO_MANY_BULK_ACTIONS',
    setting: 'controls.max_bulk_actions',
  });
  // Each is small enough for a request; every replica would have to keep all of them.
  const more = await t.platform.simulator.control.createChannels(19);
  await t.as('mara', 'DELETE', `/v1/actions/bulk/${two.find(({ status }) => status === 202)!.body.bulkId}`);
  const large = await t.act({ webhook: { url: 'http://127.0.0.1:1/never', body: 'x'.repeat(900_000) } }, 'mara', {
    channelArn: undefined,
    targets: { channelArns: [t.channel.arn, ...more.map(({ arn }) => arn)] },
  });
  expect([large.status, large.body.code, large.body.detail]).toEqual([
    400,
    'REQUEST_INVALID',
    expect.stringContaining('too large in total'),
  ]);
});

test('nobody sees a secret address: not in jobs, audit, decisions, rules, page, log or crash', async () => {
  // None of them belongs to anybody: they only have the shape.
  const secrets = {
    ofReceiver: 'r3ceiverr3ceiverr3ceiver',
    ofRule: 'rul3rul3rul3rul3rul3rul3',
    ofRequest: 'r3questr3questr3quest01',
    password: 'passw0rdpassw0rdpassw0rd',
    ofBefore: 'b3fore0b3fore0b3fore0b3',
  };
  const got: string[] = [];
  await using target = createServer((request, response) => {
    got.push(request.url ?? '');
    response.end();
  });
  await new Promise<void>((listening) => target.listen(0, '127.0.0.1', listening));
  const { port } = target.address() as AddressInfo;
  const url = (path: string) => `http://127.0.0.1:${port}/services/${path}?x=1`;
  await using t = await setup(
    () => `receivers: [{name: noc, webhook_configs: [{url: "${url(secrets.ofReceiver)}"}]}]
rules:
  - name: hook
    description: "posts to ${url(secrets.ofRule)}, ask the team"
    mode: enforce
    trigger: {http: {name: hook}}
    actions:
      - webhook: {url: "${url(secrets.ofRule)}", body: "see ${url(secrets.ofReceiver)}"}
      - notify: {receiver: noc, text: "see ${url(secrets.ofRule)}"}
`,
  );
  await t.daemon.app.shards[0]!.state.transact((tx) =>
    tx.append(
      logs.audit,
      { atMs: 1, who: 'token old', what: 'webhook', outcome: 'done', why: '', params: { url: url(secrets.ofBefore) } },
      100,
    ),
  );

  const asked = await t.act({ webhook: { url: url(secrets.ofRequest).replace('//', `//user:${secrets.password}@`) } });
  const failing = await t.act({ webhook: { url: `http://127.0.0.1:1/${secrets.ofRequest}` } });
  const bulk = await t.act({ webhook: { url: url(secrets.ofRequest) } }, 'mara', {
    channelArn: undefined,
    targets: { channelArns: [t.channel.arn] },
  });
  expect([asked.status, failing.status, bulk.status]).toEqual([202, 202, 202]);
  await t.as('mara', 'POST', '/v1/triggers/hook', { channelArn: t.channel.arn });
  await eventually(() => got.length === 4);
  const hold = await t.as('mara', 'PUT', `/v1/holds/${encodeURIComponent(t.channel.arn)}`, {
    reason: `see ${url(secrets.ofRule)}`,
  });
  const { decisions } = (await t.as('vic', 'GET', '/v1/decisions')).body;
  const jobs = [
    asked.body.jobId,
    failing.body.jobId,
    ...decisions.flatMap((each: any) => each.jobs.map((job: any) => job.jobId)),
  ];

  const live = await fetch(`${t.daemon.url}/v1/live`, { headers: { authorization: `Bearer ${tokens.vic}` } });
  const reader = live.body!.getReader();
  let page = '';
  while (!page.includes('event: status')) page += new TextDecoder().decode((await reader.read()).value);
  await reader.cancel();
  // What people type is stored without the tokens that the daemon knows.
  const typed = `I signed in with ${tokens.root} for ${url(secrets.ofReceiver)}`;
  const path = `/v1/holds/${encodeURIComponent(t.channel.arn)}`;
  expect((await t.as('mara', 'PUT', path, { reason: typed })).status).toBe(200);
  const { state } = t.daemon.app.shards[0]!;
  const audited = (await state.readLog(logs.audit, { limit: 20 })).filter(({ entry }) => entry.what.includes('hold'));
  const stored = JSON.stringify([state.view.get(kinds.hold.of(t.channel.arn)), audited]);
  expect(stored.split('I signed in with [token] for ')).toHaveLength(3);
  expect(stored).not.toContain(tokens.root);
  expect(stored).not.toContain(secrets.ofReceiver);
  const answers = [
    JSON.stringify(hold.body),
    page,
    ...(await Promise.all(
      [
        ...jobs.map((jobId) => `/v1/jobs/${jobId}`),
        '/v1/audit?limit=100',
        '/v1/audit/export',
        '/v1/decisions',
        '/v1/rules',
        '/v1/rules/hook',
        `/v1/rules/hook/explain/${encodeURIComponent(t.channel.arn)}`,
        '/v1/holds',
        '/v1/actions/bulk',
        '/v1/deliveries',
        '/v1/config',
      ].map(async (path) => {
        const answer = await fetch(t.daemon.url + path, { headers: { authorization: `Bearer ${tokens.root}` } });
        expect([path, answer.status]).toEqual([path, 200]);
        return answer.text();
      }),
    )),
    t.daemon.log.join(''),
  ];

  for (const [whose, secret] of Object.entries(secrets))
    expect(answers.filter((text) => text.includes(secret)).map((text) => [whose, text.slice(0, 300)])).toEqual([]);
  expect(answers[2]).toContain(`"url":"http://127.0.0.1:${port}/[hidden]"`);
  expect(answers.join('')).toContain('[webhook URL]');
  expect(jobs).toHaveLength(4);
});
