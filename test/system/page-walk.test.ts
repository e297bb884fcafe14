// A walk through all views of the page in random order, while the API answers late and out of order: the address, the navigation and the
// body always agree, and a view that was left leaves nothing behind.
import type { Browser, Page, Request } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { channelArnAt, channelAt, pageStand } from '#test/support/page-stand.ts';
import { guardMs, launchChromium, show } from '#test/support/page-visit.ts';
import { seededRandom } from '#test/support/quiet.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

interface Place {
  readonly hash: string;
  /** The marked link of the navigation; a stream has none. */
  readonly marked: string | undefined;
  readonly heading: string;
}

const stream = (index: number): Place => ({
  hash: `#/stream/${encodeURIComponent(channelArnAt(index))}`,
  marked: undefined,
  heading: channelAt(index).name,
});
const places: readonly Place[] = [
  { hash: '#/', marked: 'Streams', heading: 'Streams' },
  { hash: '#/decisions', marked: 'Decisions', heading: 'Decisions' },
  { hash: '#/rules', marked: 'Rules', heading: 'Rules' },
  { hash: '#/alerts', marked: undefined, heading: 'On call' },
  { hash: '#/quota', marked: 'Quota', heading: 'Quota' },
  { hash: '#/batches', marked: 'Metadata', heading: 'Metadata batches' },
  { hash: '#/audit', marked: 'Audit', heading: 'Audit' },
  { hash: '#/decision/d-4', marked: 'Decisions', heading: 'starving-slate: fired after 30 s' },
  { hash: '#/batch/b-7f3aQx19', marked: 'Metadata', heading: 'Metadata batch' },
  { hash: '#/job/job-1', marked: 'Audit', heading: 'Job: stop stream' },
  { hash: '#/incident/i-1', marked: undefined, heading: 'Incident: mass-starvation' },
  { hash: '#/runbook', marked: undefined, heading: 'Run book' },
  stream(4),
  stream(17),
];
const steps = 12;
const atMostZero = expect.toSatisfy((more: number) => more <= 0);

/** What the page shows about its view in three places. */
async function said(page: Page): Promise<{ path: string; marked: string | undefined; heading: string }> {
  return page.evaluate(() => {
    const { document: page, location: here } = globalThis as unknown as {
      document: { querySelector(selector: string): { textContent: string } | null };
      location: { hash: string };
    };
    const text = (selector: string) => page.querySelector(selector)?.textContent.trim();
    return {
      path: here.hash.split('?')[0] ?? '',
      marked: text('nav a[aria-current]'),
      heading: (text('main h1') ?? '').replace(/ ?(Starving|Healthy|Unknown|Ended)$/, ''),
    };
  });
}

/** Listeners that are alive after a garbage collection, and running intervals. */
async function kept(page: Page): Promise<{ listeners: number; intervals: number }> {
  // What a view still does by itself comes first: its last rows, for example.
  await page.evaluate(
    'new Promise((done) => requestIdleCallback(() => requestAnimationFrame(() => requestIdleCallback(done))))',
  );
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  await devtools.send('HeapProfiler.collectGarbage');
  const { metrics } = await devtools.send('Performance.getMetrics');
  await devtools.detach();
  return {
    listeners: metrics.find(({ name }) => name === 'JSEventListeners')?.value ?? Number.NaN,
    intervals: await page.evaluate<number>('globalThis.intervals.size'),
  };
}

test('address, navigation and body agree during a random walk with slow answers, and every view ends with everything it began', async () => {
  const seed = Date.now() % 1_000_000;
  const random = seededRandom(seed);
  await using stand = await pageStand({ streams: 60, breathe: false });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  context.setDefaultTimeout(guardMs);
  const page = await context.newPage();
  const complaints: string[] = [];
  let abandoned = 0;
  const asking = new Set<Request>();
  page.on('pageerror', (error) => void complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().endsWith('/v1/live')) asking.add(request);
  });
  page.on('requestfinished', (request) => void asking.delete(request));
  page.on('requestfailed', (request) => {
    asking.delete(request);
    abandoned += 1;
  });
  /** Every late answer has come. */
  const answered = () => expect.poll(() => asking.size).toBe(0);
  await context.addInitScript(`{
    globalThis.intervals = new Set();
    const { setInterval: begin, clearInterval: end } = globalThis;
    globalThis.setInterval = (...args) => { const id = begin(...args); globalThis.intervals.add(id); return id; };
    globalThis.clearInterval = (id) => { globalThis.intervals.delete(id); end(id); };
  }`);
  await page.route(
    (url) => url.pathname.startsWith('/v1/') && url.pathname !== '/v1/live',
    async (route) => {
      await new Promise((done) => setTimeout(done, 30 + random() * 600));
      await route.continue().catch(() => undefined);
    },
  );
  await page.goto(stand.url);
  await page.fill('#token', stand.tokens.operator);
  await page.keyboard.press('Enter');
  await page.locator('.row[data-key]').nth(10).waitFor();
  // Every view once, so that what is created only once exists.
  for (const { hash, heading } of [...places, places[0]!]) {
    await show(page, hash);
    await page.locator('main h1', { hasText: heading }).waitFor();
  }
  await page.locator('.row[data-key]').nth(10).waitFor();
  await answered();
  const before = await kept(page);

  let here = places[0]!;
  for (let step = 0; step < steps; step += 1) {
    const others = places.filter((place) => place !== here);
    const next = others[Math.floor(random() * others.length)]!;
    here = next;
    await show(page, next.hash);
    await page.locator('main h1', { hasText: next.heading }).waitFor();
    // Only this view reacts to a choice in it.
    if (random() < 0.5) {
      if (next.hash === '#/decisions') await page.locator('#by-outcome').selectOption('acted');
      if (next.hash.startsWith('#/stream')) await page.getByRole('checkbox', { name: 'Poll' }).click();
    }
    for (let look = 0; look < 3; look += 1) {
      await page.waitForTimeout(random() * 150);
      expect({ seed, step, ...(await said(page)) }).toEqual({
        seed,
        step,
        path: next.hash,
        marked: next.marked,
        heading: next.heading,
      });
    }
  }
  await show(page, '#/');
  await page.locator('.row[data-key]').nth(10).waitFor();
  await answered();

  expect(await said(page)).toEqual({ path: '#/', marked: 'Streams', heading: 'Streams' });
  // A leaked listener or timer stays; what only waits for the garbage collector goes.
  await expect
    .poll(async () => {
      const now = await kept(page);
      return { listeners: now.listeners - before.listeners, intervals: now.intervals - before.intervals };
    })
    .toEqual({ listeners: atMostZero, intervals: atMostZero });
  expect(abandoned).toBeGreaterThan(0);
  expect(complaints).toEqual([]);
  await context.close();
});
