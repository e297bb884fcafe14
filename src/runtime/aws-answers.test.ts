// Every operation that is called has a shape: a call that is added to the code must be added to the table.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { awsShapes } from './aws-answers.ts';
import { readAnswer } from './wire-answers.ts';

const src = join(import.meta.dirname, '..');
const services = {
  sqs: 'SQSClient',
  eventbridge: 'EventBridgeClient',
  'secrets-manager': 'SecretsManagerClient',
  ssm: 'SSMClient',
};

/** Commands that files import from a service's client. */
function commandsOf(service: string): Set<string> {
  const found = new Set<string>();
  for (const file of readdirSync(src, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || file.endsWith('.test.ts')) continue;
    const text = readFileSync(join(src, file), 'utf8');
    for (const [, names = ''] of text.matchAll(
      new RegExp(`import \\{([^}]*)\\} from '@aws-sdk/client-${service}'`, 'g'),
    ))
      for (const [, command = ''] of names.matchAll(/\b(\w+)Command\b/g)) found.add(command);
  }
  return found;
}

test.each(Object.entries(services))('the answers of %s are checked', (service, client) => {
  const missing = [...commandsOf(service)].filter((command) => awsShapes[client]?.[command] === undefined);

  expect(missing).toEqual([]);
});

test('the calls that secret sinks make by method are checked', () => {
  expect(Object.keys(awsShapes['SecretsManagerClient']!)).toEqual(['DescribeSecret', 'PutSecretValue', 'CreateSecret']);
  expect(awsShapes['SSMClient']!['PutParameter']).toBeDefined();
});

test.each(
  Object.entries(awsShapes).flatMap(([client, shapes]) =>
    Object.entries(shapes).map(([name, shape]) => [client, name, shape] as const),
  ),
)('refuses an answer of %s to %s that is not JSON, not an object, or an error', (_client, _name, shape) => {
  const errors = ['{"__type":"InternalError"}', '{"message":"Forbidden"}', '{"Error":{"Code":"AccessDenied"}}'];
  for (const body of ['<html>log in</html>', 'null', '[]', '5', '{"a":', ...errors])
    expect(readAnswer(shape, body), body).toHaveProperty('problem');
});
