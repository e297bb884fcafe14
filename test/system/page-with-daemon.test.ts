// The page with a whole daemon and the simulator: what happens in IVS is on the screen, and what is requested on the screen happens in IVS.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { broadcast } from '#test/support/broadcast.ts';
import { guardMs, launchChromium, show } from '#test/support/page-visit.ts';
import { startPathProxy } from '#test/support/path-proxy.ts';
import { ownRedis } from '#test/support/redis.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

const rules = `rules:
  - name: starving-slate
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    for: 2s
    actions:
      - put_metadata: {payload: {type: slate}}
      - after: 10m
        stop_stream: {}
    guards: {cooldown: 0s, max_live_percent: 100}
  - name: tries
    trigger: {state: {health: [STARVING]}}
    actions: [{tag: {set: {seen: starving}}}]
`;
// Made here, and only for this run.
const token = `page-${crypto.randomUUID()}`;

test('a starving stream rises to the top, its rule is seen acting, its plan is cancelled, and it is stopped by hand', async () => {
  await using platform = await broadcast();
  const { control } = platform.simulator;
  const channels = await control.createChannels(4, { namePrefix: 'studio', tags: { show: 'quiz' } });
  await control.goLive(channels.map(({ arn }) => arn));
  const daemon = await platform.daemon({ rules, env: { AUTOPILOT_API_TOKEN: token } });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  context.setDefaultTimeout(guardMs);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => void complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('401')) complaints.push(message.text());
  });
  await page.goto(daemon.url);
  await page.fill('#token', token);
  await page.keyboard.press('Enter');
  const rows = page.locator('.row[data-key]');
  await rows.nth(3).waitFor();
  const worst = channels[2]!;

  await control.starve(worst.arn);

  await page.locator('.row.starving', { hasText: worst.name }).waitFor();
  await expect.poll(() => rows.first().locator('a.name').textContent()).toBe(worst.name);
  await rows
    .first()
    .getByText(/stop stream/)
    .waitFor();
  await rows
    .first()
    .getByText(/in [1-9] min/)
    .waitFor();
  await page.locator('.activity', { hasText: 'put metadata' }).waitFor();
  await rows
    .first()
    .getByRole('button', { name: /^Cancel/ })
    .click();
  await rows
    .first()
    .getByText(/in [1-9] min/)
    .waitFor({ state: 'detached' });

  await rows.first().locator('a.name').click();
  await page.locator('.timeline > li.event', { hasText: 'Starvation Start' }).first().waitFor();
  await page.locator('.timeline > li.decision', { hasText: 'fired after' }).first().waitFor();
  await page.getByRole('button', { name: 'Stop stream' }).click();
  await page.fill('#field-reason', 'test picture');
  await page.getByRole('button', { name: 'Show what it would do' }).click();
  await page.locator('.plan li', { hasText: 'StopStream' }).waitFor();
  expect((await control.calls({ operation: 'StopStream' })).length).toBe(0);
  await page.getByRole('dialog').getByRole('button', { name: 'Stop stream' }).click();
  await page.locator('.timeline > li', { hasText: '“test picture”' }).first().waitFor();
  await control.waitForCall({ operation: 'StopStream' });

  // The decision, its job and its batch each have an address, with what was sent.
  await page.locator('.timeline > li.decision', { hasText: 'fired after' }).first().getByText('Details').click();
  await page.getByRole('heading', { name: 'starving-slate: fired' }).waitFor();
  await page.locator('.steps li', { hasText: 'put metadata' }).getByRole('link').first().click();
  await page.getByRole('heading', { name: 'Job: put metadata' }).waitFor();
  await page.getByRole('link', { name: /^Decision d-/ }).waitFor();
  await show(page, '#/batches');
  await page.locator('.batch a').first().click();
  await page.locator('pre', { hasText: '"type": "slate"' }).waitFor();
  // An ended stream is found by its name, with its reason.
  await show(page, '#/?show=ended');
  const over = page.locator('.sessions li', { hasText: worst.name });
  await over.filter({ hasText: /Ended.*live for/s }).waitFor();
  await over.getByRole('link').click();
  await page.getByText('stopped by admin; Stream End').waitFor();
  expect(await page.locator('main').innerText()).not.toContain('Live since');

  await show(page, '#/batches');
  await page.locator('.batch', { hasText: '1 item to 1 channel' }).getByText('by rule starving-slate').waitFor();
  // A cue for everybody who is live: first who would get it, then its arrival is shown.
  await page.getByRole('button', { name: 'Send metadata' }).click();
  const form = page.getByRole('dialog');
  await form.getByLabel('Payload: text, or JSON').fill('{"type":"cue"}');
  await form.getByLabel('To', { exact: true }).selectOption('list');
  await form.getByLabel('Channels, one per line').fill(`${channels[0]!.name}x\n${channels[1]!.name}`);
  await form.getByRole('button', { name: 'Show the plan' }).click();
  await form
    .getByText(`No channel has the name “${channels[0]!.name}x” (did you mean ${channels[0]!.name}?).`)
    .waitFor();
  await form.getByLabel('To', { exact: true }).selectOption('live');
  await form.getByRole('button', { name: 'Show the plan' }).click();
  await form.getByRole('definition').filter({ hasText: '3 channels' }).waitFor();
  await form.getByText(/^\d+ in all, \d+ of 1,024 in a call$/).waitFor();
  await form.getByLabel('To', { exact: true }).selectOption('tags');
  await form.getByLabel('Tags, one per line').fill('show=quizz');
  await form.getByRole('button', { name: 'Show the plan' }).click();
  await form.getByText('Nothing would be sent: no live channel has these tags (did you mean show=quiz?).').waitFor();
  await form.getByLabel('Tags, one per line').fill('show=quiz');
  await form.getByRole('button', { name: 'Show the plan' }).click();
  await form.getByRole('definition').filter({ hasText: '3 channels' }).waitFor();
  // A changed form is planned again before it is sent.
  await form.getByLabel('Lane').selectOption('urgent');
  await form.getByRole('button', { name: 'Show the plan' }).click();
  await form.getByRole('button', { name: 'Send to 3 channels' }).click();
  await page.getByRole('heading', { name: 'Metadata batch' }).waitFor();
  await page.locator('.tally', { hasText: '3 delivered' }).waitFor();
  await page.locator('pre', { hasText: '"type": "cue"' }).waitFor();

  // The task of docs/performance.md that needs a daemon: a cue to a show, from the list, chosen only by the tag.
  await show(page, '#/');
  await page.locator('.row[data-key]').getByRole('button', { name: 'show=quiz' }).first().click();
  await page.getByRole('button', { name: 'Send metadata', exact: true }).click();
  await page.locator('#field-payload:focus').waitFor();
  await page.keyboard.type('{"quiz":7}');
  await form.getByRole('button', { name: 'Show the plan' }).click();
  await form.getByRole('button', { name: 'Send to 3 channels' }).click();
  await page.locator('pre', { hasText: '"quiz": 7' }).waitFor();
  await page.locator('.tally', { hasText: '3 delivered' }).waitFor();

  // The rule in dry run shows what it would have done; the patch is for the file that the daemon has read.
  await show(page, '#/rules');
  const rule = page.getByRole('region', { name: 'Rule tries' });
  await rule.getByText('In the last 24 hours it would have acted 1 time: tag 1.').waitFor();
  await rule.getByText('Let it act').click();
  await expect
    .poll(() => rule.locator('pre').innerText())
    .toMatch(/^--- a\/.*\n.*\n@@ .* @@\n[^]* - name: tries\n\+ {4}mode: enforce\n.*trigger: /);

  await show(page, '#/quota');
  await page.getByRole('img', { name: /PutMetadata calls per second in the last hour/ }).waitFor();
  for (const hash of ['#/rules', '#/quota', '#/batches', '#/audit', '#/decisions']) {
    await show(page, hash);
    await page.locator('main h1').waitFor();
    expect(await page.locator('main .problem').count()).toBe(0);
  }
  expect(complaints).toEqual([]);
  await context.close();
});

test('opening the link to an approval changes nothing; a person who signs in sees what will happen, and decides', async () => {
  await using platform = await broadcast();
  const { control } = platform.simulator;
  const [channel] = await control.createChannels(1, { namePrefix: 'studio' });
  await control.goLive(channel!.arn);
  const asks = `rules:
  - name: stop-on-demand
    mode: enforce
    trigger: {http: {name: panic}}
    actions: [{stop_stream: {}, approval: {not_by_author: false, timeout: 1h}}]
    guards: {cooldown: 0s, max_per_hour: 10}
`;
  const daemon = await platform.daemon({ rules: asks, env: { AUTOPILOT_API_TOKEN: token } });
  const ask = async (method: string, path: string, body?: object) => {
    const headers = { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) };
    const answer = await fetch(daemon.url + path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
    return (await answer.json()) as any;
  };
  await ask('POST', '/v1/triggers/panic', { channelArn: channel!.arn });
  const waiting = async () => (await ask('GET', '/v1/approvals?state=waiting')).approvals as readonly any[];
  await expect.poll(async () => (await waiting()).length).toBe(1);
  const [approval] = await waiting();
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  context.setDefaultTimeout(guardMs);
  const page = await context.newPage();

  await page.goto(`${daemon.url}/#/approval/${approval.id}`);
  await page.fill('#token', token);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: `stop_stream on ${channel!.name}` }).waitFor();
  await page.getByText(/min \d\d s left/).waitFor();
  await page.getByText('health HEALTHY').waitFor();
  expect(await waiting()).toMatchObject([{ id: approval.id, answers: [] }]);
  await show(page, '#/');
  const need = page.locator('.need', { hasText: 'stop_stream waits for approval' });
  await need.getByRole('button', { name: 'Acknowledge…' }).click();
  await page.getByRole('dialog').getByLabel('Note').fill('asking the studio');
  await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge' }).click();
  await need.getByText(/^admin has it since [\d:]+: “asking the studio”$/).waitFor();
  await need.getByRole('button', { name: 'Take over…' }).waitFor();
  // Where the link of a message leads.
  const [listed] = (await ask('GET', '/v1/alerts')).alerts as readonly { id: string }[];
  await show(page, `#/alerts/${encodeURIComponent(listed!.id)}`);
  const chosen = page.getByRole('region', { name: 'This alert' });
  await chosen.getByText(/^admin has it since [\d:]+/).waitFor();
  await chosen.getByRole('button', { name: 'Take over…' }).waitFor();
  await show(page, '#/alerts/alert%3Anone');
  await page.getByRole('heading', { name: 'There is no such alert' }).waitFor();
  await page.getByRole('region', { name: 'Taken' }).getByText('stop_stream waits for approval').waitFor();
  await show(page, '#/');
  expect((await ask('GET', '/v1/alerts')).alerts).toMatchObject([{ kind: 'approval', owner: 'token admin' }]);
  await need.getByRole('link', { name: 'Decide' }).click();
  await page.getByRole('button', { name: 'Approve…' }).click();
  await page.fill('#field-reason', 'nobody watches it');
  await page.getByRole('dialog').getByRole('button', { name: 'Approve', exact: true }).click();
  await page.getByRole('status').filter({ hasText: 'approved by admin' }).waitFor();
  const answer = page.locator('.timeline li', { hasText: 'by admin from 127.0.0.1: “nobody watches it”' });
  await answer.getByText('Yes', { exact: true }).waitFor();
  await control.waitForCall({ operation: 'StopStream' });
  await show(page, '#/approvals');
  await page.getByRole('heading', { name: 'Nothing waits for approval' }).waitFor();
  await page.locator('.timeline li', { hasText: 'approved by admin' }).waitFor();
  await context.close();
});

test('the queues are visible only with the token, without what people wrote, and cannot be changed', async () => {
  await using platform = await broadcast();
  const { control } = platform.simulator;
  const [channel] = await control.createChannels(1, { namePrefix: 'studio' });
  await control.goLive(channel!.arn);
  const daemon = await platform.daemon({ rules, env: { AUTOPILOT_API_TOKEN: token } });
  const authorization = `Basic ${Buffer.from(`operator:${token}`).toString('base64')}`;
  const ask = (path: string, method = 'GET') => fetch(daemon.url + path, { method, headers: { authorization } });
  await fetch(`${daemon.url}/v1/actions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      action: { put_metadata: { payload: { words: 'only for viewers' } } },
      channelArn: channel!.arn,
      reason: 'test',
    }),
  });

  const stranger = await fetch(`${daemon.url}/queues`);
  expect(stranger.status).toBe(401);
  expect(stranger.headers.get('content-security-policy')).toContain("default-src 'none'");
  const nowhere = await ask('/queues/static/nothing/there.js');
  expect([nowhere.status, ((await nowhere.json()) as { code: string }).code]).toEqual([404, 'NOT_FOUND']);
  const page = await ask('/queues');
  expect(page.status).toBe(200);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(page.headers.get('x-content-type-options')).toBe('nosniff');
  expect(await page.text()).not.toContain('fonts.googleapis.com');
  const jobsNow = async () => (await ask('/queues/api/queues?activeQueue=metadata-fanout&status=&page=1')).text();
  await expect.poll(jobsNow).toContain('put_metadata');
  const jobs = await jobsNow();
  expect(jobs).not.toContain('only for viewers');
  const emptied = await ask('/queues/api/queues/actions/empty', 'PUT');
  expect(emptied.status).toBe(404);
  const metrics = await (await fetch(`${daemon.url}/metrics`)).text();
  expect(metrics).toMatch(/autopilot_http_requests_total\{method="GET",route="\/queues\/\*",status="200"\} [1-9]/);
});

test('below a path of a trusted proxy everything works with one sign-in; others’ headers change nothing', async () => {
  await using platform = await broadcast();
  const { control } = platform.simulator;
  const [channel] = await control.createChannels(1, { namePrefix: 'studio' });
  await control.goLive(channel!.arn);
  const daemon = await platform.daemon({
    rules,
    http: 'trusted_proxies: [127.0.0.2]',
    env: { AUTOPILOT_API_TOKEN: token },
  });
  await using proxy = await startPathProxy(daemon.url, { prefix: '/ops/autopilot', from: '127.0.0.2' });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  context.setDefaultTimeout(guardMs);
  const page = await context.newPage();
  const refused: string[] = [];
  page.on('response', (answer) => void (answer.status() >= 400 && refused.push(`${answer.status()} ${answer.url()}`)));

  // The page with its files and its feed, also without a slash at the end.
  for (const place of ['', '/']) {
    await page.goto(`${proxy.url}${place}`);
    await page.fill('#token', token);
    const signedIn = page.waitForResponse((answer) => answer.url() === `${proxy.url}/v1/session`);
    await page.keyboard.press('Enter');
    await signedIn;
    await page.locator('.row[data-key]', { hasText: channel!.name }).waitFor();
    if (place === '') await page.evaluate('sessionStorage.clear()');
  }
  await page.getByRole('link', { name: 'Rules', exact: true }).click();
  await page.getByText('starving-slate').first().waitFor();
  // The first attempt of each visit, before the token was entered.
  expect(refused).toEqual([`401 ${proxy.url}/v1/live`, `401 ${proxy.url}/v1/live`]);

  // One sign-in: the board opens without a prompt, reads its queues, and a reload of one of them finds its files again.
  await page.getByRole('link', { name: 'Queues' }).click();
  await page.waitForURL(`${proxy.url}/queues`);
  await page
    .getByRole('link', { name: /metadata-fanout/ })
    .first()
    .click();
  await page.waitForURL(`${proxy.url}/queues/queue/metadata-fanout**`);
  await page.reload();
  await page
    .getByRole('link', { name: /metadata-fanout/ })
    .first()
    .waitFor();
  await page.goto(proxy.url);
  await page.getByRole('link', { name: 'API' }).click();
  await page.getByRole('link', { name: '/docs/json' }).click();
  await page.waitForURL(`${proxy.url}/docs/json`);
  expect(refused.slice(2)).toEqual([]);
  // Nobody requested anything outside the path.
  expect(proxy.strays).toEqual([]);
  const [cookie] = await context.cookies(`${proxy.url}/queues`);
  expect(cookie).toMatchObject({ path: '/ops/autopilot/queues', httpOnly: true, sameSite: 'Strict' });
  expect(await context.cookies(`${proxy.url}/v1/live`)).toEqual([]);
  await context.close();

  // The cookie opens the queues for reading, and nothing else; if changed, it opens nothing.
  const withCookie = (path: string, value: string) =>
    answerOf(daemon.url + path, { headers: { cookie: `${cookie!.name}=${value}` } });
  expect((await withCookie('/queues/api/queues', cookie!.value)).status).toBe(200);
  expect((await withCookie('/v1/streams', cookie!.value)).status).toBe(401);
  const [until, signature] = cookie!.value.split('.') as [string, string];
  for (const forged of [`${Number(until) - 1}.${signature}`, `${until}.${'A'.repeat(43)}`, `${until}.`, until, '.'])
    expect((await withCookie('/queues/api/queues', forged)).status).toBe(401);

  // A trusted proxy's prefix is in every address that leaves; anybody else's is not.
  const authorization = `Bearer ${token}`;
  const told = { 'x-forwarded-prefix': '/elsewhere', 'x-forwarded-proto': 'https', authorization };
  const everywhere = async (send: (path: string) => Promise<{ text: string; headers: Headers }>) => {
    const answers = await Promise.all(['/', '/docs/json', '/queues', '/v1/nothing', '/v1/session'].map(send));
    return answers.map(({ text, headers }) => [
      /<base href="([^"]*)"/.exec(text)?.[1] ?? /"url":"([^"]*)"/.exec(text)?.[1] ?? /"type":"([^"]*)"/.exec(text)?.[1],
      /Path=([^;]*)(; HttpOnly)?(; Secure)?/.exec(headers.get('set-cookie') ?? '')?.[0],
    ]);
  };
  const own = [
    [undefined, undefined],
    ['/', undefined],
    ['/queues/', undefined],
    ['/docs#NOT_FOUND', undefined],
  ];
  expect(await everywhere((path) => answerOf(daemon.url + path, { headers: told }))).toEqual([
    ...own,
    [undefined, 'Path=/queues; HttpOnly'],
  ]);
  expect(await everywhere((path) => proxy.ask(path, { authorization, 'x-forwarded-proto': 'https' }))).toEqual([
    ['/ops/autopilot/', undefined],
    ['/ops/autopilot', undefined],
    ['/ops/autopilot/queues/', undefined],
    ['/ops/autopilot/docs#NOT_FOUND', undefined],
    [undefined, 'Path=/ops/autopilot/queues; HttpOnly; Secure'],
  ]);
  // Also in the address of a created resource.
  const batch = await fetch(`${proxy.url}/v1/metadata/batches`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ targets: { channelArns: [channel!.arn] }, items: [{ payload: 'x' }] }),
  });
  const { batchId } = (await batch.json()) as { batchId: string };
  expect(batch.headers.get('location')).toBe(`/ops/autopilot/v1/metadata/batches/${batchId}`);
  const hostile = ['//evil.example', '/a"><script>', '/a/../b', '/a;Path=/', '/a, /b', 'https://evil.example'];
  for (const prefix of hostile)
    expect(await everywhere((path) => proxy.ask(path, { authorization, 'x-forwarded-prefix': prefix }))).toEqual([
      ...own,
      [undefined, 'Path=/queues; HttpOnly'],
    ]);
  const metrics = (await answerOf(`${daemon.url}/metrics`)).text;
  expect(metrics).toContain(`autopilot_forwarded_prefixes_ignored_total ${hostile.length * 5}\n`);
  expect(daemon.log.join('')).toContain('HTTP_PREFIX_INVALID');
});

async function answerOf(url: string, init?: RequestInit): Promise<{ status: number; headers: Headers; text: string }> {
  const answer = await fetch(url, init);
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

test('a standby says so, can be activated after its consequences were read, and then shows what is live', async () => {
  await using platform = await broadcast();
  const [channel] = await platform.simulator.control.createChannels(1);
  await platform.simulator.control.goLive([channel!.arn]);
  const daemon = await platform.daemon({ rules, standby: true, cold: true });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  context.setDefaultTimeout(guardMs);
  const page = await context.newPage();
  await page.goto(daemon.url);
  await page.getByText('Standby: does nothing until it is activated').waitFor();
  // Nothing is watched: nothing is said to be live, fresh or in force.
  await page.getByText('This is a standby. What is live is seen once it is activated.').waitFor();
  expect(await page.locator('header.top').innerText()).not.toMatch(/Enforcing|Data is/);

  await page.getByRole('button', { name: 'Activate' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Account main (us-west-2): polls streams and channels').waitFor();
  await dialog.getByText('1 rule in mode enforce: starving-slate; 1 in mode dry_run.').waitFor();
  await page.fill('#field-reason', 'the other Region is lost');
  await dialog.getByRole('button', { name: 'Activate' }).click();

  await page.locator('.row[data-key]', { hasText: channel!.name }).waitFor();
  await page.getByText('Standby: does nothing').waitFor({ state: 'detached' });
  await context.close();
});

test('Redis dies under an open page and a new one: both say what they show, and both are fresh again when it is back', async () => {
  await using platform = await broadcast();
  await using redis = await ownRedis();
  const { control } = platform.simulator;
  const channels = await control.createChannels(2, { namePrefix: 'studio' });
  await control.goLive(channels.map(({ arn }) => arn));
  await using daemon = await platform.daemon({
    rules,
    redisUrl: redis.url,
    env: { AUTOPILOT_API_TOKEN: token },
  });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  context.setDefaultTimeout(guardMs);
  const visit = async () => {
    const page = await context.newPage();
    await page.goto(daemon.url);
    await page.fill('#token', token);
    await page.keyboard.press('Enter');
    await page.locator('.row[data-key]').nth(1).waitFor();
    return page;
  };
  const open = await visit();
  await redis.server.kill();

  await open
    .locator('.trust', { hasText: /Redis has not answered for .*nothing is decided; this is the picture of/ })
    .waitFor();
  const fresh = await visit();
  for (const page of [open, fresh]) {
    await page
      .locator('p.stale', { hasText: /Redis does not answer: nothing is decided; this is the picture of/ })
      .waitFor();
    await page.locator('.need', { hasText: 'REDIS_URL' }).getByRole('link', { name: 'What to do' }).waitFor();
    await page.locator('.need', { hasText: 'REDIS_URL' }).getByText('does not answer: nothing is decided').waitFor();
  }
  const ageOf = async () => await open.locator('.trust summary').innerText();
  const age = await ageOf();
  await expect.poll(ageOf, { timeout: guardMs }).not.toBe(age);
  await open.getByRole('button', { name: 'Pause all' }).click();
  await open.fill('#field-reason', 'storage is down');
  await open.getByRole('dialog').getByRole('button', { name: 'Pause all' }).click();
  await open.locator('.chip.paused', { hasText: 'only this replica knows' }).waitFor();

  await redis.restart();
  for (const page of [open, fresh]) {
    await page.locator('.trust summary', { hasText: 'Redis' }).waitFor({ state: 'detached' });
    await page.locator('p.stale').waitFor({ state: 'detached' });
    await page.locator('.need', { hasText: 'REDIS_URL' }).waitFor({ state: 'detached' });
    await page.locator('.chip.paused', { hasText: /storage is down$/ }).waitFor();
  }
  await context.close();
});
