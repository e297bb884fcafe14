// The page over a whole daemon and the simulator: what happens at IVS is on the screen, and what is asked on the screen happens there.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { broadcast } from '#test/support/broadcast.ts';
import { guardMs, launchChromium, show } from '#test/support/page-visit.ts';

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
`;
// Made here, and only for this run.
const token = `page-${crypto.randomUUID()}`;

test('a starving stream rises to the top, its rule is seen acting, its plan is cancelled, and it is stopped by hand', async () => {
  await using platform = await broadcast();
  const { control } = platform.simulator;
  const channels = await control.createChannels(4, { namePrefix: 'studio' });
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
  await page.locator('.timeline > li.decision', { hasText: 'acted' }).first().waitFor();
  await page.getByRole('button', { name: 'Stop stream' }).click();
  await page.fill('#field-reason', 'test picture');
  await page.getByRole('button', { name: 'Show what it would do' }).click();
  await page.locator('.plan li', { hasText: 'StopStream' }).waitFor();
  expect((await control.calls({ operation: 'StopStream' })).length).toBe(0);
  await page.getByRole('dialog').getByRole('button', { name: 'Stop stream' }).click();
  await page.locator('.timeline > li', { hasText: '“test picture”' }).first().waitFor();
  await control.waitForCall({ operation: 'StopStream' });

  // The decision, its job and its batch each have an address, with what was sent.
  await page.locator('.timeline > li.decision', { hasText: 'acted' }).first().getByText('Details').click();
  await page.getByRole('heading', { name: 'starving-slate: fired' }).waitFor();
  await page.locator('.steps li', { hasText: 'put metadata' }).getByRole('link').first().click();
  await page.getByRole('heading', { name: 'Job: put metadata' }).waitFor();
  await page.getByRole('link', { name: /^Decision d-/ }).waitFor();
  await show(page, '#/batches');
  await page.locator('.batch a').first().click();
  await page.locator('pre', { hasText: '"type": "slate"' }).waitFor();
  // What is over is found by its name, with its reason.
  await show(page, '#/?show=ended');
  const over = page.locator('.sessions li', { hasText: worst.name });
  await over.filter({ hasText: /Ended.*live for/s }).waitFor();
  await over.getByRole('link').click();
  await page.getByText('stopped by admin; Stream End').waitFor();
  expect(await page.locator('main').innerText()).not.toContain('Live since');

  await show(page, '#/batches');
  await page.locator('.batch', { hasText: '1 item to 1 channel' }).getByText('by rule starving-slate').waitFor();
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

test('the queues are seen behind the token only, without what people wrote, and cannot be changed', async () => {
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
