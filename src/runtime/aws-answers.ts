// What the operations of SQS, EventBridge, Secrets Manager and Parameter Store promise, reduced to what the daemon reads. STS speaks XML,
// which the SDK reads only with its members; the caller checks them. Amazon IVS has a table of its own.
import { z } from 'zod';
import { bodyOf, invalidAnswer, nothingRead, readAnswer, type WireAnswer } from './wire-answers.ts';

const text = z.string();
const name = z.string().min(1);
const optional = text.nullish();
const count = z.number().int().nonnegative();
const texts = z.record(text, text);
const failedTargets = z.object({ FailedEntryCount: count, FailedEntries: z.array(z.object({})).nullish() });

/** Client → operation → its answer. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html … */
export const awsShapes: Readonly<Record<string, Readonly<Record<string, z.ZodType>>>> = {
  SQSClient: {
    // Without messages the real service answers `{}`. A message that lacks something does not affect the others.
    ReceiveMessage: z.object({ Messages: z.array(z.object({})).optional() }),
    DeleteMessageBatch: z.object({
      Successful: z.array(z.object({ Id: name })).optional(),
      Failed: z.array(z.object({ Id: name, Code: optional, Message: optional })).optional(),
    }),
    GetQueueAttributes: z.object({ Attributes: texts }),
    GetQueueUrl: z.object({ QueueUrl: z.url() }),
    CreateQueue: z.object({ QueueUrl: z.url() }),
    ListQueueTags: z.object({ Tags: texts.optional() }),
    ChangeMessageVisibility: nothingRead,
    DeleteMessage: nothingRead,
    DeleteQueue: nothingRead,
    SetQueueAttributes: nothingRead,
    TagQueue: nothingRead,
  },
  EventBridgeClient: {
    PutEvents: z.object({
      FailedEntryCount: count.nullish(),
      Entries: z.array(z.object({ EventId: optional, ErrorCode: optional, ErrorMessage: optional })),
    }),
    DescribeRule: z.object({ Arn: name, EventPattern: optional, Description: optional, State: name }),
    ListRules: z.object({
      Rules: z.array(z.object({ Name: name, Arn: optional, EventPattern: optional, State: optional })),
      NextToken: optional,
    }),
    ListTargetsByRule: z.object({ Targets: z.array(z.object({ Id: name, Arn: name })), NextToken: optional }),
    ListTagsForResource: z.object({ Tags: z.array(z.object({ Key: name, Value: text })) }),
    PutRule: z.object({ RuleArn: name }),
    PutTargets: failedTargets,
    RemoveTargets: failedTargets,
    DeleteRule: nothingRead,
    TagResource: nothingRead,
  },
  SecretsManagerClient: {
    DescribeSecret: z.object({ ARN: name }),
    PutSecretValue: z.object({ ARN: name, VersionId: name }),
    CreateSecret: z.object({ ARN: name, VersionId: name }),
  },
  SSMClient: {
    GetParameter: z.object({ Parameter: z.object({ Name: name }) }),
    PutParameter: z.object({ Version: count }),
  },
};

/** The part of an SDK client that takes middleware. */
interface MiddlewareClient {
  readonly middlewareStack: {
    add(
      middleware: (next: Next, context: { readonly clientName?: string; readonly commandName?: string }) => Next,
      options: { readonly step: 'deserialize'; readonly priority: 'low'; readonly name: string },
    ): void;
  };
}
type Next = (args: never) => Promise<{ readonly response: unknown }>;

/** Makes a client check its answers: its calls then also throw AppError AWS_ANSWER_INVALID. */
export function checkAnswers(client: object): void {
  (client as MiddlewareClient).middlewareStack.add(
    (next, { clientName = '', commandName = '' }) =>
      async (args) => {
        const result = await next(args);
        const operation = commandName.replace(/Command$/, '');
        const shape = awsShapes[clientName]?.[operation];
        const body = shape && bodyOf(result.response as WireAnswer);
        if (shape === undefined || body === undefined) return result;
        const read = readAnswer(shape, body);
        if ('problem' in read) throw invalidAnswer('AWS_ANSWER_INVALID', operation, read.problem);
        return result;
      },
    { step: 'deserialize', priority: 'low', name: 'checkAnswer' },
  );
}
