// What the page says is true, has an address, and is available when needed: ended streams, links, dialogs over a broken connection, the
// title of a background tab.
import type { Browser, Page, Route } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kinds } from '#domain/state-registry.ts';
import { cutLink } from '#test/support/cut-link.ts';
import { channelArnAt, channelAt, pageStand } from '#test/support/page-stand.ts';
import { launchChromium, show, visit } from '#test/support/page-visit.ts';
import { sections } from '../../web/runbook.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

const streamAddress = (index: number) => `#/stream/${encodeURIComponent(channelArnAt(index))}`;
const hashOf = (page: Page) => page.evaluate<string>('location.hash');
const textOf = (page: Page, selector: string) => page.locator(selector).innerText();

test('an ended stream is found by its name, with when and why, and its page never says that it is live', async () => {
  await using stand = await pageStand({ streams: 30 });
  await using tour = await visit(browser, stand);
  const { page } = tour;
  const gone = 30;
  const { name } = channelAt(gone);
  expect(await page.locator('.row[data-key]', { hasText: name }).count()).toBe(0);
  // Its name, not its id, even if only an ARN is known.
  await page.locator('.activity', { hasText: name }).waitFor();

  await page.fill('#filter', name);
  const found = page.locator(`.sessions li[data-arn="${channelArnAt(gone)}"]`);
  await found.first().waitFor();
  await page.fill('#filter', '');
  await page.getByRole('button', { name: 'Ended', exact: true }).click();
  await found.nth(1).waitFor();
  await expect.poll(() => hashOf(page)).toBe('#/?show=ended');
  expect((await found.first().innerText()).replaceAll(/\s+/g, ' ')).toMatch(
    /^Failed .* \d+ min \d\d s ago live for 35 min 00 s Stream Failure: Encoder disconnected$/,
  );
  expect(await found.nth(1).innerText()).toContain('Stream End');

  await found.first().getByRole('link', { name }).click();
  await page.getByRole('heading', { name: `${name} Failed` }).waitFor();
  await page.getByRole('heading', { name: 'Sessions', exact: true }).waitFor();
  const body = await textOf(page, 'main');
  for (const words of ['Last session', 'Ended', 'Stream Failure: Encoder disconnected', 'Lasted', 'st-EARLIERSESSION'])
    expect(body).toContain(words);
  expect(body).not.toContain('Live since');
  expect(await page.getByRole('button', { name: 'Stop stream' }).isDisabled()).toBe(true);
  expect(await page.title()).toContain(name);
  expect(tour.complaints).toEqual([]);
});

test('every choice is in the address: it is there again after a reload, and a button copies it', async () => {
  await using stand = await pageStand({ streams: 30, breathe: false });
  await using tour = await visit(browser, stand, 'operator', { permissions: ['clipboard-read', 'clipboard-write'] });
  const { page } = tour;
  const asked: string[] = [];
  page.on('request', (request) => void asked.push(new URL(request.url()).pathname + new URL(request.url()).search));

  await page.fill('#filter', 'tier=silver');
  await page.getByRole('button', { name: /Starving/ }).click();
  await page.getByText(/^1 of 31 channels$/).waitFor();
  await page.reload();
  await page.getByText(/^1 of 31 channels$/).waitFor();
  expect(await page.locator('#filter').inputValue()).toBe('tier=silver');
  expect(await page.getByRole('button', { name: /Starving/ }).getAttribute('aria-pressed')).toBe('true');

  await show(page, '#/decisions');
  await page.locator('#by-rule').selectOption('mass-starvation');
  await page.locator('#by-outcome').selectOption('suppressed');
  await page.locator('#by-since').selectOption('1h');
  await expect.poll(() => hashOf(page)).toBe('#/decisions?rule=mass-starvation&outcome=suppressed&since=1h');
  asked.length = 0;
  await page.reload();
  await page.getByRole('heading', { name: 'No decision' }).waitFor();
  expect(asked).toContain('/v1/decisions?rule=mass-starvation&outcome=suppressed&since=1h&limit=100');
  expect(await page.locator('#by-since').inputValue()).toBe('1h');
  await page.getByRole('button', { name: 'Copy link' }).click();
  await page.getByText('The link is copied.').waitFor();
  expect(await page.evaluate<string>('navigator.clipboard.readText()')).toBe(page.url());
  await page.goBack();
  await expect.poll(() => hashOf(page)).toBe('#/decisions?rule=mass-starvation&outcome=suppressed');

  await show(page, streamAddress(4));
  const chosen = await hashOf(page);
  await page.getByRole('checkbox', { name: 'Poll' }).uncheck();
  await expect.poll(() => hashOf(page)).not.toBe(chosen);
  await page.reload();
  await page.locator('.timeline > li.event').first().waitFor();
  expect(await page.locator('.timeline > li.poll').count()).toBe(0);

  for (const [address, heading, words] of [
    ['#/decision/d-4', 'starving-slate: fired', 'max live percent'],
    ['#/batch/b-7f3aQx19', 'Metadata batch', '"question": 7'],
    ['#/job/job-1', 'Job: stop stream', 'found viewer count 12'],
    ['#/incident/i-1', 'Incident: mass-starvation', 'mass-starvation: 41 of 120 channels'],
  ] as const) {
    await page.goto(`${stand.url}/${address}`);
    await page.reload();
    await page.getByRole('heading', { name: heading }).waitFor();
    await page.locator('main', { hasText: words }).waitFor();
  }
  expect(tour.complaints).toEqual([]);
});

test('links lead to the run book, the API and the channel in the AWS console', async () => {
  await using stand = await pageStand({ streams: 30 });
  await using tour = await visit(browser, stand, 'operator', { viewport: { width: 390, height: 844 } });
  const { page } = tour;

  // On a phone too, each thing that needs a person shows its cause and where to continue.
  const needs = page.locator('.need');
  await expect.poll(() => needs.count()).toBe(4);
  for (const need of await needs.all()) {
    expect(await need.locator('p').nth(1).isVisible()).toBe(true);
    expect(await need.getByRole('link').first().isVisible()).toBe(true);
  }
  await needs.filter({ hasText: 'Rule stopped by its cap' }).getByRole('link', { name: 'Run book' }).click();
  await page.locator('#section-rule-stopped').waitFor();
  await expect.poll(() => page.evaluate<number>('scrollY')).toBeGreaterThan(500);
  for (const section of [...Object.values(sections), 'needs-you'])
    expect([section, await page.locator(`#section-${section}`).count()]).toEqual([section, 1]);
  expect(await page.getByRole('link', { name: 'API', exact: true }).getAttribute('href')).toBe('./docs');
  await show(page, streamAddress(4));
  const console = page.getByRole('link', { name: 'AWS console' });
  expect(await console.getAttribute('href')).toBe(
    `https://us-west-2.console.aws.amazon.com/ivs/channels/${channelArnAt(4)}?region=us-west-2`,
  );
  expect(tour.complaints).toEqual([]);
});

test('a dialog has one way to close and a verb on its button; a rule test knows tags and viewers; mistakes are shown before sending', async () => {
  await using stand = await pageStand({ streams: 30, breathe: false });
  await using tour = await visit(browser, stand);
  const { page } = tour;
  const dialog = page.getByRole('dialog');
  const buttons = () => dialog.getByRole('button').allTextContents();
  const escape = async () => {
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  };

  await show(page, streamAddress(4));
  await page.getByRole('button', { name: 'Stop stream' }).click();
  await expect.poll(buttons).toEqual(['Show what it would do', 'Cancel', 'Stop stream']);
  await escape();
  await page.getByRole('button', { name: 'Rotate key' }).click();
  expect(await dialog.locator('#field-where').getAttribute('placeholder')).toBe('ivs/synth-hour-1/stream-key');
  await expect.poll(() => dialog.locator('#field-where-list option').count()).toBe(3);
  await escape();
  await page.getByRole('button', { name: 'Send metadata' }).click();
  await page.fill('#field-payload', '{"type": quiz}');
  await page.fill('#field-reason', 'round 2');
  await dialog.getByRole('button', { name: 'Send metadata' }).click();
  await dialog.getByText('The payload begins like JSON but is not valid').waitFor();
  await escape();
  await page.keyboard.press('?');
  await expect.poll(buttons).toEqual(['Close']);
  await escape();

  await show(page, '#/');
  await page.getByRole('button', { name: 'Add' }).click();
  expect(await dialog.locator('#field-matchers').inputValue()).toBe('');
  await page.fill('#field-matchers', 'mass-starvation');
  await page.fill('#field-reason', 'test');
  await dialog.getByRole('button', { name: 'Silence' }).click();
  await dialog.getByText('is not a matcher').waitFor();
  await escape();

  await show(page, '#/decision/d-4');
  await page.getByRole('button', { name: 'Make a test from this' }).click();
  const text = await page.getByRole('textbox', { name: 'Rule test' }).inputValue();
  expect(text).toContain(
    'channels: [{arn: ch/Synth-Hour-1, tags: {"tier": "silver", "show": "synth"}, viewerCount: 1200}]',
  );
  await expect.poll(buttons).toEqual(['Close', 'Copy']);
  expect(stand.asked).toEqual([]);
  expect(tour.complaints).toEqual([]);
});

test('text typed into a dialog survives a broken connection, and a token that must be entered again', async () => {
  await using stand = await pageStand({ streams: 30, breathe: false });
  await using other = await pageStand({ streams: 30, breathe: false });
  await using link = await cutLink(stand.url);
  await using tour = await visit(browser, stand, 'operator', { url: link.url });
  const { page } = tour;
  await show(page, streamAddress(4));
  await page.getByRole('button', { name: 'Hold' }).click();
  const dialog = page.getByRole('dialog');
  await page.fill('#field-reason', 'sponsor on air');
  await page.locator('#field-duration').selectOption('1h');

  link.cut();
  await dialog.getByText('The connection is lost.').waitFor();
  await dialog.getByRole('button', { name: 'Hold' }).click();
  await dialog.getByText('The daemon cannot be reached.').waitFor();
  expect(await page.locator('#field-reason').inputValue()).toBe('sponsor on air');
  expect(stand.asked).toEqual([]);

  // The daemon that answers next has another token.
  link.mend(other.url);
  await page.fill('#token', other.tokens.operator);
  await page.keyboard.press('Enter');
  await dialog.waitFor();
  expect(await page.locator('#field-reason').inputValue()).toBe('sponsor on air');
  await dialog.getByRole('button', { name: 'Hold' }).click();
  await page.getByText('The channel is on hold.').waitFor();
  expect(other.asked).toMatchObject([{ method: 'PUT', body: { reason: 'sponsor on air', duration: '1h' } }]);
  expect(await hashOf(page)).toBe(streamAddress(4));
});

test('titles have one form in every view, and a background tab says that the connection is lost', async () => {
  await using stand = await pageStand({ streams: 30 });
  await using link = await cutLink(stand.url);
  // A background tab gets no frames.
  await using tour = await visit(browser, stand, 'operator', {
    url: link.url,
    before: 'globalThis.hideTab = () => { globalThis.requestAnimationFrame = () => 0; };',
  });
  const { page } = tour;
  const title = (wanted: RegExp) => expect.poll(() => page.title()).toMatch(wanted);

  for (const [hash, name] of [
    ['#/', 'Streams'],
    ['#/decisions', 'Decisions'],
    ['#/rules', 'Rules'],
    ['#/quota', 'Quota'],
    ['#/batches', 'Metadata'],
    ['#/audit', 'Audit'],
    ['#/job/job-1', 'Job – job-1'],
    ['#/runbook', 'Run book'],
    [streamAddress(4), channelAt(4).name],
  ] as const) {
    await show(page, hash);
    await title(new RegExp(`^\\(4\\) ${name} – ivs-autopilot$`));
  }
  await page.evaluate('hideTab()');
  link.cut();
  await title(/^Connection lost – Synth Hour 1 – ivs-autopilot$/);
  link.mend();
  await title(/^\(4\) Synth Hour 1 – ivs-autopilot$/);
});

test('nothing is said to be done that was not, and what applies to one channel is not said of another', async () => {
  await using stand = await pageStand({ streams: 30, breathe: false });
  await using tour = await visit(browser, stand);
  const { page } = tour;
  const main = page.locator('main');
  const line = (index: number) => page.locator('.decisions > li', { hasText: channelAt(index).name });

  await show(page, '#/decisions');
  await line(5).getByText('stop stream skipped: only if false', { exact: true }).waitFor();
  await line(6).getByText('Why').click();
  await line(6).getByText('not requested: the rule only watches').waitFor();
  expect(await line(6).getByRole('link', { name: 'tag-1' }).count()).toBe(0);

  await show(page, '#/decision/d-8');
  await main.getByText('9 channels at once').waitFor();
  await main.getByText(`What is shown is that of ${channelAt(17).name}.`).waitFor();
  await show(page, streamAddress(8));
  await main.locator('.timeline > li.decision').getByText('Why').click();
  await main.getByText(`What is shown is that of ${channelAt(17).name}, not of this channel.`).waitFor();
  await show(page, '#/decision/d-6');
  await main.getByText('not requested: the rule only watches').waitFor();
  expect(await main.innerText()).not.toContain('on its way');

  await show(page, '#/job/put-metadata-1');
  await main
    .getByText('2 delivered, 1 not delivered: no channel was broadcasting, 1 failed (IVS_ACCESS_DENIED); its batch')
    .waitFor();
  await main.getByText('delivered in part').waitFor();
  await main.getByText('somebody on this machine who gave no name: “round 2”').waitFor();
  await main.getByText('It ended without a step.').waitFor();
  expect(await main.innerText()).not.toMatch(/loopback|notBroadcasting|not_broadcasting|batch id/);

  await stand.state.transact((tx) => {
    const [id, incident] = Array.from(tx.entries(kinds.incident))[0]!;
    tx.set(kinds.incident.of(id), { ...incident, closedAtMs: tx.nowMs });
    tx.set(kinds.incident.of('i-2'), { ...incident, id: 'i-2', kind: 'cap', affected: 31, withheld: 13 });
  });
  await show(page, '#/incident/i-1');
  await main.getByText('41 of 120 at its end, 52 at most').waitFor();
  await show(page, '#/incident/i-2');
  await main.getByText('31 of 120 when the rule was stopped').waitFor();
  await main.getByText('13 actions. When the rule is started again, each is judged again').waitFor();
  expect(tour.complaints).toEqual([]);
});

const widths = [390, 768, 1440, 1920];

test('why something is held back is readable at every width: a short reason in its row, a long one with a press', async () => {
  await using stand = await pageStand({ streams: 30, breathe: false });
  const long = `${'the sponsor is on air and nobody may touch this '.repeat(4)}until the show is over`;
  await stand.state.transact((tx) => {
    for (const [index, reason] of [
      [4, long],
      [17, 'sponsor on air'],
    ] as const) {
      tx.set(kinds.hold.of(channelArnAt(index)), { who: 'token mara', reason, sinceMs: tx.nowMs });
      tx.set(kinds.timer.of(`step|starving-slate|${channelArnAt(index)}|1|d-1`), {
        kind: 'step',
        rule: 'starving-slate',
        subject: channelArnAt(index),
        sinceMs: tx.nowMs - 96_000,
        runsMs: 180_000,
        freezes: false,
        step: 1,
      });
    }
  });
  await using tour = await visit(browser, stand);
  const { page } = tour;
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 });
    await page.evaluate('scrollTo(0, 0)');
    const why = (index: number) => page.locator(`.row[data-arn="${channelArnAt(index)}"] .what.withheld`);
    await why(17).getByText('held back: on hold by mara: sponsor on air').waitFor();
    const fits = (index: number) =>
      why(index).evaluate((element) => {
        const [text] = element.children as unknown as { scrollHeight: number; clientHeight: number }[];
        const row = element.closest('.row')!.getBoundingClientRect();
        const box = element.getBoundingClientRect();
        return {
          whole: text!.scrollHeight <= text!.clientHeight + 1,
          inRow: box.top >= row.top && box.bottom <= row.bottom,
        };
      });
    await expect.poll(async () => ({ width, ...(await fits(17)) })).toEqual({ width, whole: true, inRow: true });
    expect({ width, ...(await fits(4)) }).toMatchObject({ width, inRow: true });
    await why(4).click();
    const full = page.getByRole('dialog').getByText(long);
    await full.waitFor();
    expect(await full.innerText()).toContain('When the hold is released, it continues');
    expect(await full.evaluate((element) => element.scrollWidth <= element.clientWidth)).toBe(true);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
  }
  expect(tour.complaints).toEqual([]);
});

test('a name is requested if no token says it, is remembered and sent; a silence that matches nothing is created only if that is chosen', async () => {
  await using stand = await pageStand({ streams: 30, breathe: false, open: true });
  await using tour = await visit(browser, stand, 'guest');
  const { page } = tour;
  const dialog = page.getByRole('dialog');

  await page.getByRole('button', { name: 'Add' }).click();
  await dialog.waitFor();
  await page.fill('#field-matchers', 'rule="starving-slat"');
  await page.fill('#field-reason', 'finals');
  await dialog.getByLabel('Your name').fill('Ann Lee');
  await dialog.getByRole('button', { name: 'Silence' }).click();
  await dialog.getByText('did you mean rule="starving-slate"?').waitFor();
  expect(stand.asked.map(({ body }) => (body as { dryRun?: boolean }).dryRun)).toEqual([true]);
  await dialog.getByLabel('If it matches nothing').selectOption('create it anyway, for future matches');
  await dialog.getByRole('button', { name: 'Silence' }).click();
  await page.getByText('The silence is in force. It matches 0 rules on 31 channels.').waitFor();
  expect(stand.asked.map(({ who }) => who)).toEqual(['Ann Lee', 'Ann Lee', 'Ann Lee']);
  expect(stand.asked.at(-1)?.body).toMatchObject({ matchers: ['rule="starving-slat"'], reason: 'finals' });

  // The next dialog knows the name.
  await page.getByRole('button', { name: 'Pause all' }).click();
  await expect.poll(() => dialog.getByLabel('Your name').inputValue()).toBe('Ann Lee');
  await dialog.getByLabel('Your name').fill('');
  await page.fill('#field-reason', 'a test');
  await dialog.getByRole('button', { name: 'Pause all' }).click();
  await page.getByText(/Paused .* by somebody on this machine who gave no name: a test/).waitFor();
  expect(tour.complaints).toEqual([]);
});

test('an answer that comes after its dialog was closed closes no other dialog, and a refusal is still shown', async () => {
  await using stand = await pageStand({ streams: 30, breathe: false });
  await using tour = await visit(browser, stand);
  const { page } = tour;
  const dialog = page.getByRole('dialog');
  const waiting: Route[] = [];
  await page.route('**/v1/holds/**', (route) => void waiting.push(route));
  const holdAndLeave = async (reason: string) => {
    await page
      .getByRole('button', { name: /^Hold / })
      .first()
      .click();
    await dialog.waitFor();
    await page.fill('#field-reason', reason);
    await dialog.getByRole('button', { name: 'Hold' }).click();
    await expect.poll(() => waiting.length).toBe(1);
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Pause all' }).click();
    await dialog.waitFor();
    await page.fill('#field-reason', 'typed meanwhile');
    return waiting.pop()!;
  };

  const held = page.getByRole('button', { name: /^Release /, includeHidden: true });
  const heldBefore = await held.count();
  await (await holdAndLeave('on air')).continue();
  await page.getByText('The channel is on hold.').waitFor();
  // The button of the held row is no longer the one that the next click is meant for.
  await expect.poll(() => held.count()).toBe(heldBefore + 1);
  expect(await page.locator('#field-reason').inputValue()).toBe('typed meanwhile');
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  await (await holdAndLeave('off air')).abort();
  await page.locator('.toast.bad', { hasText: /^Hold .* The daemon cannot be reached\.$/ }).waitFor();
  expect(await page.locator('#field-reason').inputValue()).toBe('typed meanwhile');
});
