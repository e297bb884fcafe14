import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMessage } from './message.ts';

const fixture = (name: string) => readFileSync(new URL(`../../../test/fixtures/${name}`, import.meta.url), 'utf8');
const event = JSON.parse(fixture('events/stream-state-change-stream-start.json')) as Record<string, unknown>;
const other = { ...event, id: 'e-2' };
const sns = (message: unknown) => ({
  Type: 'Notification',
  MessageId: 'm-1',
  TopicArn: 'arn:aws:sns:us-west-2:111122223333:ivs',
  Message: message,
});

/** How the message was wrapped, and the ids of the events in it. */
function read(body: unknown): string {
  const { wrapping, envelopes, unreadable } = readMessage(typeof body === 'string' ? body : JSON.stringify(body));
  expect(unreadable).toEqual([]);
  return [wrapping, ...envelopes.map(({ id }) => id)].join(' ');
}
const id = String(event['id']);
const text = JSON.stringify(event);

describe('an event is accepted, and its wrapping reported', () => {
  it.each<[string, unknown, string]>([
    ['directly from a rule', event, `direct ${id}`],
    ['SNS with raw delivery off', fixture('field-cases/sns-wrapped.json'), 'sns e-1'],
    ['SNS, published as an object', sns(event), `sns ${id}`],
    ['SNS around a list of events', sns(JSON.stringify([event, other])), `sns ${id} e-2`],
    ['SNS around a text that was encoded twice', sns(JSON.stringify(text)), `sns ${id}`],
    ['SNS in SNS', sns(JSON.stringify(sns(text))), `sns ${id}`],
    ['the list of a pipe', [event, other], `pipes ${id} e-2`],
    ['a list of texts', [text, JSON.stringify(other)], `pipes ${id} e-2`],
    ['a pipe from a queue', [{ messageId: 'm', body: text, eventSource: 'aws:sqs' }], `pipes ${id}`],
    ['one message of a pipe from a queue', { messageId: 'm', body: text, eventSource: 'aws:sqs' }, `pipes ${id}`],
    ['a pipe from a queue that SNS fills', [{ messageId: 'm', body: JSON.stringify(sns(text)) }], `pipes ${id}`],
    ['records as a function gets them', { Records: [{ messageId: 'm', body: text }] }, `pipes ${id}`],
    [
      'records of SNS as a function gets them',
      { Records: [{ EventSource: 'aws:sns', Sns: { Message: text } }] },
      `pipes ${id}`,
    ],
    ['encoded twice', JSON.stringify(text), `double_encoded ${id}`],
    ['encoded three times', JSON.stringify(JSON.stringify(text)), `double_encoded ${id}`],
  ])('%s', (_, body, expected) => {
    expect(read(body)).toBe(expected);
  });

  it('reports the entries of a list that are no events, and accepts the rest', () => {
    const { envelopes, unreadable } = readMessage(JSON.stringify([event, { hello: 1 }, other]));

    expect(envelopes.map((found) => found.id)).toEqual([id, 'e-2']);
    expect(unreadable).toHaveLength(1);
  });

  it('accepts an event whose detail looks like a wrapping', () => {
    expect(read({ ...event, Type: 'Notification', Message: text })).toBe(`direct ${id}`);
  });
});

describe('a message without an event gets advice that fits its form', () => {
  it.each<[string, unknown, RegExp]>([
    ['nothing', '', /empty/],
    ['text', 'hello', /who sends to this queue/],
    ['cut off JSON', text.slice(0, 100), /without an input transformer/],
    ['Base64', Buffer.from(text).toString('base64'), /Base64/],
    ['only the detail', event['detail'], /only the `detail`.*no input path/],
    ['an envelope without its id', { ...event, id: undefined }, /envelope of the event is incomplete/],
    [
      'a request to subscribe',
      { Type: 'SubscriptionConfirmation', SubscribeURL: 'https://sns.example' },
      /confirm.*raw message delivery/,
    ],
    ['SNS around a text', sns('Stream Start on studio-a'), /who sends to this queue/],
    ['SNS around a detail', sns(JSON.stringify(event['detail'])), /only the `detail`/],
    ['a test event of S3', { Service: 'Amazon S3', Event: 's3:TestEvent' }, /another service/],
    ['records of S3', { Records: [{ eventSource: 'aws:s3', s3: {} }] }, /another service/],
    ['an alarm', { AlarmName: 'a', NewStateValue: 'ALARM' }, /alarm of CloudWatch/],
    ['a CloudEvent', { specversion: '1.0', type: 'x', data: event }, /CloudEvent/],
    ['an empty list', [], /whole event/],
    ['a number', 5, /whole event/],
    ['null', null, /whole event/],
    ['an object', { hello: 1 }, /not an EventBridge event/],
  ])('%s', (_, body, advice) => {
    const { envelopes, unreadable } = readMessage(typeof body === 'string' ? body : JSON.stringify(body));

    expect(envelopes).toEqual([]);
    expect(unreadable).toEqual([
      { problem: expect.stringMatching(/./) as unknown, advice: expect.stringMatching(advice) as unknown },
    ]);
  });

  it('reads any message without an exception, and always finds an event or a problem', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.json().map((inner) => JSON.stringify(sns(inner))),
        ),
        (body) => {
          const { envelopes, unreadable } = readMessage(body);
          expect(envelopes.length + unreadable.length).toBeGreaterThan(0);
        },
      ),
    );
  });
});
