import { describe, expect, it } from 'vitest';
import { problemOfQueue, queueOf } from './queue-url.ts';

const arn = (region = 'us-west-2', partition = 'aws', name = 'ivs-events') =>
  `arn:${partition}:sqs:${region}:111122223333:${name}`;

describe('the queue of a URL', () => {
  it.each<[string, string]>([
    ['https://sqs.us-west-2.amazonaws.com/111122223333/ivs-events', arn()],
    ['https://us-west-2.queue.amazonaws.com/111122223333/ivs-events', arn()],
    ['https://queue.amazonaws.com/111122223333/ivs-events', arn('us-east-1')],
    ['https://sqs-fips.us-west-2.amazonaws.com/111122223333/ivs-events', arn()],
    ['https://sqs.us-west-2.api.aws/111122223333/ivs-events', arn()],
    ['https://sqs-fips.us-east-1.api.aws/111122223333/ivs-events', arn('us-east-1')],
    ['https://vpce-0a1b2c3d4e5f67890-abcdefgh.sqs.us-west-2.vpce.amazonaws.com/111122223333/ivs-events', arn()],
    ['https://vpce-0a1b-abcd-us-west-2a.sqs.us-west-2.vpce.amazonaws.com/111122223333/ivs-events', arn()],
    ['https://sqs.cn-north-1.amazonaws.com.cn/111122223333/ivs-events', arn('cn-north-1', 'aws-cn')],
    ['https://cn-north-1.queue.amazonaws.com.cn/111122223333/ivs-events', arn('cn-north-1', 'aws-cn')],
    ['https://sqs.us-gov-west-1.amazonaws.com/111122223333/ivs-events', arn('us-gov-west-1', 'aws-us-gov')],
    ['http://sqs.us-west-2.amazonaws.com/111122223333/ivs-events', arn()],
    ['https://SQS.us-west-2.amazonaws.com:443/111122223333/ivs_events-2', arn('us-west-2', 'aws', 'ivs_events-2')],
  ])('%s', (url, expected) => {
    expect(queueOf(url)?.arn).toBe(expected);
    expect(problemOfQueue(queueOf(url)!)).toBeUndefined();
  });

  it('is refused if it is a FIFO queue', () => {
    const queue = queueOf('https://sqs.us-west-2.amazonaws.com/111122223333/ivs-events.fifo')!;

    expect(queue).toMatchObject({ isFifo: true, name: 'ivs-events.fifo' });
    expect(problemOfQueue(queue)).toMatch(/ivs-events\.fifo is a FIFO queue/);
  });

  it.each([
    'q',
    '',
    'arn:aws:sqs:us-west-2:111122223333:ivs-events',
    'http://127.0.0.1:4566/000000000000/ivs-events',
    'http://localhost:9324/000000000000/ivs-events',
    'http://sqs.us-west-2.localhost.localstack.cloud:4566/000000000000/ivs-events',
    'https://sqs.us-west-2.amazonaws.com.evil.example/111122223333/ivs-events',
    'https://evil.example/sqs.us-west-2.amazonaws.com/111122223333/ivs-events',
    'https://sqs.us-west-2.amazonaws.com/ivs-events',
    'https://sqs.us-west-2.amazonaws.com/1111/ivs-events',
    'https://sqs.us-west-2.amazonaws.com/111122223333/',
    'https://sqs.us-west-2.amazonaws.com/111122223333/a/b',
    'https://sqs.us-west-2.amazonaws.com/111122223333/a b',
    'https://sqs.us-west-2.amazonaws.com/111122223333/ivs-events?x=1',
    'https://sqs.us-west-2.amazonaws.com:8443/111122223333/ivs-events',
    'https://user@sqs.us-west-2.amazonaws.com/111122223333/ivs-events',
  ])('is undefined for %s', (url) => {
    expect(queueOf(url)).toBeUndefined();
  });
});
