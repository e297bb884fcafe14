// Why a call to AWS failed, named precisely: name resolution, network, credentials, Region, permission. The SDK throws all of these as one
// kind of error; names and codes decide, texts only if AWS provides nothing else.
import { errorCatalog } from '#domain/error-catalog.ts';
import { AppError, messageOf } from '#domain/errors.ts';

export type AwsTrouble =
  | 'no_credentials'
  | 'expired'
  | 'credentials_refused'
  | 'role_refused'
  | 'wrong_region'
  | 'clock'
  | 'denied'
  | 'dns'
  | 'refused'
  | 'no_answer'
  | 'tls'
  | 'proxy'
  | 'other';

export interface AwsFailure {
  readonly kind: AwsTrouble;
  /** A sentence without its full stop. */
  readonly text: string;
  readonly todo: string;
}

/** The call, as far as it is known. */
export interface AwsQuestion {
  /** Undefined: not known here. */
  readonly region?: string | undefined;
  /** The permission that the call needs, for example sqs:GetQueueAttributes. */
  readonly action?: string | undefined;
}

/** Regions with an IVS control plane. https://docs.aws.amazon.com/general/latest/gr/ivs.html */
const ivsRegions = [
  'us-east-1',
  'us-west-2',
  'ap-south-1',
  'ap-northeast-1',
  'ap-northeast-2',
  'eu-central-1',
  'eu-west-1',
];

interface Thrown {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly hostname?: string;
  readonly host?: string;
  readonly address?: string;
  readonly port?: number;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** The innermost errors first: an AppError's cause, a credential provider's own failure, the attempts of a connection. */
function* layersOf(error: unknown, depth = 0): Generator<Thrown> {
  if (typeof error !== 'object' || error === null || depth > 5) return;
  const thrown = error as Thrown;
  for (const inner of thrown.errors ?? []) yield* layersOf(inner, depth + 1);
  yield* layersOf(thrown.cause, depth + 1);
  yield thrown;
}

/** The first layer with a known failure; otherwise `other` with the error's own words. */
export function explainAwsFailure(error: unknown, question: AwsQuestion): AwsFailure {
  const layers = [...layersOf(error)];
  const ofProxy = layers.find((layer) => layer instanceof AppError && /^(PROXY|EGRESS)_/.test(layer.code));
  if (ofProxy instanceof AppError)
    return { kind: 'proxy', text: ofProxy.message, todo: errorCatalog[ofProxy.code].remedy };
  // Credentials are searched in many places, so if one of them does not answer, that says nothing about AWS.
  const searched = layers.some(({ name }) => name === 'CredentialsProviderError');
  for (const layer of layers) {
    const known = explainLayer(layer, question);
    if (known && !(searched && (known.kind === 'refused' || known.kind === 'no_answer'))) return known;
  }
  const name = error instanceof Error && error.name !== 'Error' ? `${error.name}: ` : '';
  return {
    kind: 'other',
    text: `${name}${messageOf(error)}`,
    todo: 'Read the message, and look in the run book (docs/operations.md).',
  };
}

function explainLayer(thrown: Thrown, { region, action }: AwsQuestion): AwsFailure | undefined {
  const { name = '', message = '' } = thrown;
  const code = thrown.code ?? '';
  const host = thrown.hostname ?? thrown.host ?? '';
  const place = thrown.address === undefined ? 'the endpoint' : `${thrown.address}:${thrown.port}`;
  const mayBe = region === undefined || ivsRegions.includes(region);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return {
      kind: mayBe ? 'dns' : 'wrong_region',
      text: `the name ${host || 'of the endpoint'} is not resolved (${code})`,
      todo: mayBe
        ? 'Check DNS and the network of this machine; the credentials were not checked.'
        : `IVS is not in the Region ${region}: use one of ${ivsRegions.join(', ')}. If this Region is right, check DNS.`,
    };
  if (code === 'ECONNREFUSED')
    return {
      kind: 'refused',
      text: `nothing listens at ${place} (ECONNREFUSED)`,
      todo: 'Check AWS_ENDPOINT_URL… variables, which should not be set for the real AWS, the proxy and the firewall.',
    };
  if (/^(ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ECONNABORTED)$/.test(code) || /Timeout|Abort/.test(name))
    return {
      kind: 'no_answer',
      text: `no answer from AWS (${code || name})`,
      todo: 'Check the route to AWS: NAT, VPC endpoints, security groups, proxy.',
    };
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|ERR_SSL|EPROTO/.test(code))
    return {
      kind: 'tls',
      text: `the endpoint's certificate is not accepted (${code})`,
      todo: 'If a proxy inspects TLS, name its certificate authority in NODE_EXTRA_CA_CERTS.',
    };
  if (
    /^(ExpiredToken|ExpiredTokenException|RequestExpired|TokenRefreshRequired)$/.test(name) ||
    /SSO.*expired/i.test(message)
  )
    return {
      kind: 'expired',
      text: `the credentials have expired (${message || name})`,
      todo: 'Log in again (aws sso login), or renew AWS_SESSION_TOKEN and the keys that belong to it.',
    };
  if (
    /^(RequestTimeTooSkewed|RequestInTheFuture)$/.test(name) ||
    /Signature not yet current|Signature expired/i.test(message)
  )
    return {
      kind: 'clock',
      text: `AWS finds this machine's clock wrong (${message || name})`,
      todo: 'Run a time service (chrony, systemd-timesyncd).',
    };
  if (/scoped to a valid region/i.test(message))
    return {
      kind: 'wrong_region',
      text: `the call went to another Region than ${region ?? 'it was signed for'} (${message})`,
      todo: 'Make the Region of the account agree with the queue URL and the endpoint variables.',
    };
  if (/^(CredentialsProviderError|CredentialsError)$/.test(name))
    return {
      kind: 'no_credentials',
      text: `no AWS credentials were found (${message})`,
      todo: 'Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the container a role.',
    };
  if (
    /^(InvalidClientTokenId|UnrecognizedClientException|UnrecognizedClient|InvalidSignatureException|SignatureDoesNotMatch|IncompleteSignature|AuthFailure|MissingAuthenticationToken)$/.test(
      name,
    )
  )
    return {
      kind: 'credentials_refused',
      text: `AWS does not accept the credentials (${name})`,
      todo: 'The keys are wrong, deleted or of another partition: check the profile, and that key and secret belong together.',
    };
  const isDenied = /AccessDenied|NotAuthorized|UnauthorizedOperation|AuthorizationError/i.test(name);
  if (isDenied && /sts:AssumeRole/.test(message))
    return {
      kind: 'role_refused',
      text: `the role may not be assumed (${message})`,
      todo: 'Allow sts:AssumeRole on it to the daemon’s own identity, and name that identity in the role’s trust policy.',
    };
  if (isDenied || thrown.$metadata?.httpStatusCode === 403)
    return {
      kind: 'denied',
      text: action === undefined ? 'it is not allowed' : `${action} is not allowed`,
      todo: 'Give the role the policy that `ivs-autopilot iam` prints.',
    };
  return undefined;
}
