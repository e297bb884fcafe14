// Buttons in Slack messages: Acknowledge for alerts, Approve and Reject for approvals. The person is the user whom Slack names in a signed
// request and whom `approvers` maps to a person; nothing else in the request identifies them. Each press gets an answer in words.
// Implements the port of routes/slack.ts.
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import type { ApproverRole } from '#domain/approval-terms.ts';
import { iso } from '#domain/duration.ts';
import { AppError, messageOf } from '#domain/errors.ts';
import { isSamePerson, personText } from '#domain/person.ts';
import type { Receiver } from '#domain/receiver.ts';
import type { Secret } from '#domain/secret.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { escapeSlack, visibleLine } from '#domain/visible-text.ts';
import { audit } from '#journal/audit.ts';
import type { Logger } from '#runtime/logger.ts';
import type { SlackAccess } from '#shard/slack-access.ts';
import { isAboutAllOf } from './alert.ts';
import type { AlertShard, AlertSources } from './alert-sources.ts';
import { type AlertFinder, acknowledge, endedAlerts, openAlerts } from './alerts.ts';
import { refreshAll } from './refresh-all.ts';
import type { ApprovalView } from './routes/approval-schemas.ts';
import type { Said } from './routes/approvals.ts';
import type { SlackPort, SlackWords } from './routes/slack.ts';
import { mostSkewMs, signatureOf } from './slack-signature.ts';

/** Who a Slack user is: an entry of `approvers`. */
export interface Approver {
  readonly name: string;
  readonly slack_user_id: string;
  readonly role: ApproverRole;
}

export interface SlackButtonsOptions extends AlertSources {
  readonly shards: readonly (AlertShard & { readonly state: SharedState })[];
  /** If other processes carry accounts. */
  readonly elsewhere?: AlertFinder | undefined;
  readonly receivers: () => readonly Receiver[];
  readonly approvers: () => readonly Approver[];
  readonly approvals: {
    say(id: string, said: Said): Promise<{ readonly approval: ApprovalView; readonly repeated: boolean }>;
  };
  /** A standby takes no work. Default: it is no standby. */
  readonly standsBy?: () => boolean;
  readonly access: SlackAccess;
  /** Removes secrets from an answer. */
  readonly scrub: (text: string) => string;
  readonly logger: Logger;
}

/** https://docs.slack.dev/reference/interaction-payloads/block_actions-payload */
const payloadSchema = z.object({
  type: z.string(),
  user: z.object({ id: z.string().max(50) }),
  actions: z
    .array(z.object({ action_id: z.string(), value: z.string().max(2_000).optional() }))
    .max(25)
    .optional(),
  response_url: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .optional(),
});

/** What one press asks for. */
interface Press {
  readonly kind: 'acknowledge' | 'approve' | 'reject';
  readonly value: string;
  readonly userId: string;
}

export class SlackButtons implements SlackPort {
  readonly #options: SlackButtonsOptions;

  constructor(options: SlackButtonsOptions) {
    this.#options = options;
  }

  async take(headers: IncomingHttpHeaders, body: Buffer): Promise<SlackWords | undefined> {
    const { shards } = this.#options;
    const { state } = shards[0]!;
    const signature = signatureOf({ headers, body }, await this.#secrets(), state.nowMs());
    const { press, responseUrl } = pressIn(body);
    const dedupId = `slack:${signature}`;
    const isRepeat = await state.transact((tx) => tx.isRepeat(dedupId), {
      dedupIds: [dedupId],
      dedupTtlMs: 3 * mostSkewMs,
    });
    if (isRepeat) throw new AppError('SLACK_REPLAYED', 'this request has been taken before');
    // A button that only opens a link, or one of another app's message.
    if (!press) return undefined;
    const said = await this.#answer(press);
    const words = { ...said, text: this.#options.scrub(said.text) };
    if (responseUrl !== undefined) this.#send(responseUrl, signature.slice(3, 35), words);
    return words;
  }

  /**
   * The secrets that sign requests from the Slack apps of this configuration.
   * @throws AppError NOT_FOUND; SECRET_FILE_UNREADABLE, which names no file because the sender is not identified yet; the log names it as
   * the cause
   */
  async #secrets(): Promise<Secret[]> {
    const { receivers, access } = this.#options;
    const files = receivers().flatMap(({ integrations }) =>
      integrations.flatMap((each) => (each.kind === 'slack' ? (each.signingSecretFile ?? []) : [])),
    );
    if (files.length === 0)
      throw new AppError('NOT_FOUND', 'no slack_configs of the configuration has a signing_secret_file');
    const read = await Promise.allSettled([...new Set(files)].map((file) => access.secret(file)));
    const secrets = read.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const [failed] = read.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
    if (secrets.length === 0)
      throw new AppError(
        'SECRET_FILE_UNREADABLE',
        'the signing secret of the Slack app cannot be read; the log names the file',
        {
          cause: failed,
        },
      );
    return secrets;
  }

  async #answer(press: Press): Promise<SlackWords> {
    const { userId, kind } = press;
    const approver = this.#options.approvers().find((each) => each.slack_user_id === userId);
    if (!approver) {
      const reason = `the Slack user ${userId} is not in \`approvers\``;
      await this.#options.shards[0]!.state.transact((tx) =>
        audit(tx, { who: `slack ${userId}`, what: kind, outcome: 'refused', why: '', reason }),
      );
      return toOne(`Nothing was done: ${reason} of the configuration, so nobody here knows who you are.`);
    }
    if (kind !== 'acknowledge' && this.#options.standsBy?.())
      return toOne('Nothing was done: this is a standby, which takes no work until it is activated.');
    try {
      return kind === 'acknowledge' ? await this.#acknowledge(press, approver) : await this.#decide(press, approver);
    } catch (error) {
      if (!(error instanceof AppError) || error.status >= 500) throw error;
      return toOne(`Nothing was done: ${error.message}.`);
    }
  }

  async #acknowledge({ value }: Press, { name }: Approver): Promise<SlackWords> {
    const sources = this.#options;
    await refreshAll({ all: sources.shards });
    const [since = '', ...rest] = value.split(' ');
    const id = rest.join(' ');
    const elsewhere = await sources.elsewhere?.find(id);
    const found = elsewhere?.alert ?? openAlerts(sources).find((alert) => alert.id === id);
    if (!found) {
      const ended = endedAlerts(sources).find((alert) => alert.id === id);
      return toOne(ended ? `It is over since ${iso(ended.end!)}: ${ended.title}.` : 'It is over.');
    }
    if (!isAboutAllOf(Number(since), found))
      return toOne(
        `This message is about an earlier alert; it began again at ${iso(found.since)}. Look at the newest message.`,
      );
    const who = `user ${name}`;
    const by = found.acknowledged;
    if (by) {
      const isOwn = isSamePerson(by.who, who);
      return toOne(
        `${isOwn ? 'You have' : `${personText(by.who)} has`} it since ${iso(by.atMs)}${isOwn ? '' : '; to take it over, use the page'}.`,
      );
    }
    await acknowledge(sources, id, { who, note: 'by a button in Slack' });
    return toAll(`${name} has it: ${found.title}: ${found.cause}`);
  }

  async #decide({ kind, value, userId }: Press, { name, role }: Approver): Promise<SlackWords> {
    const said: Said = {
      kind: kind === 'approve' ? 'approve' : 'reject',
      who: `user ${name}`,
      role,
      from: `slack ${userId}`,
      reason: 'by a button in Slack',
    };
    const { approval, repeated } = await this.#options.approvals.say(value, said);
    const { deed, missing, state, until } = approval;
    if (repeated)
      return toOne(
        `You have already said so; ${state === 'waiting' ? `${missing} more must say yes` : `it is ${state}`}: ${deed}`,
      );
    if (state === 'waiting') return toAll(`${name} approved; ${missing} more must say yes until ${until}: ${deed}`);
    return toAll(`${name} ${kind === 'approve' ? 'approved' : 'rejected'}: ${deed}`);
  }

  /** Slack shows a person only what is sent to this address. By now the press has counted. */
  #send(url: string, id: string, body: SlackWords): void {
    const { access, logger } = this.#options;
    void access.reply(url, { id, body }).catch((error: unknown) => {
      logger.warn(
        { err: messageOf(error) },
        'Slack did not accept the answer to a pressed button; the press has counted',
      );
    });
  }
}

/** @throws AppError REQUEST_INVALID */
function pressIn(body: Buffer): { readonly press: Press | undefined; readonly responseUrl: string | undefined } {
  const text = new URLSearchParams(body.toString('utf8')).get('payload');
  const parsed = payloadSchema.safeParse(jsonOf(text ?? ''));
  if (!parsed.success)
    throw new AppError('REQUEST_INVALID', 'body: expected payload=<JSON> of type block_actions, as Slack sends it');
  const { type, user, actions = [], response_url: responseUrl } = parsed.data;
  const [first] = actions;
  const kind = kinds.find((each) => each === first?.action_id);
  if (type !== 'block_actions' || !kind || first?.value === undefined) return { press: undefined, responseUrl };
  return { press: { kind, value: first.value, userId: user.id }, responseUrl };
}

const kinds = ['acknowledge', 'approve', 'reject'] as const;

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const mostText = 3_000;

/** Seen only by the person who pressed. */
function toOne(text: string): SlackWords {
  return { response_type: 'ephemeral', replace_original: false, text: plain(text) };
}

/** Seen by everybody in the channel, because it is news for them. */
function toAll(text: string): SlackWords {
  return { response_type: 'in_channel', replace_original: false, text: plain(text) };
}

function plain(text: string): string {
  return escapeSlack(visibleLine(text)).slice(0, mostText);
}
