// Renews the pictures of the documents: `npm run pictures` plays the demo once and captures its pages with a headless Chromium.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium, type Page } from 'playwright-core';
import { animation, framesOf } from './moving-picture.ts';

const root = join(import.meta.dirname, '..');

interface Picture {
  readonly file: string;
  /** The line of the demo that contains the address of its page. */
  readonly page: RegExp;
  readonly scheme: 'dark' | 'light';
  readonly height: number;
  /** The line of the evening after which it is taken, once this is on the page. */
  readonly after: RegExp;
  readonly shows: string;
}

const pictures: readonly Picture[] = [
  {
    file: 'messages.png',
    page: /what people are told\s+(\S+)/,
    scheme: 'light',
    height: 820,
    after: /StopStream on studio-21/,
    shows: 'text=Approval needed',
  },
];

/** The moving picture of the README: a picture of the operator's page every two seconds, between two lines of the evening. */
const film = {
  file: 'incident.webp',
  page: /the operator's page\s+(\S+)/,
  from: /happens {2}studio-07 is fine again/,
  to: /StopStream on studio-21/,
  size: { width: 1280, height: 560 },
  everyMs: 2_000,
  shownMs: 900,
  /** Larger ones are shown too, but nobody waits for them. */
  mostBytes: 1.5e6,
};

const executablePath = process.env['CHROME_PATH'];
if (!executablePath) throw new Error('no Chromium: run `npm run pictures`, which finds or installs one');
await using browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
const demo = spawn(process.execPath, [join(root, 'scripts', 'run.mjs'), '--redis', 'demo/main.ts', '--once'], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
});
const open = new Map<Picture, Promise<Page>>();
const taken: Promise<void>[] = [];
const filmed = new AbortController();
let screen: Promise<Page> | undefined;
let shots: Promise<Buffer[]> | undefined;
for await (const line of createInterface(demo.stdout)) {
  console.log(line);
  const operatorsPage = film.page.exec(line)?.[1];
  if (operatorsPage !== undefined) screen ??= openPage(operatorsPage, film.size, 'dark');
  if (film.from.test(line) && screen) shots ??= shoot(await screen);
  if (film.to.test(line)) filmed.abort();
  for (const picture of pictures) {
    const address = picture.page.exec(line)?.[1];
    if (address !== undefined && !open.has(picture)) open.set(picture, show(picture, address));
    if (picture.after.test(line) && open.has(picture)) taken.push(take(picture, await open.get(picture)!));
  }
}
await Promise.all(taken);
if (taken.length < pictures.length) throw new Error(`only ${taken.length} of ${pictures.length} pictures were taken`);
filmed.abort();
if (!shots) throw new Error('the evening did not come to the line at which the moving picture begins');
const frames = await framesOf(await shots, await browser.newPage(), film.shownMs);
const bytes = animation(film.size.width, film.size.height, frames);
if (bytes.length > film.mostBytes) throw new Error(`${film.file} has ${bytes.length} bytes; at most ${film.mostBytes}`);
writeFileSync(join(root, 'docs', 'images', film.file), bytes);
console.log(`wrote ${film.file}: ${frames.length} frames, ${Math.round(bytes.length / 1_000)} kB`);

function show({ scheme, height }: Picture, address: string): Promise<Page> {
  return openPage(address, { width: 1440, height }, scheme);
}

async function openPage(
  address: string,
  viewport: { readonly width: number; readonly height: number },
  colorScheme: 'dark' | 'light',
): Promise<Page> {
  const page = await browser.newPage({ viewport, colorScheme });
  await page.goto(address);
  return page;
}

/** Takes pictures until the film ends, and one more a little later. */
async function shoot(page: Page): Promise<Buffer[]> {
  const images: Buffer[] = [];
  for (let isLast = false; !isLast; ) {
    isLast = filmed.signal.aborted;
    images.push(await page.screenshot({ animations: 'disabled' }));
    await sleep(film.everyMs);
  }
  return images;
}

async function take({ file, shows }: Picture, page: Page): Promise<void> {
  await page.waitForSelector(shows);
  const path = join(root, 'docs', 'images', file);
  await page.screenshot({ path });
  console.log(`wrote ${path}`);
}
