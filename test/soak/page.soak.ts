// Every view of the page under axe: dark and light, on a phone, a laptop and a wide screen.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pageStand } from '#test/support/page-stand.ts';
import { allViews, complaintsOfAxe, launchChromium, visit } from '#test/support/page-visit.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

for (const colorScheme of ['dark', 'light'] as const)
  for (const width of [390, 1440, 1920])
    test(`axe finds nothing in any view, ${colorScheme} at ${width} px`, async () => {
      await using stand = await pageStand({ streams: 60 });
      const viewport = { width, height: 900 };
      await using tour = await visit(browser, stand, 'operator', { colorScheme, viewport });

      expect(await complaintsOfAxe(tour.page, allViews)).toEqual([]);
      expect(tour.complaints).toEqual([]);
    });
