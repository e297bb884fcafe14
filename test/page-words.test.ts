// What the page makes of names and counts in the daemon's answers.
import { expect, test } from 'vitest';
import { deliveryState } from '../web/delivery.ts';
import { readable } from '../web/format.ts';

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
