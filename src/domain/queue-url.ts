// The URL of an SQS queue, in every form that SQS, its clients and stand-ins have used. Pure: no connection is made.
// https://docs.aws.amazon.com/general/latest/gr/sqs-service.html and
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html

/** An AWS queue, as described by its URL. */
export interface AwsQueue {
  readonly region: string;
  readonly account: string;
  readonly name: string;
  readonly arn: string;
  /** In a FIFO queue, one unreadable message blocks all behind it. */
  readonly isFifo: boolean;
}

/** Host patterns with the Region; without a Region it is us-east-1, the oldest one. */
const hosts: readonly RegExp[] = [
  /^sqs(?:-fips)?\.(?<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/,
  // As written by boto3 and old clients.
  /^(?:(?<region>[a-z0-9-]+)\.)?queue\.amazonaws\.com(?:\.cn)?$/,
  // Dual stack.
  /^sqs(?:-fips)?\.(?<region>[a-z0-9-]+)\.api\.(?:aws|amazonwebservices\.com\.cn)$/,
  // Interface endpoints of a VPC, also for a single zone.
  /^vpce-[a-z0-9-]+\.sqs(?:-fips)?\.(?<region>[a-z0-9-]+)\.vpce\.amazonaws\.com(?:\.cn)?$/,
];
const path = /^\/(?<account>\d{12})\/(?<name>[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo)$/;

/** The queue of an AWS URL; undefined for any other text, including stand-ins. */
export function queueOf(url: string): AwsQueue | undefined {
  const parsed = URL.parse(url.trim());
  if (
    !parsed ||
    !/^https?:$/.test(parsed.protocol) ||
    parsed.port !== '' ||
    parsed.search !== '' ||
    parsed.hash !== '' ||
    parsed.username !== ''
  ) {
    return undefined;
  }
  const host = hosts.map((pattern) => pattern.exec(parsed.hostname)).find((match) => match !== null);
  const place = path.exec(parsed.pathname)?.groups;
  if (!host || !place) return undefined;
  const region = host.groups?.['region'] ?? 'us-east-1';
  const { account = '', name = '' } = place;
  return {
    region,
    account,
    name,
    arn: `arn:${partitionOf(region)}:sqs:${region}:${account}:${name}`,
    isFifo: name.endsWith('.fifo'),
  };
}

/** The partition of a Region, as in ARNs. */
function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}

/** Why a queue with this URL cannot be the event queue; undefined if it can. */
export function problemOfQueue(queue: AwsQueue): string | undefined {
  return queue.isFifo
    ? `${queue.name} is a FIFO queue: one unreadable message would block all others. Use a standard queue; the daemon orders events itself`
    : undefined;
}
