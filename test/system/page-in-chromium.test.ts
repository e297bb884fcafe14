// The operator's page in a real headless Chromium: what it shows, what it asks before acting, and that it stays fast and readable.
import { get, type IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Channel } from '#domain/channel.ts';
import { kinds } from '#domain/state-registry.ts';
import { channelArnAt, type PageStand, pageStand, streamRecord } from '#test/support/page-stand.ts';
import {
  allViews,
  complaintsOfAxe,
  launchChromium,
  show,
  type VisitOptions,
  visit as visitWith,
} from '#test/support/page-visit.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

const visit = (stand: PageStand, role?: Parameters<typeof visitWith>[2], options?: VisitOptions) =>
  visitWith(browser, stand, role, options);

/** Records when the first row of the streams is in the document, ms after the navigation began. */
const noteFirstRow = `new MutationObserver((_, observer) => {
  if (!document.querySelector('.row[data-key]')) return;
  globalThis.firstRowMs = performance.now();
  observer.disconnect();
}).observe(document, { childList: true, subtree: true });`;

const frames = 40;

/** The cost of scrolling this far in each of forty frames: the work is counted, which no busy machine can change; times are for people. */
async function scrolled(page: Page, pixels: number) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  const read = async () => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    return new Map(metrics.map(({ name, value }) => [name, value]));
  };
  // From the middle, where the document has the most rows.
  await page.evaluate(`(async () => {
    scrollTo(0, 2_000);
    for (let turn = 0; turn < 3; turn += 1) await new Promise(requestAnimationFrame);
  })()`);
  const before = await read();
  const { times, made } = (await page.evaluate(`(async () => {
    const list = document.querySelector('.rows');
    const known = new WeakSet(list.querySelectorAll('*'));
    let made = 0;
    const note = (element) => {
      if (!known.has(element)) made += 1;
      known.add(element);
    };
    const observer = new MutationObserver((changes) => {
      for (const { addedNodes } of changes)
        for (const node of addedNodes) if (node instanceof Element) for (const each of [node, ...node.querySelectorAll('*')]) note(each);
    });
    observer.observe(list, { childList: true, subtree: true });
    const times = [];
    for (let last = performance.now(), turn = 0; turn < ${frames}; turn += 1) {
      scrollBy(0, ${pixels});
      await new Promise(requestAnimationFrame);
      times.push(performance.now() - last);
      last = performance.now();
    }
    observer.disconnect();
    return { times: times.toSorted((a, b) => a - b), made };
  })()`)) as { times: number[]; made: number };
  const after = await read();
  await devtools.detach();
  const grown = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  return {
    made,
    layouts: grown('LayoutCount'),
    medianMs: times[frames / 2]!,
    scriptMs: (grown('ScriptDuration') / frames) * 1000,
    layoutMs: ((grown('LayoutDuration') + grown('RecalcStyleDuration')) / frames) * 1000,
  };
}

const rowNames = (page: Page) => page.locator('.row[data-key] a.name').allTextContents();

describe('the operator’s page', () => {
  test('is one script below 100 kB compressed, and comes from the cache while nothing has changed', async () => {
    await using stand = await pageStand({ streams: 5, lively: false });
    const html = await (await fetch(stand.url)).text();
    const scripts = Array.from(html.matchAll(/<script[^>]+src="([^"]+)"/g), ([, src]) => src!);
    expect(scripts).toEqual(['app.js']);
    const answer = await raw(`${stand.url}/app.js`, { 'accept-encoding': 'gzip, br' });
    expect(answer.headers['content-encoding']).toBe('gzip');
    expect(answer.body.length).toBeLessThan(100_000);
    expect(gunzipSync(answer.body).toString()).not.toMatch(/sourceMappingURL|\beval\(/);
    const plain = await raw(`${stand.url}/app.js`, {});
    expect(plain.body.equals(gunzipSync(answer.body))).toBe(true);
    const again = await raw(`${stand.url}/app.js`, { 'if-none-match': answer.headers.etag! });
    expect([again.status, again.body.length]).toEqual([304, 0]);
  });

  test('asks for a token, says if it is wrong, and keeps it in this tab only', async () => {
    await using stand = await pageStand({ streams: 5, lively: false });
    await using guest = await visit(stand, 'nobody');
    const { page } = guest;

    await page.fill('#token', 'not-a-token-of-this-daemon');
    await page.keyboard.press('Enter');
    await page.getByText('This token is not accepted.').waitFor();
    await page.fill('#token', stand.tokens.viewer);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.row[data-key]');

    expect(await page.evaluate('[document.cookie, localStorage.length]')).toEqual(['', 0]);
    expect(page.url()).not.toContain(stand.tokens.viewer);
    expect(guest.strangers).toEqual([]);
    expect(guest.complaints).toEqual([]);
  });

  test('shows the worst first, and every part that an engineer looks for at night', async () => {
    await using stand = await pageStand({ streams: 60 });
    await using tour = await visit(stand);
    const { page } = tour;

    const worst = async () => (await page.locator('.row[data-key] .state').allTextContents()).slice(0, 4);
    await expect.poll(worst).toEqual(['Starving', 'Starving', 'Starving', 'Unknown']);
    const top = () => page.locator('.top').innerText();
    for (const text of ['59', 'Live', 'Starving', 'Held', 'Enforcing 2, 1 dry run', 'a1b2c3d', 'Pause all'])
      await expect.poll(top).toContain(text);
    await page.getByText('in 1 min').first().waitFor();
    await page.getByText('pending: off').waitFor();
    const needs = () => page.locator('#needs').innerText();
    for (const text of [
      'Rule stopped by its cap',
      'Incident: 41 of 120 channels',
      'Channel without a stream key',
      '1 dead letter',
    ])
      await expect.poll(needs).toContain(text);
    await page.getByText('encoders are being moved tonight').waitFor();

    await page.locator('details.trust summary').click();
    const trust = () => page.locator('details.trust').innerText();
    for (const text of [
      'Poll',
      'Events',
      'lag below 1 s',
      'Redis',
      'Dead letters',
      'Disagreements',
      'in the last hour',
    ])
      await expect.poll(trust).toContain(text);

    for (const [link, words] of [
      ['Decisions', ['starving-slate', 'fired too recently', 'Synth Hour 1']],
      ['Rules', ['Firing for 1', 'Pending', 'Cooling 1', 'Capped', 'Last 24 hours']],
      ['Quota', ['148 of 155/s', 'Hottest channels', 'bulk', 'PutMetadata, last hour', 'highest 152/s of 155/s']],
      [
        'Metadata',
        ['1 item to 2,015 channels', '1,395 of 2,015 ended', '4 s to go', 'IVS_REFUSED 2', 'by rule starving-slate'],
      ],
      ['Audit', ['put metadata', 'PutMetadata answered 204']],
    ] as const) {
      await page.getByRole('navigation').getByText(link, { exact: true }).click();
      for (const text of words) await page.locator('main', { hasText: text }).waitFor();
    }
    expect(tour.complaints).toEqual([]);
    expect(tour.strangers).toEqual([]);
  });

  const stream = `#/stream/${encodeURIComponent(channelArnAt(4))}`;
  // All views in both schemes at all widths: `npm run soak`.
  test.each([
    { colorScheme: 'dark', width: 1440, views: [...allViews] },
    { colorScheme: 'light', width: 390, views: ['#/', stream, '#/decisions'] },
    { colorScheme: 'light', width: 1920, views: ['#/'] },
  ] as const)(
    'has nothing that axe complains about, $colorScheme at $width px, nor in a dialog',
    async ({ colorScheme, width, views }) => {
      await using stand = await pageStand({ streams: 40 });
      await using tour = await visit(stand, 'operator', { colorScheme, viewport: { width, height: 900 } });
      expect(await complaintsOfAxe(tour.page, views)).toEqual([]);
      expect(tour.complaints).toEqual([]);
    },
  );

  test('pauses everything with a reason, shows it to everybody at once, and resumes', async () => {
    await using stand = await pageStand({ streams: 10 });
    await using mine = await visit(stand);
    await using theirs = await visit(stand, 'viewer');

    await mine.page.getByRole('button', { name: 'Pause all' }).click();
    await mine.page.getByRole('dialog').getByRole('button', { name: 'Pause all' }).click();
    expect(stand.asked).toEqual([]); // a reason is asked for first
    await mine.page.fill('#field-reason', 'regional incident');
    await mine.page.keyboard.press('Enter');

    await theirs.page.getByText(/Paused .* by the operator: regional incident/).waitFor();
    await expect.poll(() => theirs.page.title()).toContain('Paused');
    await mine.page.getByRole('button', { name: 'Resume' }).click();
    await mine.page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
    await theirs.page.getByText('Enforcing 2, 1 dry run').waitFor();
  });

  test('lets a viewer read, and offers nothing that would change anything', async () => {
    await using stand = await pageStand({ streams: 10 });
    await using guest = await visit(stand, 'viewer');

    await guest.page.getByText('the viewer: looking only').waitFor();
    for (const name of ['Pause all', /^Hold ./, /^Cancel/, 'Add', 'Start the rule again'])
      expect(await guest.page.getByRole('button', { name }).count()).toBe(0);
  });

  test('asks before it cancels the rest of a batch, and does not offer it for one that is over', async () => {
    await using stand = await pageStand({ streams: 5 });
    await using tour = await visit(stand);
    await using guest = await visit(stand, 'viewer');
    const { page } = tour;

    await show(page, '#/batches');
    const cancel = page.getByRole('button', { name: 'Cancel the rest' });
    await cancel.click();
    await page.getByRole('dialog').getByText('620 deliveries that were not sent yet are dropped').waitFor();
    await page.getByRole('button', { name: 'Keep sending' }).click();
    await expect.poll(() => cancel.count()).toBe(1);
    expect(stand.asked).toEqual([]);
    await cancel.click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel the rest' }).click();
    await page.getByText('The rest of the batch is cancelled.').waitFor();

    expect(stand.asked).toMatchObject([{ method: 'DELETE', url: '/v1/metadata/batches/b-7f3aQx19' }]);
    await show(guest.page, '#/batches');
    await guest.page.getByText('1,395 of 2,015 ended').waitFor();
    expect(await guest.page.getByRole('button', { name: 'Cancel the rest' }).count()).toBe(0);
  });

  test('keeps the focus on a stream that is scrolled away, and the tab order is the order of the list', async () => {
    await using stand = await pageStand({ streams: 300, breathe: false });
    await using tour = await visit(stand);
    const { page } = tour;
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    const focused = () => page.evaluate<string>('document.activeElement.closest(".row")?.dataset.arn ?? ""');
    const before = await focused();

    const indexes = () =>
      page.evaluate<number[]>(
        '[...document.querySelectorAll(".rows .row")].map((row) => Number(row.getAttribute("aria-rowindex")))',
      );
    expect(before).not.toBe('');
    for (const top of [3_000, 9_000, 6_000]) {
      await page.evaluate(`scrollTo(0, ${top})`);
      // The rows there have arrived, and the list is at rest again: each row once, in its order.
      await expect
        .poll(async () => {
          const found = await indexes();
          const inOrder = found.every((index, place) => place === 0 || index > found[place - 1]!);
          return inOrder && found.some((index) => Math.abs(index - top / 54) < 20);
        })
        .toBe(true);
      expect(await focused()).toBe(before);
    }
  });

  test('works with the keyboard alone: filter, move, hold, open, act with a dry run, close', async () => {
    await using stand = await pageStand({ streams: 60 });
    await using tour = await visit(stand);
    const { page } = tour;

    await page.keyboard.press('/');
    await page.keyboard.type('tier=gold quiz');
    await page.getByText(/^\d+ of 60 channels$/).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    await page.keyboard.press('h');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.type('on air');
    await page.keyboard.press('Enter');
    await page.getByText('The channel is on hold.').waitFor();
    expect(stand.asked[0]).toMatchObject({ method: 'PUT', body: { reason: 'on air' } });

    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /Quiz Night/ }).waitFor();
    await page.getByText('Starvation Start').first().waitFor();
    await page.getByText(/arrived .* late/).waitFor();
    await page.getByRole('button', { name: 'Stop stream' }).press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.locator('#field-reason').focus();
    await page.keyboard.type('wrong picture');
    await page.getByRole('button', { name: 'Show what it would do' }).press('Enter');
    await page.getByText('done: it would stop the stream').waitFor();
    expect(await page.locator('.plan li').allTextContents()).toEqual(['GetStream', 'StopStream']);
    expect(stand.asked.at(-1)?.body).toMatchObject({
      dryRun: true,
      action: { stop_stream: {} },
      reason: 'wrong picture',
    });
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('g');
    await page.keyboard.press('d');
    await page.getByRole('heading', { name: 'Decisions' }).waitFor();
    expect(tour.complaints).toEqual([]);
  });

  test('applies every key to what is on the screen by then: no key is lost or reaches the previous view', async () => {
    await using stand = await pageStand({ streams: 60, breathe: false });
    await using tour = await visit(stand);
    const { page } = tour;
    // Keys come right after one another, without a frame or timer in between: only what the page does at once counts.
    await page.evaluate(`{
      globalThis.requestAnimationFrame = () => 0;
      globalThis.press = async (...keys) => {
        for (const key of keys) {
          (document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
          for (let turn = 0; turn < 20; turn += 1) await undefined;
        }
        const { activeElement } = document;
        const dialog = document.querySelector('dialog[open]');
        return {
          dialog: dialog?.querySelector('h2').textContent,
          inDialog: dialog?.contains(activeElement),
          row: Number(activeElement?.closest('.row')?.getAttribute('aria-rowindex') ?? 0),
          view: document.querySelector('main h1')?.textContent,
        };
      };
    }`);
    const press = (...keys: string[]) =>
      page.evaluate<{ dialog?: string; inDialog?: boolean; row: number; view: string }>(
        `press(...${JSON.stringify(keys)})`,
      );
    const escape = async () => {
      await page.keyboard.press('Escape');
      await page.locator('dialog').waitFor({ state: 'detached' });
    };

    expect(await press('j', 'j', 'h')).toMatchObject({ dialog: expect.stringMatching(/^Hold /), inDialog: true });
    await escape();
    // The row that had the focus has it again.
    expect(await press()).toMatchObject({ row: 3 });
    expect(await press('P')).toMatchObject({ dialog: 'Pause all automation?', inDialog: true });
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    expect(await press()).toMatchObject({ row: 3 });
    // Another view with a dialog, which the previous view does not close with it.
    expect(await press('g', 'd', '?')).toMatchObject({ view: 'Decisions', dialog: 'Keys', inDialog: true });
    await escape();
    expect(await press('g', 's', 'j')).toMatchObject({ view: 'Streams', row: 2 });
    expect(await press('g', 'd', 'h')).toMatchObject({ view: 'Decisions', row: 0 });
    expect(await page.locator('dialog').count()).toBe(0);
    expect(tour.complaints).toEqual([]);
  });

  test('makes a rule test from a decision', async () => {
    await using stand = await pageStand({ streams: 30 });
    await using tour = await visit(stand);
    const { page } = tour;

    await show(page, '#/decisions');
    await page.getByText('Why').last().click();
    await page.getByText('since last 4m').waitFor();
    await page.getByRole('button', { name: 'Make a test from this' }).last().click();

    const text = await page.getByRole('textbox', { name: 'Rule test' }).inputValue();
    expect(text).toContain('rule: starving-slate, decision: suppressed, reason: cooldown');
  });

  test('turns grey and says so if the daemon is gone or its data is old, and recovers by itself', async () => {
    await using stand = await pageStand({ streams: 10, breathe: false });
    await using tour = await visit(stand);
    const { page } = tour;
    await page.locator('html[data-stale="false"]').waitFor();

    await stand.state.transact((tx) =>
      tx.set(kinds.gap.of('poll'), { sinceMs: tx.nowMs - 70_000, noticedAtMs: tx.nowMs }),
    );
    await page.locator('p.stale').getByText('The daemon’s data is stale').waitFor();
    await page.locator('html[data-stale="true"]').waitFor();
    await stand.state.transact((tx) => tx.delete(kinds.gap.of('poll')));
    await page.locator('html[data-stale="false"]').waitFor();

    await stand.stop();
    await page.locator('p.stale').getByText('The daemon cannot be reached: this is its last known state.').waitFor();
    expect((await rowNames(page)).length).toBeGreaterThan(5);
  });

  test('shows a hostile channel name as plain text', async () => {
    await using stand = await pageStand({ streams: 3, lively: false });
    const evil = '<img src=x onerror="window.hacked=1"><b>“ onmouseover=alert(1) x=';
    await stand.state.transact((tx) => {
      tx.set(kinds.channel.of(channelArnAt(1)), {
        arn: channelArnAt(1),
        name: evil,
        tags: { '<i>': '"><script>' },
      } as Partial<Channel> as Channel);
    });
    await using tour = await visit(stand);

    await tour.page.getByText(evil).first().waitFor();
    expect(await tour.page.evaluate(() => 'hacked' in globalThis)).toBe(false);
    expect(await tour.page.locator('.row[data-key] img, .row[data-key] script, .row[data-key] i').count()).toBe(0);
    expect(tour.complaints).toEqual([]);
  });

  test('fits a phone: nothing is wider than 375 px, and buttons are large enough for a thumb', async () => {
    await using stand = await pageStand({ streams: 40 });
    await using tour = await visit(stand, 'operator', { viewport: { width: 375, height: 812 }, hasTouch: true });
    const { page } = tour;

    for (const hash of allViews) {
      await show(page, hash);
      await page.locator('main h1, main .row[data-key]').first().waitFor();
      await page.locator('main .skeleton').waitFor({ state: 'detached' });
      await expect
        .poll(async () => [hash, await page.evaluate('document.documentElement.scrollWidth')])
        .toEqual([hash, 375]);
    }
    // The chosen entry stays visible, below the whole top bar.
    await show(page, '#/');
    await page.locator('.row[data-key] input[type="checkbox"]').first().click();
    await page.getByText('1 selected').waitFor();
    await page.evaluate('scrollTo(0, 2500)');
    await expect
      .poll(() =>
        page.evaluate(
          `document.querySelector('.selection').getBoundingClientRect().top - document.querySelector('.top').getBoundingClientRect().bottom`,
        ),
      )
      .toBeCloseTo(4.5, 0);
    const pause = await page.getByRole('button', { name: 'Pause all' }).boundingBox();
    expect(pause!.height).toBeGreaterThanOrEqual(36);
  });

  test('stays smooth with 2,000 streams: scrolling creates no elements, costs one layout a frame, and messages are small', async () => {
    await using stand = await pageStand({ streams: 2_000 });
    await using tour = await visit(stand, 'operator', { before: noteFirstRow });
    const { page } = tour;
    await page.getByText('2,000 channels').waitFor();
    await page.reload();
    await page.getByText('2,000 channels').waitFor();
    const firstRowMs = await page.evaluate<number>('globalThis.firstRowMs');
    const completeMs = await page.evaluate<number>('performance.now()');
    await scrolled(page, 700);

    const still = await scrolled(page, 0);
    const moving = await scrolled(page, 700);
    const rows = await page.locator('.row[data-key]').count();
    const bytes = await bytesPerSecond(stand, 3);
    console.info(
      `2,000 streams: first rows after ${firstRowMs.toFixed(0)} ms, all known after ${completeMs.toFixed(0)} ms; ${rows} rows in the document; median frame ${still.medianMs.toFixed(1)} ms at rest, ${moving.medianMs.toFixed(1)} ms scrolling 13 rows a frame, of it ${moving.scriptMs.toFixed(2)} ms script, ${moving.layoutMs.toFixed(2)} ms layout and style; ${bytes} bytes/s after the first picture`,
    );

    expect(rows).toBeLessThan(60);
    // Thirteen rows of some forty elements come into view with every frame, all in existing elements.
    expect(moving.made).toBeLessThan(2 * frames);
    expect(moving.layouts).toBeLessThan(1.5 * frames + 30);
    expect(bytes).toBeLessThan(60_000);
    // A change of one row reaches the page as one row.
    await page.evaluate('scrollTo(0, 0)');
    await stand.state.transact((tx) =>
      tx.set(
        kinds.stream.of(channelArnAt(1_777)),
        streamRecord(1_777, tx.nowMs, { health: 'STARVING', healthSinceMs: 1 }),
      ),
    );
    await page.locator('.row.starving').nth(3).waitFor();
    await expect.poll(async () => (await rowNames(page))[0]).toBe('Garden TV 254');
  });
});

/** One raw request. */
async function raw(url: string, headers: Readonly<Record<string, string>>) {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  get(url, { headers }, resolve).on('error', reject);
  const answer = await promise;
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  return { status: answer.statusCode, headers: answer.headers, body };
}

/** What the live stream sends to one more reader in a second, after the initial data. */
async function bytesPerSecond(stand: PageStand, seconds: number): Promise<number> {
  const abort = new AbortController();
  const answer = await fetch(`${stand.url}/v1/live`, {
    headers: { authorization: `Bearer ${stand.tokens.viewer}` },
    signal: abort.signal,
  });
  const complete = Promise.withResolvers<void>();
  let bytes = 0;
  let counting = false;
  const read = (async () => {
    for await (const chunk of answer.body!) {
      if (counting) bytes += chunk.length;
      else if (new TextDecoder().decode(chunk).includes('event: ready')) {
        counting = true;
        complete.resolve();
      }
    }
  })().catch(() => undefined);
  await complete.promise;
  // A rate needs a time to be counted over; nothing is waited for.
  await new Promise((done) => setTimeout(done, seconds * 1000));
  abort.abort();
  await read;
  return Math.round(bytes / seconds);
}
