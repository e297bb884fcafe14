// A person with a browser: opens the page, signs in, and records everything that goes wrong in it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { channelArnAt, type PageStand } from './page-stand.ts';

/** Only guards against hanging: no test asserts how long something takes. */
export const guardMs = 300_000;

/** Starts a headless Chromium. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = process.env['CHROME_PATH'];
  if (!executablePath) throw new Error('no Chromium: run the tests with `npm test`, which finds or installs one');
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

export interface Visit extends AsyncDisposable {
  readonly page: Page;
  /** Everything that went wrong in the page: errors, refusals by the content security policy. */
  readonly complaints: string[];
  /** Requests to hosts other than the daemon. */
  readonly strangers: string[];
}

export type VisitOptions = BrowserContextOptions & {
  /** The address of the stand, if it is not its own. */
  readonly url?: string;
  /** Runs before the page's own script. */
  readonly before?: string;
};

/** Opens the page of a stand as this person; `nobody` stays at the sign-in, and `guest` needs no token. */
export async function visit(
  browser: Browser,
  stand: Pick<PageStand, 'url' | 'tokens'>,
  role: 'viewer' | 'operator' | 'admin' | 'nobody' | 'guest' = 'operator',
  { url = stand.url, before, ...options }: VisitOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  context.setDefaultTimeout(guardMs);
  const page = await context.newPage();
  const complaints: string[] = [];
  const strangers: string[] = [];
  page.on('pageerror', (error) => void complaints.push(error.message));
  page.on('console', (message) => {
    // The first attempt without a token is refused; this is how the page learns that it needs one.
    if (message.type() === 'error' && !message.text().includes('401')) complaints.push(message.text());
  });
  page.on('request', (request) => void (request.url().startsWith(url) || strangers.push(request.url())));
  if (before !== undefined) await context.addInitScript(before);
  await page.goto(url);
  if (role !== 'nobody' && role !== 'guest') {
    await page.fill('#token', stand.tokens[role]);
    await page.keyboard.press('Enter');
  }
  if (role !== 'nobody') await page.waitForSelector('.row[data-key]');
  return { page, complaints, strangers, [Symbol.asyncDispose]: () => context.close() };
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Every view of the stand of page-stand.ts. */
export const allViews: readonly string[] = [
  '#/',
  '#/?show=ended',
  `#/stream/${encodeURIComponent(channelArnAt(4))}`,
  `#/stream/${encodeURIComponent(channelArnAt(40))}`,
  `#/stream/${encodeURIComponent(channelArnAt(40))}?compare=st-EARLIERSESSION`,
  '#/history',
  '#/decisions',
  '#/alerts',
  '#/decision/d-4',
  '#/rules',
  '#/quota',
  '#/batches',
  '#/batch/b-7f3aQx19',
  '#/job/job-1',
  '#/incident/i-1',
  '#/audit',
  '#/runbook',
];

/** axe's findings in these views, and in a dialog over the first. */
export async function complaintsOfAxe(page: Page, views: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const hash of views) {
    await show(page, hash);
    await page.locator('main h1').first().waitFor();
    await page.locator('main .skeleton').waitFor({ state: 'detached' });
    for (const finding of await findings(page)) found.push(`${hash} ${finding}`);
  }
  await show(page, views[0] ?? '#/');
  await page.getByRole('button', { name: 'Pause all' }).click();
  await page.getByRole('dialog').waitFor();
  for (const finding of await findings(page)) found.push(`dialog ${finding}`);
  return found;
}

/** Findings of axe, as `rule: selector`. */
export async function findings(page: Page): Promise<string[]> {
  // Injected despite the page's own policy: the policy is for the page, not for the test tool.
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { axe: examiner } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { target: unknown[] }[] }[] }> };
    };
    const { violations } = await examiner.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
  });
}

/** Opens another view by its address, without loading the page again; resolves when the view is drawn, which may still load. */
export async function show(page: Page, hash: string): Promise<void> {
  await page.evaluate(`(async () => {
    const to = ${JSON.stringify(hash)};
    if (location.hash === to) return;
    // The page has listened since it was loaded: it gets the event first, and draws before other listeners run.
    const changed = new Promise((heard) => addEventListener('hashchange', heard, { once: true }));
    location.hash = to;
    await changed;
  })()`);
}
