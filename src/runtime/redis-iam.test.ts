import { describe, expect, test } from 'vitest';
import { iamTokens } from './redis-iam.ts';

// Nobody's keys: made up for this test.
const credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'a-secret-of-this-test',
  sessionToken: 'session/of+test=',
};
const now = () => Date.UTC(2026, 10, 30, 3, 4, 5);

describe('a token of IAM', () => {
  // The signatures are those that @smithy/signature-v4 5.7.5 makes for the same requests (`presign`).
  test.each([
    ['elasticache', false, '035222df309488b07299248b3e4d81162dd735929fcfea77334eb13625ac5ffb'],
    ['elasticache', true, 'ad88cdc5ac33ee1b77c3cbd4e02db22ecb99b2a080fe31cc23d78c4062e11b7f'],
    ['memorydb', false, '6784fc5f5fc5e928c6a337330e4b10fd11e338541856ed344b0341405d5dfd2c'],
  ] as const)(
    'for %s (serverless: %s) is a signed request without its scheme',
    async (service, serverless, signature) => {
      const options = {
        service,
        cache: 'My-Cache',
        serverless,
        user: 'autopilot',
        region: 'eu-west-1',
        credentials,
        now,
      };
      const tokens = iamTokens(options);

      const token = await tokens.token();

      expect(token).toMatch(/^my-cache\/\?/);
      expect(Object.fromEntries(new URL(`http://${token}`).searchParams)).toEqual({
        Action: 'connect',
        User: 'autopilot',
        ...(serverless ? { ResourceType: 'ServerlessCache' } : {}),
        'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
        'X-Amz-Credential': `AKIDEXAMPLE/20261130/eu-west-1/${service}/aws4_request`,
        'X-Amz-Date': '20261130T030405Z',
        'X-Amz-Expires': '900',
        'X-Amz-Security-Token': credentials.sessionToken,
        'X-Amz-SignedHeaders': 'host',
        'X-Amz-Signature': signature,
      });
      expect(await tokens.token()).toBe(token);
    },
  );
});
