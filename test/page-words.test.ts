// How the page shows names and counts from the daemon's answers.
import { expect, test } from 'vitest';
import { carriedText } from '../web/carried.ts';
import { contentsLeftText, deliveryState } from '../web/delivery.ts';
import { readable } from '../web/format.ts';
import { wouldHaveText } from '../web/would-have.ts';

test('names read as words; codes, settings and paths stay as they are written elsewhere', () => {
  expect(readable('skipped: only_if_false')).toBe('skipped: only if false');
  expect(readable('not_broadcasting. Or expired')).toBe('not broadcasting. Or expired');
  const refusal = 'body.action.rotate_stream_key.deliver.file: secrets.delivery_folders opens no folder /a/my_keys';
  expect(readable(refusal)).toBe(refusal);
  expect(readable('IVS_ACCESS_DENIED')).toBe('IVS_ACCESS_DENIED');
});

test('metadata that did not reach everybody is not called delivered', () => {
  const none = { pending: 0, delivered: 7, conflated: 0, expired: 0, notBroadcasting: 0, failed: 0, cancelled: 0 };
  const batchId = 'b';
  expect(deliveryState({ batchId, ...none })).toBe('delivered');
  for (const end of ['expired', 'notBroadcasting', 'failed', 'cancelled'] as const)
    expect(deliveryState({ batchId, ...none, [end]: 1 })).toBe('delivered in part');
  expect(deliveryState({ batchId, ...none, delivered: 0, notBroadcasting: 1 })).toBe('not delivered');
});

test('contents that were not kept are reported as missing, in separate words', () => {
  expect(contentsLeftText(3, 0)).toBe('3 items whose contents were not kept.');
  expect(contentsLeftText(1, 2)).toBe('and 1 more item.');
});

test('nobody is sent to a process that does not carry the account', () => {
  const worker = { id: '1a2b3c4d', host: 'web-2', role: 'worker', version: '0.1.0' };
  const api = { ...worker, host: 'page-1', role: 'api' };
  const elsewhere = { here: false, state: 'carried', carriers: [worker] } as const;
  expect(carriedText(elsewhere)).toBe('Carried by web-2: request its actions and metadata there.');
  expect(carriedText({ ...elsewhere, here: true })).toBe('Carried by web-2.');
  expect(carriedText({ ...elsewhere, state: 'partly' })).toMatch(/^Carried in part by web-2: request/);
  expect(carriedText({ ...elsewhere, state: 'not_carried', carriers: [] })).toBe('Carried by nobody.');
  expect(carriedText({ ...elsewhere, state: 'not_carried', carriers: [api] })).toBe(
    'Carried by nobody; for the API alone by page-1.',
  );
  expect(carriedText({ ...elsewhere, state: 'unknown', carriers: [] })).toBe('Who carries it is not known.');
  expect(carriedText({ here: true, state: 'carried', carriers: [] })).toBe('Carried by this process.');
});

test('a rule in dry run that was not searched completely is not said to have done nothing', () => {
  const none = { times: 0, actions: {}, heldBack: {}, partial: false };
  const day = 'In the last 24 hours it would have';
  expect(wouldHaveText(none)).toBe(`${day} done nothing.`);
  expect(wouldHaveText({ ...none, partial: true })).toBe(`${day} done nothing, as far as the journal was searched.`);
  const acted = { ...none, times: 3, actions: { notify: 1, stop_stream: 3 }, heldBack: { held: 2 }, partial: true };
  expect(wouldHaveText(acted)).toBe(
    `${day} acted 3 times or more: stop stream 3, notify 1. Guards would have held it back: held 2.`,
  );
});
