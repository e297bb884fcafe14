// The past: decisions that one searches and pages through, the audit with the values before and after.
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { channelArnAt, channelAt, pageStand } from '#test/support/page-stand.ts';
import { launchChromium, show, visit } from '#test/support/page-visit.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

const hashOf = (page: Page) => page.evaluate<string>('location.hash');

test('decisions are found by text, channel and time, and paged through to the oldest; a link shows the same', async () => {
  await using stand = await pageStand({ streams: 30, breathe: false, pastDecisions: 250 });
  await using tour = await visit(browser, stand);
  const { page } = tour;
  const lines = page.locator('.decisions > li');
  const count = (expected: number) => expect.poll(() => lines.count()).toBe(expected);

  await show(page, '#/decisions');
  await count(100);
  await page.fill('#filter', 'stop_stream MIN after');
  await count(1);
  await lines.getByText('3 min after firing').waitFor();
  await lines.getByText('stop stream skipped: only if false', { exact: true }).waitFor();
  expect(await hashOf(page)).toBe('#/decisions?text=stop_stream+MIN+after');
  await page.reload();
  await count(1);
  expect(await page.locator('#filter').inputValue()).toBe('stop_stream MIN after');

  await page.getByRole('button', { name: 'Clear all' }).click();
  await count(100);
  await page.fill('#by-channel', 'zebra');
  await page.keyboard.press('Enter');
  await page.getByText('No channel in the list has the name “zebra”').waitFor();
  await page.fill('#by-channel', channelAt(17).name.toLowerCase());
  await page.keyboard.press('Enter');
  await expect.poll(() => hashOf(page)).toBe(`#/decisions?channelArn=${encodeURIComponent(channelArnAt(17))}`);
  await count(2);
  await page.getByRole('button', { name: 'Clear all' }).click();
  await page.locator('#by-since').selectOption('between');
  await count(100);
  const to = Date.parse((await lines.nth(40).locator('time').getAttribute('datetime')) ?? '');
  const local = new Date(to - new Date(to).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
  await page.fill('#by-until-at', local);
  await expect
    .poll(() => hashOf(page))
    .toContain(`until=${encodeURIComponent(`${new Date(to).toISOString().slice(0, 19)}.000Z`)}`);
  // What was decided in that same second is later than its beginning.
  await expect
    .poll(async () => Date.parse((await lines.first().locator('time').getAttribute('datetime')) ?? ''))
    .toBeLessThan(to);

  await show(page, '#/decisions');
  await count(100);
  await page.getByRole('button', { name: 'Older' }).click();
  await expect.poll(() => hashOf(page)).toMatch(/^#\/decisions\?after=\d+-\d+$/);
  await page.getByRole('button', { name: 'Newest' }).waitFor();
  await page.getByRole('button', { name: 'Older' }).click();
  await count(55);
  await page.getByText('There is nothing older.').waitFor();
  await page.reload();
  await count(55);
  // From another day: with its date.
  expect(await lines.last().locator('time').innerText()).toMatch(/^\d{1,2} [A-Z][a-z]{2} (\d{4} )?\d\d:\d\d:\d\d$/);
  // A changed choice begins with the newest.
  await page.locator('#by-outcome').selectOption('acted');
  await expect.poll(() => hashOf(page)).toBe('#/decisions?outcome=acted');
  await count(2);
  expect(tour.complaints).toEqual([]);
});

test('the audit shows the values before and after, and can be saved; a wrong or outdated link says so', async () => {
  await using stand = await pageStand({ streams: 30, breathe: false });
  await using tour = await visit(browser, stand);
  const { page } = tour;
  await show(page, '#/audit');
  const line = page.locator('.audit > li', { hasText: 'set recording' });
  await line.getByRole('button', { name: 'What changed' }).click();
  const first = line.locator('tbody tr').first();
  await first.getByText('recordingConfigurationArn').waitFor();
  expect(await first.locator('td').allInnerTexts()).toEqual([
    'arn:aws:ivs:us-west-2:111122223333:recording-configuration/abcd',
    '(empty)',
  ]);
  await line.getByText('{"recording":"off"}').waitFor();

  await page.locator('#by-who').selectOption('token mara');
  await expect.poll(() => page.locator('.audit > li').count()).toBe(1);
  const [saved] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export' }).click(),
  ]);
  expect(saved.suggestedFilename()).toBe('audit.jsonl');
  const text = readFileSync(await saved.path(), 'utf8')
    .trim()
    .split('\n');
  expect(text.map((each) => JSON.parse(each))).toMatchObject([{ who: 'token mara', what: 'set_recording' }]);
  await page.getByText('The audit is saved.').waitFor();
  expect(tour.complaints).toEqual([]);

  for (const [address, words] of [
    ['#/decisions?rul=slate', 'This view has no choice “rul”: it is not applied (did you mean rule?).'],
    ['#/decisions?outcome=actd', 'did you mean acted?'],
    ['#/decisions?rule=starving-slat', 'did you mean starving-slate?'],
    ['#/audit?whom=mara', 'did you mean who?'],
    ['#/decision/d-gone', 'the journal knows no decision d-gone: the journal has what acted'],
  ] as const) {
    await show(page, address);
    await page.getByRole('alert').filter({ hasText: words }).waitFor();
  }
});

test('a session is a plot that the keyboard moves through and zooms, with its marks; sessions can be compared', async () => {
  await using stand = await pageStand({ streams: 30, breathe: false });
  await using tour = await visit(browser, stand);
  const { page } = tour;
  const stream = (index: number, more = '') => `#/stream/${encodeURIComponent(channelArnAt(index))}${more}`;
  const plot = page.getByRole('slider', { name: /^Viewers and health from / });
  const said = page.locator('.timeplot .said');

  await show(page, stream(4));
  await plot.focus();
  await page.keyboard.press('End');
  await said.getByText(/^\d\d:\d\d:\d\d: 9\d\d viewers, starving$/).waitFor();
  expect(await plot.getAttribute('aria-valuetext')).toBe(await said.innerText());
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await said.getByText(/viewers, healthy$/).waitFor();
  await page.keyboard.press('+');
  await expect.poll(() => hashOf(page)).toMatch(/[?&]from=[^&]+&to=[^&]+$/);
  const zoomed = await hashOf(page);
  await page.keyboard.press('+');
  await expect.poll(() => hashOf(page)).not.toBe(zoomed);
  await page.goBack();
  await expect.poll(() => hashOf(page)).toBe(zoomed);
  await page.reload();
  await page.getByRole('button', { name: 'Show all' }).click();
  await expect.poll(() => hashOf(page)).toBe(stream(4));

  const marks = page.getByRole('toolbar', { name: 'What happened' }).getByRole('button');
  await marks.first().focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  const told = page.getByRole('list', { name: 'What happened there' });
  await told.getByText('starving-slate acted: fired after 30 s').waitFor();
  await told.getByText('Starvation Start: health HEALTHY → STARVING').waitFor();
  await told.getByRole('link', { name: 'Details' }).first().waitFor();

  // A failed session without samples, and the one before it with them.
  await show(page, stream(30));
  await page.getByText('There are no samples of this session').waitFor();
  await page
    .getByRole('checkbox', { name: /^Compare the session/ })
    .first()
    .check();
  await page
    .getByRole('checkbox', { name: /^Compare the session/ })
    .last()
    .check();
  await expect.poll(() => hashOf(page)).toContain('st-EARLIERSESSION');
  const compared = page.getByRole('region', { name: 'Side by side' });
  await compared.getByRole('row', { name: /^Most viewers – 1,4\d\d$/ }).waitFor();
  await compared.getByRole('row', { name: /^Stream st-0030\S+ st-EARLIERSESSION$/ }).waitFor();
  await compared.getByRole('slider').focus();
  await page.keyboard.press('ArrowRight');
  await compared.getByText(/after the start: 1: not observed; 2: [\d,]+ viewers, healthy$/).waitFor();
  await page.getByRole('link', { name: 'st-EARLIERSESSION' }).click();
  await page.getByText('An earlier session.').waitFor();
  await plot.waitFor();
  expect(await page.getByRole('button', { name: 'Stop stream' }).count()).toBe(0);
  await show(page, stream(30, '?session=st-gone'));
  await page.getByRole('alert').filter({ hasText: 'nothing is known about session st-gone of' }).waitFor();

  await show(page, '#/history');
  const fleet = page.getByRole('slider', { name: /^Live streams\./ });
  await fleet.focus();
  await page.keyboard.press('End');
  const live = page.getByRole('region', { name: 'Live streams' });
  await live.getByText(/: 114 live, 4 starving, 1 unknown, 90,001 viewers$/).waitFor();
  await page.keyboard.press('+');
  await expect.poll(() => hashOf(page)).toMatch(/^#\/history\?from=/);
  expect(await page.getByRole('link', { name: 'Decisions of this time' }).getAttribute('href')).toMatch(
    /since=.*until=/,
  );
  await page.keyboard.press('0');
  // An account without any samples is named, instead of being silently left out of the sums.
  await page.route('**/v1/fleet/samples?**', async (route) => {
    const answer = await route.fetch();
    const { accounts } = (await answer.json()) as { accounts: readonly object[] };
    await route.fulfill({ json: { accounts: [...accounts, { account: 'eu-west', samples: [] }] } });
  });
  await show(page, '#/history?since=8h');
  await page.getByText('because no sample is kept of this time: eu-west.').waitFor();
  await live.getByRole('button', { name: /Incident: mass-starvation: 41 of 120 channels$/ }).click();
  await live.getByRole('link', { name: 'Details' }).click();
  await page.getByRole('heading', { name: 'Incident: mass-starvation' }).waitFor();
  expect(tour.complaints.filter((text) => !text.includes('404'))).toEqual([]);
});
