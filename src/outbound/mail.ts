// Sends mail over SMTP. The package is loaded with the first message, because most installations send none. A name is resolved here and
// checked like a webhook's, and the connection goes to that address.
import { createHash } from 'node:crypto';
import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { promisify } from 'node:util';
import { AppError, messageOf } from '#domain/errors.ts';
import type { EmailIntegration } from '#domain/receiver.ts';
import type { Secret } from '#domain/secret.ts';
import { within } from '#runtime/deadline.ts';
import { traced } from '#runtime/tracing.ts';
import { type AddressPolicy, forbiddenHost, forbiddenRange, isAddress } from './address-guard.ts';
import { optionalPackage } from './optional-package.ts';
import { assertReachable } from './webhook-url.ts';

export interface OutgoingMail {
  readonly config: EmailIntegration;
  readonly password: Secret | undefined;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Stays the same if the message is sent again. */
  readonly messageId: string;
  /** Messages of one thread are shown together. */
  readonly thread: string;
}

export interface MailSenderOptions {
  /** Which addresses besides public ones may be reached. */
  readonly addresses: AddressPolicy;
  /** Limit from the beginning until the server has accepted the message. */
  readonly timeoutMs?: number;
}

/** How much of a server's answer is kept, in characters. */
const mostWords = 500;

interface SmtpError {
  readonly code?: string;
  readonly responseCode?: number;
}

export class MailSender {
  readonly #options: Required<MailSenderOptions>;

  constructor(options: MailSenderOptions) {
    this.#options = { timeoutMs: 20_000, ...options };
  }

  /**
   * Resolves when the server has accepted the message for all its addresses.
   * @throws AppError MAIL_REJECTED, WEBHOOK_REFUSED (the address is not allowed), PACKAGE_MISSING, MAIL_FAILED (try again)
   */
  send(mail: OutgoingMail, signal: AbortSignal): Promise<void> {
    const { host, port } = hostAndPort(mail.config.smarthost);
    const attributes = { 'server.address': host, 'server.port': port };
    return traced({ name: 'send mail', kind: 'client', attributes }, () => this.#send(mail, signal));
  }

  async #send(mail: OutgoingMail, signal: AbortSignal): Promise<void> {
    const { createTransport } = await optionalPackage('nodemailer', 'email_configs', () => import('nodemailer'));
    const { config, password } = mail;
    const { host, port } = hostAndPort(config.smarthost);
    const address = await this.#addressOf(host);
    const { timeoutMs } = this.#options;
    const transport = createTransport({
      host: address,
      port,
      secure: config.implicitTls,
      requireTLS: config.requireTls && !config.implicitTls,
      ...(config.hello === undefined ? {} : { name: config.hello }),
      ...(config.authUsername === undefined
        ? {}
        : { auth: { user: config.authUsername, pass: password?.reveal() ?? '' } }),
      tls: isAddress(host) ? {} : { servername: host },
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      // The message is plain text: it loads nothing and reads no file.
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    const domain = config.from.replace(/^.*@/, '').replace(/[^A-Za-z0-9.-].*$/, '') || 'ivs-autopilot';
    const threadId = `<${createHash('sha256').update(mail.thread).digest('hex')}@${domain}>`;
    try {
      await within({ ms: timeoutMs, what: host, signals: [signal] }, async (end) => {
        end.addEventListener('abort', () => transport.close(), { once: true });
        const { rejected } = await transport.sendMail({
          from: config.from,
          to: config.to,
          subject: mail.subject,
          text: mail.text,
          html: mail.html,
          messageId: `<${mail.messageId}@${domain}>`,
          references: threadId,
          headers: { 'Auto-Submitted': 'auto-generated' },
        });
        if (rejected.length > 0)
          throw new AppError('MAIL_REJECTED', `${host} accepts no mail for ${rejected.length} of the addresses`);
      });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw error instanceof AppError ? error : failureOf(mail, host, error);
    } finally {
      transport.close();
    }
  }

  async #addressOf(host: string): Promise<string> {
    const { addresses } = this.#options;
    assertReachable(host, forbiddenHost(host, addresses));
    if (isAddress(host)) return host;
    const lookup = promisify(systemLookup) as (name: string, options: { all: true }) => Promise<LookupAddress[]>;
    const found = await lookup(host, { all: true }).catch((error: unknown) => {
      throw new AppError('MAIL_FAILED', `${host} could not be resolved: ${messageOf(error)}`, { cause: error });
    });
    for (const { address } of found) assertReachable(host, forbiddenRange(address, addresses));
    if (!found[0]) throw new AppError('MAIL_FAILED', `${host} has no address`);
    return found[0].address;
  }
}

function hostAndPort(smarthost: string): { readonly host: string; readonly port: number } {
  const at = smarthost.lastIndexOf(':');
  return { host: smarthost.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(smarthost.slice(at + 1)) };
}

/**
 * 5xx is final; 4xx and a broken connection are not. The cause is left out on purpose: a server may repeat what it received, including the
 * password. https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1
 */
function failureOf({ config, password }: OutgoingMail, host: string, error: unknown): AppError {
  const { responseCode = 0, code = '' } = error as SmtpError;
  const isLasting = responseCode >= 500 || (responseCode === 0 && (code === 'EENVELOPE' || code === 'ENOAUTH'));
  const words = withoutPassword(messageOf(error), config.authUsername ?? '', password?.reveal() ?? '');
  const text = `${host}: ${words.split('\n')[0]!.slice(0, mostWords)}`;
  return new AppError(isLasting ? 'MAIL_REJECTED' : 'MAIL_FAILED', text);
}

/** A text without the password, in each form in which it was sent to the server. https://www.rfc-editor.org/rfc/rfc4616#section-2 */
function withoutPassword(text: string, user: string, password: string): string {
  if (password === '') return text;
  const base64 = (of: string) => Buffer.from(of).toString('base64');
  const forms = [base64(`\0${user}\0${password}`), base64(password), password];
  return forms.reduce((left, form) => left.replaceAll(form, '[password]'), text);
}
