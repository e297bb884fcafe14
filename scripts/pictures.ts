// Renews the pictures of the documents: `npm run pictures` plays the demo once and looks at its pages with a headless Chromium.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium, type Page } from 'playwright-core';

const root = join(import.meta.dirname, '..');

interface Picture {
  readonly file: string;
  /** The line of the demo that names its page. */
  readonly page: RegExp;
  readonly scheme: 'dark' | 'light';
  readonly height: number;
  /** The line of the evening after which it is taken, once this is on the page. */
  readonly after: RegExp;
  readonly shows: string;
}

const pictures: readonly Picture[] = [
  {
    file: 'streams.png',
    page: /the operator's page\s+(\S+)/,
    scheme: 'dark',
    height: 900,
    after: /limit-breach for studio-05/,
    shows: 'text=limit-breach',
  },
  {
    file: 'messages.png',
    page: /what people are told\s+(\S+)/,
    scheme: 'light',
    height: 820,
    after: /StopStream on studio-21/,
    shows: 'text=Approval needed',
  },
];

const executablePath = process.env['CHROME_PATH'];
if (!executablePath) throw new Error('no Chromium: run `npm run pictures`, which finds or installs one');
await using browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
const demo = spawn(process.execPath, [join(root, 'scripts', 'run.mjs'), '--redis', 'demo/main.ts', '--once'], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
});
const open = new Map<Picture, Promise<Page>>();
const taken: Promise<void>[] = [];
for await (const line of createInterface(demo.stdout)) {
  console.log(line);
  for (const picture of pictures) {
    const address = picture.page.exec(line)?.[1];
    if (address !== undefined && !open.has(picture)) open.set(picture, show(picture, address));
    if (picture.after.test(line) && open.has(picture)) taken.push(take(picture, await open.get(picture)!));
  }
}
await Promise.all(taken);
if (taken.length < pictures.length) throw new Error(`only ${taken.length} of ${pictures.length} pictures were taken`);

async function show({ scheme, height }: Picture, address: string): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1440, height }, colorScheme: scheme });
  await page.goto(address);
  return page;
}

async function take({ file, shows }: Picture, page: Page): Promise<void> {
  await page.waitForSelector(shows);
  const path = join(root, 'docs', 'images', file);
  await page.screenshot({ path });
  console.log(`wrote ${path}`);
}
