// The page as a place to work in: a list that is sorted, pinned and selected from, actions on many streams at once, and what this browser
// remembers of its person.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KeyAlert } from '#domain/alert.ts';
import { kinds } from '#domain/state-registry.ts';
import { channelArnAt, channelAt, type PageStand, pageStand } from '#test/support/page-stand.ts';
import { findings, launchChromium, show, visit } from '#test/support/page-visit.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

/** Records what the page would report, in place of the desktop and the loudspeaker. */
const noteNotices = `
  globalThis.notified = [];
  globalThis.tones = 0;
  globalThis.Notification = class {
    static permission = 'granted';
    static requestPermission = async () => 'granted';
    constructor(title, { body }) { globalThis.notified.push(title + ': ' + body); }
    addEventListener() {}
    close() {}
  };
  globalThis.AudioContext = class {
    currentTime = 0;
    destination = {};
    async resume() {}
    createGain() { return { gain: { setValueAtTime() {}, exponentialRampToValueAtTime() {} }, connect: (to) => to }; }
    createOscillator() {
      globalThis.tones += 1;
      return { frequency: {}, connect: (to) => to, start() {}, stop() {} };
    }
  };`;

const rows = (page: Page) => page.locator('.row[data-key]');
const nameAt = (page: Page, place: number) => rows(page).nth(place).locator('a.name').innerText();
const hashOf = (page: Page) => page.evaluate<string>('location.hash');

/** An alert of a kind that the page shows as something that needs a person. */
async function alertOf(stand: PageStand, index: number, text: string): Promise<void> {
  await stand.state.transact((tx) =>
    tx.set(kinds.alert.of('keyless', channelArnAt(index)), {
      kind: 'keyless',
      channelArn: channelArnAt(index),
      sinceMs: tx.nowMs,
      updatedAtMs: tx.nowMs,
      text,
      jobId: `rotate-${index}`,
    } satisfies KeyAlert),
  );
}

/** The distances of the logo, the content and the footer from the left, and of the content and the last button from the right; px. */
const edges = (page: Page) =>
  page.evaluate<number[]>(`(() => {
    const edge = (selector, side) => Math.round(document.querySelector(selector).getBoundingClientRect()[side]);
    const width = document.documentElement.clientWidth;
    const right = document.querySelector('aside') ? 'aside' : 'main';
    return [edge('.brand', 'left'), edge('main', 'left'), edge('footer > :first-child', 'left'),
      width - edge(right, 'right'), width - edge('.pause', 'right')];
  })()`);

test('the list is sorted, pinned, narrowed and made compact; the order is in the address, the rest is remembered by the browser', async () => {
  await using stand = await pageStand({ streams: 60, breathe: false });
  await using tour = await visit(browser, stand);
  const { page } = tour;
  const head = (name: string) => page.getByRole('columnheader', { name });
  const rest = () => page.locator('#filter').hover();

  await head('Viewers').getByRole('button').click();
  await expect.poll(() => nameAt(page, 0)).toBe('Synth Hour 8');
  expect(await hashOf(page)).toBe('#/?sort=-viewers');
  expect(await head('Viewers').getAttribute('aria-sort')).toBe('descending');
  await head('Channel').getByRole('button').click();
  await expect.poll(() => nameAt(page, 0)).toBe('Chess Arena 1');
  // As people count, not as letters do.
  await page.getByRole('button', { name: 'Pin Cooking with Ada 2', exact: true }).click();
  await expect.poll(() => nameAt(page, 0)).toBe('Cooking with Ada 2');
  await rest();
  await page.reload();
  await expect
    .poll(async () => [await nameAt(page, 0), await nameAt(page, 1)])
    .toEqual(['Cooking with Ada 2', 'Chess Arena 1']);

  await page.locator('.options summary').click();
  await page.getByRole('checkbox', { name: 'Recording' }).uncheck();
  await page.getByRole('checkbox', { name: 'Live for' }).check();
  await page.getByRole('checkbox', { name: 'Compact' }).check();
  await page.reload();
  await head('Live for').waitFor();
  await head('Recording').waitFor({ state: 'detached' });
  await expect.poll(async () => (await rows(page).first().boundingBox())?.height).toBe(34);
  await page.locator('.options summary').click();
  await page.getByRole('button', { name: 'As the window has room' }).click();
  await head('Recording').waitFor();

  // A word that is neither a column nor a filter is refused with the one that was meant.
  await show(page, '#/?sort=-viewrs');
  await page
    .getByText('There is no column “viewrs” to sort by (did you mean viewers?): the worst come first.')
    .waitFor();
  await show(page, '#/?show=starvin');
  await page.getByText('There is no filter “starvin” (did you mean starving?): all streams are shown.').waitFor();
  // Foreign stored data is used only as far as it is valid.
  await page.evaluate(
    `localStorage.setItem('ivs-autopilot-preferences', JSON.stringify({ columns: ['nothing', 'key'], pinned: [7, 'x', '${channelArnAt(2)}'], density: 9, sound: 'yes' }))`,
  );
  await page.reload();
  await expect.poll(() => nameAt(page, 0)).toBe(channelAt(2).name);
  await head('Key age').waitFor();
  await head('Viewers').waitFor({ state: 'detached' });
  expect(tour.complaints).toEqual([]);
});

test('at 1,920 px many streams are selected and held with one request each; failures are named and retried alone', async () => {
  await using stand = await pageStand({ streams: 230, breathe: false });
  await using tour = await visit(browser, stand, 'operator', { viewport: { width: 1920, height: 900 } });
  await using guest = await visit(browser, stand, 'viewer');
  const { page } = tour;
  const boxes = page.locator('.row[data-key] input[type="checkbox"]');
  const selection = page.getByRole('group', { name: 'Selected streams' });

  // Every view uses the wide window, and bar, content and footer have the same edges.
  for (const hash of ['#/decisions', '#/rules', '#/quota', '#/batches', '#/audit', '#/']) {
    await show(page, hash);
    await page.locator('main h1').first().waitFor();
    expect([hash, ...(await edges(page))]).toEqual([hash, 15, 15, 15, 15, 15]);
  }
  // There is room for one more column than at 1,440 px.
  await page.getByRole('columnheader', { name: 'Live for' }).waitFor();

  await show(page, '#/?sort=channel');
  await expect.poll(() => nameAt(page, 0)).toBe('Chess Arena 1');
  // No more than can be requested one by one.
  await page.getByRole('checkbox', { name: 'Select all streams that are shown' }).click();
  await selection.getByText('200 selected').waitFor();
  await page.getByText('200 are selected, the maximum; 30 more are not.').waitFor();
  await selection.getByRole('button', { name: 'Clear' }).click();
  await selection.waitFor({ state: 'detached' });
  await show(page, '#/?sort=channel&q=chess+tier=gold');
  await page.getByText('11 of 230 channels').waitFor();
  await boxes.first().click();
  await boxes.nth(5).click({ modifiers: ['Shift'] });
  await selection.getByText('6 selected').waitFor();
  await page.locator('.options summary').click();
  expect(await findings(page)).toEqual([]);
  await page.locator('.options summary').click();
  await page.emulateMedia({ colorScheme: 'dark' });

  const names = await Promise.all([0, 1, 2, 3, 4, 5].map((place) => nameAt(page, place)));
  const stubborn = (await rows(page).nth(3).getAttribute('data-arn'))!;
  let refusals = 1;
  await page.route(
    (url) => url.pathname === `/v1/holds/${encodeURIComponent(stubborn)}`,
    async (route) => {
      if (refusals === 0) return route.continue();
      refusals -= 1;
      return route.fulfill({ status: 409, json: { detail: 'There is no room for it.', code: 'TOO_MANY_HOLDS' } });
    },
  );
  await selection.getByRole('button', { name: 'Hold 6 channels' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(names.join(', ')).waitFor();
  await page.fill('#field-reason', 'encoders move');
  await dialog.getByRole('button', { name: 'Hold', exact: true }).click();
  await dialog.getByText('5 channels are held, 1 failed:').waitFor();
  await dialog
    .getByRole('listitem')
    .filter({ hasText: `${names[3]} There is no room for it.` })
    .waitFor();
  expect(await findings(page)).toEqual([]);
  await dialog.getByRole('button', { name: 'Try again' }).click();
  await page.getByText('1 channel is held.').waitFor();
  await selection.waitFor({ state: 'detached' });
  expect(stand.asked.map(({ method, body }) => ({ method, body }))).toEqual(
    Array.from({ length: 6 }, () => ({ method: 'PUT', body: { reason: 'encoders move' } })),
  );
  expect(new Set(stand.asked.map(({ url }) => url)).size).toBe(6);

  // Only those that are held are released.
  await expect
    .poll(() =>
      page
        .locator('.row[data-key]')
        .nth(5)
        .getByRole('button', { name: /^Release/ })
        .count(),
    )
    .toBe(1);
  await boxes.nth(5).click();
  await boxes.nth(6).click();
  await selection.getByRole('button', { name: 'Hold 1 channel' }).waitFor();
  await selection.getByRole('button', { name: 'Release 1 channel' }).click();
  await dialog.getByRole('button', { name: 'Release' }).click();
  await page.getByText('1 channel is released.').waitFor();
  expect(stand.asked.at(-1)).toMatchObject({ method: 'DELETE' });
  expect(await guest.page.locator('.row[data-key] input[type="checkbox"]').count()).toBe(0);
  expect(tour.complaints.filter((text) => !text.includes('409'))).toEqual([]);
});

test('a new alert rings and notifies if somebody turned that on, and only what is new since', async () => {
  await using stand = await pageStand({ streams: 10, lively: false, breathe: false });
  await using tour = await visit(browser, stand, 'operator', { before: noteNotices });
  const { page } = tour;
  const noted = () => page.evaluate<[string[], number]>('[globalThis.notified, globalThis.tones]');

  await alertOf(stand, 1, 'The first key is gone.');
  await page.locator('.need', { hasText: 'The first key is gone.' }).waitFor();
  await page.locator('.options summary').click();
  await page.getByRole('checkbox', { name: 'Desktop notification' }).check();
  await page.getByRole('checkbox', { name: 'Sound' }).check();
  // The sound is played at once as a sample.
  await expect.poll(noted).toEqual([[], 2]);
  await alertOf(stand, 2, 'The second key is gone.');
  await expect.poll(noted).toEqual([['Channel without a stream key: The second key is gone.'], 4]);
  expect(await page.evaluate('JSON.parse(localStorage.getItem("ivs-autopilot-preferences"))')).toMatchObject({
    sound: true,
    desktop: true,
  });
  expect(tour.complaints).toEqual([]);
});

test('a rule in dry run shows what it would have done and has its patch; a silence shows what it would hold back, and is changed in place', async () => {
  await using stand = await pageStand({ streams: 30, breathe: false });
  await using tour = await visit(browser, stand, 'operator', { permissions: ['clipboard-read', 'clipboard-write'] });
  const { page } = tour;

  await show(page, '#/rules');
  const rule = page.getByRole('region', { name: 'Rule rotate-key-after-show' });
  await rule
    .getByText(
      'In the last 24 hours it would have acted 14 times: rotate stream key 14, notify 3. Guards would have held it back: cooldown 2.',
    )
    .waitFor();
  await rule
    .getByRole('listitem')
    .filter({ hasText: `notify on 13 channels, such as ${channelAt(17).name}` })
    .waitFor();
  await rule.getByText('Let it act').click();
  await rule.locator('pre', { hasText: '+    mode: enforce' }).waitFor();
  expect(await findings(page)).toEqual([]);
  await rule.getByRole('button', { name: 'Copy the patch' }).click();
  await page.getByText('The patch is copied.').waitFor();
  expect(await page.evaluate<string>('navigator.clipboard.readText()')).toContain(
    '\n-    mode: dry_run\n+    mode: enforce\n',
  );
  // Only a rule in dry run has one, and the page itself changes nothing.
  expect(await page.locator('.dry-run').count()).toBe(1);
  expect(stand.asked).toEqual([]);
  await rule.getByRole('link', { name: 'All that it would have done' }).click();
  await expect.poll(() => hashOf(page)).toBe('#/decisions?rule=rotate-key-after-show&outcome=would_act&since=24h');

  await show(page, '#/');
  const dialog = page.getByRole('dialog');
  const silences = page.locator('.silences');

  await silences.getByRole('button', { name: /^Edit/ }).click();
  await expect
    .poll(() => dialog.getByLabel('Matchers, one per line').inputValue())
    .toBe('rule="rotate-key-after-show"');
  expect(await dialog.getByLabel('Why').inputValue()).toBe('encoders are being moved tonight');
  await dialog.getByRole('button', { name: 'Show what it would hold back' }).click();
  await dialog.getByText('It would hold nothing back (did you mean rule="starving-slate"?).').waitFor();
  await dialog.getByLabel('Matchers, one per line').fill('rule="starving-slate"');
  // What was shown belongs to the previous text.
  await dialog.getByText('It would hold nothing back').waitFor({ state: 'detached' });
  await dialog.getByRole('button', { name: 'Show what it would hold back' }).click();
  await dialog.getByText(`stop stream on ${channelAt(4).name} (starving-slate, due`).waitFor();
  expect(await findings(page)).toEqual([]);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await silences.getByText('rule="starving-slate"').waitFor();
  expect(stand.asked.at(-1)).toMatchObject({
    method: 'PUT',
    url: '/v1/silences/s-1',
    body: { matchers: ['rule="starving-slate"'], reason: 'encoders are being moved tonight' },
  });
  expect(stand.asked.at(-1)?.body).not.toHaveProperty('duration');

  await silences.getByRole('button', { name: /^Extend/ }).click();
  await dialog.getByLabel('From now on for').selectOption('4h');
  await dialog.getByRole('button', { name: 'Extend' }).click();
  await page.getByText(/^The silence ends at /).waitFor();
  expect(stand.asked.at(-1)).toMatchObject({ method: 'PUT', url: '/v1/silences/s-2', body: { duration: '4h' } });
  expect(tour.complaints).toEqual([]);
});
