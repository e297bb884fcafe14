// Four tasks of an operator, each from the list and in the steps of docs/performance.md, which has their times; the fifth, a cue to a show,
// needs a daemon and is in page-with-daemon.test.ts. The test reads only what a person could see on the page.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { kinds } from '#domain/state-registry.ts';
import { channelArnAt, channelAt, type PageStand, pageStand, streamRecord } from '#test/support/page-stand.ts';
import { findings, launchChromium, type Visit, visit } from '#test/support/page-visit.ts';

let browser: Browser;
let stand: PageStand;
let tour: Visit;
let page: Page;
const [dropped, back] = [12, 13];

beforeAll(async () => {
  browser = await launchChromium();
  stand = await pageStand({ streams: 30, breathe: false });
  await stand.state.transact((tx) => {
    const tenMinutesAgo = tx.nowMs - 600_000;
    const over = {
      state: 'failed',
      stateSinceMs: tenMinutesAgo,
      endedAtMs: tenMinutesAgo,
      failureReason: 'Encoder disconnected',
      basis: { missed: [], failedMs: tenMinutesAgo },
    } as const;
    tx.set(kinds.stream.of(channelArnAt(dropped)), streamRecord(dropped, tx.nowMs, over));
    tx.set(kinds.past.of(channelArnAt(back)), [
      { ...streamRecord(back, tx.nowMs, over), streamId: 'st-BEFOREITCAMEBACK' as never },
    ]);
  });
  tour = await visit(browser, stand, 'operator', { permissions: ['clipboard-read', 'clipboard-write'] });
  page = tour.page;
});
beforeEach(async () => {
  await page.goto(`${stand.url}/#/`);
  await page.locator('.row[data-key]').first().waitFor();
});
afterAll(async () => {
  expect(tour.complaints).toEqual([]);
  await tour[Symbol.asyncDispose]();
  await stand[Symbol.asyncDispose]();
  await browser.close();
});

const press = (name: string) => page.getByRole('button', { name, exact: true }).click();
const follow = (name: string | RegExp) => page.getByRole('link', { name, exact: true }).click();

test('the stream that dropped ten minutes ago, and why: Ended, its name', async () => {
  const { name } = channelAt(dropped);

  await press('Ended');
  const line = page.locator(`.sessions li[data-arn="${channelArnAt(dropped)}"]`);
  await line.getByText(/^, 1\d min \d\d s ago$/).waitFor();
  await line.getByText('Stream Failure: Encoder disconnected', { exact: true }).waitFor();
  // A stream that came back is not shown as gone.
  await page
    .locator(`.sessions li[data-arn="${channelArnAt(back)}"]`)
    .getByText(/; live again for 1 h \d\d min$/)
    .waitFor();
  await line.getByRole('link', { name }).click();

  await page.getByRole('heading', { name: `${name} Failed` }).waitFor();
  await page.getByRole('definition').filter({ hasText: 'Stream Failure: Encoder disconnected' }).first().waitFor();
});

test('six channels are held: six boxes, Hold 6 channels, why', async () => {
  const free = page.locator('.row[data-key]', { has: page.getByRole('button', { name: /^Hold / }) });
  await free.nth(5).waitFor();
  const arns = await free.evaluateAll((rows) => rows.slice(0, 6).map((row) => row.getAttribute('data-arn')));
  const row = (arn: string | null) => page.locator(`.row[data-arn="${arn}"]`);

  for (const arn of arns) await row(arn).getByRole('checkbox').click();
  await press('Hold 6 channels');
  await page.locator('#field-reason:focus').waitFor();
  await page.keyboard.type('sponsor on air');
  await page.keyboard.press('Enter');

  await page.getByText('6 channels are held.', { exact: true }).waitFor();
  for (const arn of arns)
    await row(arn)
      .getByRole('button', { name: /^Release / })
      .waitFor();
  expect(stand.asked.filter(({ method }) => method === 'PUT').length).toBe(6);
});

test('what the rule in dry run would have done: the mode in the top bar, the rule', async () => {
  await follow('Enforcing 2, 1 dry run');

  const rule = page.getByRole('region', { name: 'Rule rotate-key-after-show' });
  await rule.getByText('In the last 24 hours it would have acted 14 times').waitFor();
  await rule.getByRole('link', { name: channelAt(6).name }).waitFor();
});

test('a colleague gets the decision: the line below Lately, Copy link', async () => {
  await page.locator('.activity').getByRole('link', { name: 'starving-slate acted', exact: true }).first().click();
  await page.getByRole('heading', { name: 'starving-slate: fired' }).waitFor();
  await press('Copy link');

  await page.getByText('The link is copied.').waitFor();
  const link = await page.evaluate<string>('navigator.clipboard.readText()');
  expect(link).toBe(`${stand.url}/#/decision/d-4`);
  await page.goto(`${stand.url}/#/`);
  await page.goto(link);
  await page.getByRole('heading', { name: 'starving-slate: fired' }).waitFor();
});

test('in a narrow window the current view is visible, and the column next to it is readable', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  const nav = page.getByRole('navigation');

  await follow('Enforcing 2, 1 dry run');

  const here = nav.locator('[aria-current="page"]');
  await expect.poll(() => here.innerText()).toBe('Rules');
  await expect
    .poll(() =>
      here.evaluate((link) => {
        const [own, all] = [link, link.parentElement!].map((element) => element.getBoundingClientRect());
        return own!.left >= all!.left - 1 && own!.right <= all!.right + 1;
      }),
    )
    .toBe(true);
  expect(await findings(page)).toEqual([]);
  await page.setViewportSize({ width: 1440, height: 900 });
});

test('metadata sent from the list goes to what the list shows: the tag that was searched for, or the channels themselves', async () => {
  const form = page.getByRole('dialog');
  const to = () => form.getByLabel('To', { exact: true }).inputValue();
  const live = page.getByRole('button', { name: 'Send metadata', exact: true });

  await live.click();
  await expect.poll(to).toBe('live');
  await form.getByRole('button', { name: 'Cancel' }).click();

  const tag = page.locator('.row[data-key] button.tag').first();
  const text = await tag.innerText();
  await tag.click();
  await live.click();
  await expect.poll(to).toBe('tags');
  await expect.poll(() => form.getByLabel('Tags, one per line').inputValue()).toBe(text);
  // The next key belongs to the result.
  await page.locator('#field-payload:focus').waitFor();
  await form.getByRole('button', { name: 'Cancel' }).click();

  // Part of a tag's value is not a tag: the shown channels are named.
  await page.fill('#filter', text.slice(0, -1));
  await live.click();
  await expect.poll(to).toBe('list');
  await form.getByRole('button', { name: 'Cancel' }).click();
  await page.fill('#filter', '0004abcd');
  await live.click();
  await expect.poll(() => form.getByLabel('Channels, one per line').inputValue()).toBe(channelAt(4).name);
  await form.getByRole('button', { name: 'Cancel' }).click();
  await page.fill('#filter', 'no channel at all');
  await live.click();
  await page.getByText('Nothing that is shown is live: there is nobody to send to.').waitFor();
  expect(tour.complaints).toEqual([]);
});
