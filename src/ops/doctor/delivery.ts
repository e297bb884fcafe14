// Where new keys and events are delivered: checked by reading the configured names, and by an event that EventBridge must refuse.
// A template in a name is replaced with a name that does not exist: "not found" then means that the call is allowed.
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { ActionParams } from '#domain/action.ts';
import { createAwsClient } from '#runtime/aws-client.ts';
import { explainAwsFailure } from '../aws-failure.ts';
import type { ActionUse } from '../permissions.ts';
import { type Check, green, red, type Verdict } from './check.ts';
import type { DoctorAccount } from './doctor-account.ts';

export interface DeliveryPlaces {
  readonly secrets: readonly string[];
  readonly parameters: readonly string[];
  readonly buses: readonly string[];
}

/** The names that the actions deliver to, each once. */
export function deliveryPlaces(uses: readonly ActionUse[]): DeliveryPlaces {
  const secrets = new Set<string>();
  const parameters = new Set<string>();
  const buses = new Set<string>();
  for (const { action, params } of uses) {
    if (action === 'rotate_stream_key' || action === 'rotate_playback_key_pair') {
      const deliver = (params as ActionParams<'rotate_stream_key'> | undefined)?.deliver;
      if (deliver?.secrets_manager) secrets.add(deliver.secrets_manager);
      if (deliver?.ssm_parameter) parameters.add(deliver.ssm_parameter);
    }
    if (action === 'emit_event') buses.add((params as ActionParams<'emit_event'> | undefined)?.bus ?? 'default');
  }
  return { secrets: [...secrets], parameters: [...parameters], buses: [...buses] };
}

/** Checks for these places; none if nothing is delivered to AWS. */
export function deliveryChecks(account: DoctorAccount, places: DeliveryPlaces): Check[] {
  const { region, credentials } = account;
  const access = { region, credentials };
  const bounds = { requestTimeoutMs: 10_000 };
  const checks: Check[] = [];
  if (places.secrets.length > 0)
    checks.push({
      name: 'Secrets Manager',
      async run(abortSignal) {
        const client = createAwsClient(SecretsManagerClient, access, bounds);
        const describe = (name: string) =>
          client.send(new DescribeSecretCommand({ SecretId: nobodys(name) }), { abortSignal });
        return ask(places.secrets, 'secretsmanager:DescribeSecret', region, describe, {
          found: 'is there',
          missing: 'does not exist yet: the first delivery creates it',
        }).finally(() => client.destroy());
      },
    });
  if (places.parameters.length > 0)
    checks.push({
      name: 'Parameter Store',
      async run(abortSignal) {
        const client = createAwsClient(SSMClient, access, bounds);
        // Without decryption, because the value is not needed.
        const get = (name: string) => client.send(new GetParameterCommand({ Name: nobodys(name) }), { abortSignal });
        return ask(places.parameters, 'ssm:GetParameter', region, get, {
          found: 'is there',
          missing: 'does not exist yet: the first delivery creates it',
        }).finally(() => client.destroy());
      },
    });
  if (places.buses.length > 0)
    checks.push({
      name: 'Event bus',
      async run(abortSignal) {
        const client = createAwsClient(EventBridgeClient, access, bounds);
        // An entry without type and detail is refused after the permission was checked, so nothing is published.
        const put = (bus: string) =>
          client.send(new PutEventsCommand({ Entries: [{ EventBusName: bus, Source: 'ivs-autopilot.doctor' }] }), {
            abortSignal,
          });
        return ask(places.buses, 'events:PutEvents', region, put, {
          // EventBridge gives no answer about a bus that does not exist.
          found: 'may be written to',
          missing: 'does not exist: create it, or correct the rule',
        }).finally(() => client.destroy());
      },
    });
  return checks;
}

function ask(
  names: readonly string[],
  action: string,
  region: string,
  call: (name: string) => Promise<unknown>,
  words: { readonly found: string; readonly missing: string },
): Promise<Verdict[]> {
  return Promise.all(
    names.map(async (name) => {
      const said = (text: string) => `${action}: ${name} ${hasTemplate(name) ? 'may be asked for' : text}`;
      try {
        await call(name);
        return green(said(words.found));
      } catch (error) {
        if (error instanceof Error && /NotFound/.test(error.name)) return green(said(words.missing));
        const { text, todo } = explainAwsFailure(error, { region, action });
        return red(`${name}: ${text}`, todo);
      }
    }),
  );
}

const hasTemplate = (name: string) => name.includes('{{') || name.includes('{%');

function nobodys(name: string): string {
  return name.replaceAll(/\{\{.*?\}\}|\{%.*?%\}/g, 'DoctorNobody');
}
