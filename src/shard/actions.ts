// What the handlers of actions work with in one shard: key sinks, outgoing messages, event bus. Implements workers/ports.ts.
import type { Config } from '#config/load.ts';
import { AppError } from '#domain/errors.ts';
import type { Receiver } from '#domain/receiver.ts';
import type { Observe } from '#intake/ports.ts';
import { createActionCalls } from '#ivs/action-calls.ts';
import type { IvsClientPort } from '#ivs/client.ts';
import { EventBus } from '#outbound/event-bus.ts';
import { HttpSender } from '#outbound/http-sender.ts';
import { MailSender } from '#outbound/mail.ts';
import { SnsPublisher } from '#outbound/sns.ts';
import { channelView } from '#rules/channel-view.ts';
import { silenceOf } from '#rules/muting.ts';
import { matcherOf } from '#rules/pattern.ts';
import type { TeardownStack } from '#runtime/lifecycle.ts';
import type { Logger, Scrubber } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { readSecretFile, replaceFile } from '#secrets/secret-file.ts';
import { SecretSinks } from '#secrets/sinks.ts';
import { bindActions } from '#workers/actions.ts';
import { bindHeartbeat } from '#workers/heartbeat.ts';
import type { ActionPorts } from '#workers/ports.ts';
import type { AwsAccess } from './aws-access.ts';
import { deliveredFiles, type FileAuthority } from './file-authority.ts';
import { observingOwnChanges } from './own-changes.ts';

export interface ActionPartsOptions extends Pick<ActionPorts, 'state' | 'clock' | 'random' | 'metadata' | 'nudge'> {
  readonly client: IvsClientPort;
  readonly aws: AwsAccess;
  readonly config: () => Config;
  /** Where changes of channels by own calls go. */
  readonly observe: Observe;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly scrubber: Scrubber;
  /** Ends every call that is under way. */
  readonly until: AbortSignal;
  readonly files: FileAuthority;
  /** Time between two calls of InsertAdBreak, by the quota. */
  readonly adBreakSpacingMs: () => number;
}

/** For this long, a later report may replace the file of an earlier one. */
const keptReportMs = 90 * 86_400_000;

/** The handlers of all actions; the stack releases what they hold open. */
export function createActionHandlers(options: ActionPartsOptions, stack: TeardownStack) {
  const { client, aws, config, metrics, scrubber, until, files, adBreakSpacingMs, observe, logger, ...shared } =
    options;
  const { region, credentials } = aws;
  const web = config().settings.http;
  const addresses = { allowPrivate: web.allow_private_webhooks, allowLinkLocal: web.allow_link_local_webhooks };
  const http = new HttpSender({
    addresses,
    proxyResolvesNames: web.proxy_resolves_names,
    nowMs: () => shared.state.nowMs(),
    metrics,
  });
  const sinks = new SecretSinks({
    aws: { region, credentials, endpoint: aws.secretsEndpoint },
    sender: http,
    metrics,
    until,
    delivered: deliveredFiles(shared.state),
    ownFiles: files.ownFiles,
  });
  const events = new EventBus({ region, credentials, endpoint: aws.eventBridgeEndpoint }, until);
  const sns = new SnsPublisher({ region, credentials, endpoint: aws.snsEndpoint }, addresses, until);
  const mail = new MailSender({ addresses });
  stack.defer('sinks', 1_000, () => {
    sinks.destroy();
    sns.destroy();
  });
  const ports: ActionPorts = {
    ...shared,
    ivs: observingOwnChanges(createActionCalls(client), { state: shared.state, observe, logger }),
    sink: (job) => sinks.sink(job.params.deliver, files.deliveryBounds(job)),
    http,
    events,
    mail,
    sns,
    externalUrl: () => web.external_url ?? '',
    countNotification: (labels) => metrics.notifications.inc(labels),
    receiver: (name): Receiver | undefined => config().ruleset.receivers.find((receiver) => receiver.name === name),
    route: () => config().ruleset.route,
    readSecretFile: async (path, job) => {
      const secret = await readSecretFile(path, job && files.readBounds(job, path));
      scrubber.hide(secret, 'secret');
      return secret;
    },
    writeFile: async (job, path, text) => {
      const bounds = files.deliveryBounds(job).write;
      const place = { path, bounds, never: files.ownFiles, delivered: deliveredFiles(shared.state, keptReportMs) };
      await replaceFile(place, text, until).catch((error: unknown) => {
        if (error instanceof AppError && error.code.startsWith('SECRET_SINK_'))
          throw new AppError('REPORT_NOT_WRITTEN', error.message, { cause: error, disposition: error.disposition });
        throw error;
      });
    },
    matcher: matcherOf,
    adBreaks: { spacingMs: adBreakSpacingMs, aheadMs: 1_000, eventWindowMs: 60_000 },
    silenceOf: (action) => silenceOf(shared.state.view, shared.state.nowMs(), action),
    selects: (match, channelArn) =>
      matcherOf(match).match(channelView(shared.state.view, channelArn, shared.state.nowMs()).channel),
    hide: (value) => {
      scrubber.hide(value, 'secret');
      return { [Symbol.dispose]: () => scrubber.forget(value) };
    },
    configHash: () => config().hash,
  };
  return { ...bindActions(ports), heartbeat: bindHeartbeat(ports) };
}
