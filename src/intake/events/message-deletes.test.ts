import type { Message } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MessageDeletes } from './message-deletes.ts';

const messages = (from: number, count: number): Message[] =>
  Array.from({ length: count }, (_, i) => ({ ReceiptHandle: `${from + i}` }));

describe('deletes from the queue', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('share a call if they come close together, at most ten', async () => {
    const sent: number[] = [];
    const deletes = new MessageDeletes(async (batch) => void sent.push(batch.length));

    deletes.add(messages(0, 3));
    deletes.add(messages(3, 4));
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(200);
    expect(sent).toEqual([7]);
    deletes.add(messages(7, 9));
    deletes.add(messages(16, 14));
    expect(sent).toEqual([7]);
    vi.advanceTimersByTime(5);
    expect(sent).toEqual([7, 10, 10]);
    vi.advanceTimersByTime(200);

    expect(sent).toEqual([7, 10, 10, 3]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('are all sent and awaited before a stop completes', async () => {
    const answered = Promise.withResolvers<void>();
    const sent: Message[] = [];
    const deletes = new MessageDeletes(async (batch) => {
      await answered.promise;
      sent.push(...batch);
    });
    deletes.add(messages(0, 12));

    const drained = deletes.drain();
    answered.resolve();
    await drained;

    expect(sent.map(({ ReceiptHandle }) => ReceiptHandle)).toEqual(Array.from({ length: 12 }, (_, i) => `${i}`));
    expect(vi.getTimerCount()).toBe(0);
  });
});
