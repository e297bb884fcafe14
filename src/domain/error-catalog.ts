// Every error the project can raise: stable code, meaning, remedy, HTTP status, what happens next. Codes are never reused.
// docs/errors.md is generated from this file (`npm run docs`).

interface CatalogEntry {
  /** What happened, in one sentence. */
  readonly meaning: string;
  /** What the reader should do. */
  readonly remedy: string;
  /** HTTP status when an API answers with it. */
  readonly status: number;
  /** What a worker does next. */
  readonly disposition: 'retry' | 'already-done' | 'give-up' | 'interrupted';
}

export const errorCatalog = {
  // Configuration and start
  CONFIG_INVALID: {
    meaning:
      'The configuration file, the rules file or an environment variable is not valid; every problem is listed as `file:line:column path: message`.',
    remedy:
      'Correct the places named. `ivs-autopilot validate` checks a file without starting anything; a running daemon keeps its last valid configuration.',
    status: 422,
    disposition: 'give-up',
  },
  CONFIG_SUSPECT: {
    meaning:
      'The configuration is valid and in force, but something in it can hardly be meant: a rule for an event that IVS never sends, a payload that may not fit, a rule that cannot be reached.',
    remedy: 'Look at the place named; `ivs-autopilot validate` lists all such findings.',
    status: 200,
    disposition: 'give-up',
  },
  CONFIG_NOT_FOUND: {
    meaning: 'The configuration file could not be read.',
    remedy: 'Set AUTOPILOT_CONFIG to an existing, readable file, or write one with `ivs-autopilot init`.',
    status: 404,
    disposition: 'give-up',
  },
  ACCOUNTS_INVALID: {
    meaning:
      '`run --accounts` or AUTOPILOT_ACCOUNTS selects nothing, or names an account that the configuration does not have. The daemon does not start: it never carries a part that nobody meant.',
    remedy:
      "Write names of entries under `accounts`, separated by commas; `*` stands for any characters, such as `main,eu-*`. `ivs-autopilot validate --accounts '…'` shows what is selected.",
    status: 422,
    disposition: 'give-up',
  },
  START_FAILED: {
    meaning: 'A part of the daemon could not be started; everything that had started was stopped again.',
    remedy: 'Read the cause in the same log line.',
    status: 500,
    disposition: 'give-up',
  },
  UNCAUGHT: {
    meaning: 'Something was thrown that nothing in the program handles. The process ended at once with exit code 1.',
    remedy:
      'Let the supervisor start it again: nothing accepted is lost. Report the line; if it comes again and again, run the version before.',
    status: 500,
    disposition: 'give-up',
  },
  STOP_TIMED_OUT: {
    meaning: 'A part of the daemon did not stop within its bound; the others were stopped.',
    remedy:
      'Raise `shutdown_window` if jobs legitimately take longer; otherwise look at what the named part was waiting for.',
    status: 500,
    disposition: 'give-up',
  },
  // The shared state
  STATE_LOST: {
    meaning:
      'The shared state in Redis was emptied, went back to an older one, or lost keys. What a living replica knew of pause, holds and silences is written again.',
    remedy:
      'Read the alert `state_lost`; compare holds and silences with what should be in force, then `ivs-autopilot resume`. docs/operations.md, "State lost", tells what else is gone.',
    status: 200,
    disposition: 'give-up',
  },
  CONTROLS_CHANGED: {
    meaning:
      'Automation was paused, or the channel was put on hold, while an action waited for its permit, or for the time of what it had left to do. Nothing was sent.',
    remedy:
      'Nothing: the action looks again. It is skipped; what it had begun goes on when the pause or the hold ends.',
    status: 409,
    disposition: 'retry',
  },
  PAUSE_NOT_WRITTEN: {
    meaning:
      'A replica that was paused while Redis could not be written has ended before it could be. The other replicas never learned of the pause.',
    remedy:
      'Pause again on a replica that lives, or start with `ivs-autopilot run --paused` or AUTOPILOT_START_PAUSED=1; then find out why Redis could not be written.',
    status: 200,
    disposition: 'give-up',
  },
  STATE_NOTE_UNWRITABLE: {
    meaning:
      'The file that tells after a restart that there had been a state cannot be written. Everything else goes on.',
    remedy:
      'Give the daemon a folder that it may write to: AUTOPILOT_DATA_DIR, default `data`. Without one, only traces in Redis tell of a state that was lost while no replica ran.',
    status: 200,
    disposition: 'give-up',
  },
  STANDBY: {
    meaning: 'This deployment runs as a standby (`run --standby`): until it is activated it takes no work.',
    remedy:
      'Send the request to the deployment that works. If that one is lost, read "A second Region" in docs/operations.md, then `ivs-autopilot activate`.',
    status: 503,
    disposition: 'give-up',
  },
  STATE_TOO_NEW: {
    meaning:
      'The state in Redis was written by a newer version of ivs-autopilot, in a format that this one does not know. It is left untouched.',
    remedy: 'Run the newer version, or give this one a Redis (or AUTOPILOT_NAMESPACE) of its own.',
    status: 503,
    disposition: 'retry',
  },
  REPLICAS_DIFFER: {
    meaning:
      'Replicas on one Redis have different configurations, versions or clocks. Each cause is decided once, by whichever replica takes it.',
    remedy:
      'During a rolling update, wait for its end. Otherwise `GET /v1/replicas` shows which replica is different; give all of them the same configuration and version, and set its clock.',
    status: 200,
    disposition: 'give-up',
  },
  // Redis
  REDIS_NOT_CONFIGURED: {
    meaning: 'No Redis is configured and none can be started here.',
    remedy: 'Set REDIS_URL, for example redis://redis:6379.',
    status: 500,
    disposition: 'give-up',
  },
  STORED_RECORD_ODD: {
    meaning:
      'An entry of the shared state in Redis is not what its kind should be: damaged, changed by hand, or of another version. A pause, hold or silence is then taken to be in force; anything else is set aside, and stays in Redis until it is written anew.',
    remedy:
      'The log line names the key and the place. A stream or channel is read anew from IVS within a minute. Resume, release or expire the control once you know why it was there, and silence or pause again if it was meant.',
    status: 500,
    disposition: 'give-up',
  },
  REDIS_UNREACHABLE: {
    meaning: 'Redis does not answer. Nothing that was accepted is lost; work goes on when it is back.',
    remedy: 'Check that the server at REDIS_URL runs and can be reached.',
    status: 503,
    disposition: 'retry',
  },
  REDIS_REFUSES: {
    meaning:
      'Redis answers and refuses: read-only (READONLY), out of memory (OOM), disk full (MISCONF), permission missing (NOPERM) and others; the message repeats what it said. Nothing that was accepted is lost; work goes on when it accepts again.',
    remedy:
      'Correct what Redis says: READONLY, give the address of the primary; OOM, more memory; MISCONF, look at its disk; NOPERM, the permissions of the user; CLUSTERDOWN, a node that serves the missing slots.',
    status: 503,
    disposition: 'retry',
  },
  REDIS_NOT_REPLICATED: {
    meaning:
      'It was written to Redis, and fewer replicas of Redis than redis.wait_replicas asks for had it in time. A failover may take it back; until then it is in force.',
    remedy:
      'Ask again: the same request has its effect once. If it lasts, look at the replicas of Redis and their links.',
    status: 503,
    disposition: 'retry',
  },
  REDIS_ANSWER_INVALID: {
    meaning:
      'A script of ours in Redis answered with something that it does not answer: another version of it, or something between the daemon and Redis. It may have had its effect; nothing is concluded from the answer.',
    remedy: 'It is tried again. If it lasts, look at what stands between the daemon and Redis, and at its version.',
    status: 502,
    disposition: 'retry',
  },
  REDIS_URL_INVALID: {
    meaning: 'REDIS_URL is not an address that this version can use. The daemon does not start.',
    remedy:
      'Write redis://[user:password@]host[:port][/database], with several hosts, separated by commas, for nodes of a cluster; redis+sentinel://host:26379,host:26379/name for sentinels; rediss:// or rediss+sentinel:// for TLS. In a user or password write @ as %40, : as %3A, / as %2F, # as %23, % as %25.',
    status: 500,
    disposition: 'give-up',
  },
  REDIS_UNUSABLE: {
    meaning:
      'The server at REDIS_URL cannot be used as it stands: wrong user or password, a database that it does not have or the user may not select (a cluster has database 0 only), a primary that the sentinels do not know. The daemon does not start; no other database is used instead.',
    remedy: 'Correct REDIS_URL, or the permissions of its user; the message repeats what Redis said.',
    status: 500,
    disposition: 'give-up',
  },
  REDIS_UNSAFE: {
    meaning: 'The Redis server may drop data: its eviction policy is not noeviction, or it has no persistence.',
    remedy: 'Set maxmemory-policy noeviction and appendonly yes.',
    status: 500,
    disposition: 'give-up',
  },
  STATE_CONTENDED: {
    meaning: 'A decision could not be committed because other replicas changed the shared state many times in a row.',
    remedy: 'It is tried again; if it lasts, run fewer replicas or look for a very slow connection to Redis.',
    status: 503,
    disposition: 'retry',
  },
  // Intake
  SQS_UNREACHABLE: {
    meaning: 'The event queue could not be read; the consumer backs off and tries again.',
    remedy:
      'Check `events.queue_url` (or the `queue_url` of the account), the network and the sqs:ReceiveMessage permission.',
    status: 503,
    disposition: 'retry',
  },
  EVENT_UNREADABLE: {
    meaning:
      'A message in the event queue contains no whole EventBridge event. It is not deleted: the queue moves it to its dead-letter queue.',
    remedy:
      'The line says what the message looks like and what to do (`advice`). Events inside SNS notifications, lists of pipes and texts that were encoded twice are taken in; only part of an event is not: the EventBridge target must send the matched event, without an input transformer.',
    status: 400,
    disposition: 'give-up',
  },
  SETUP_QUEUE_UNKNOWN: {
    meaning:
      'The URL of the event queue names no queue of AWS that the daemon can use, so that a policy for it cannot be printed. It is never left out.',
    remedy:
      'Correct `queue_url` or AUTOPILOT_QUEUE_URL, or name the queue with `--queue-arn`. A FIFO queue cannot be used: make a standard one.',
    status: 400,
    disposition: 'give-up',
  },
  QUEUE_WITHOUT_REDRIVE: {
    meaning:
      'The event queue has no redrive policy: a message that cannot be read comes back again and again until the queue’s retention ends.',
    remedy: 'Run `ivs-autopilot bootstrap`, or give the queue a dead-letter queue.',
    status: 503,
    disposition: 'give-up',
  },
  POLL_FAILED: {
    meaning: 'A sweep of ListStreams failed; it counts as incomplete and the next one follows in time.',
    remedy: 'Read the cause in the same log line.',
    status: 503,
    disposition: 'retry',
  },
  // Jobs
  JOB_PAYLOAD_INVALID: {
    meaning: 'A job in the queue does not have the shape its name promises.',
    remedy: 'A job of another version may be in the queue: let it drain before you upgrade, or remove it.',
    status: 500,
    disposition: 'give-up',
  },
  JOB_TIMED_OUT: {
    meaning: 'One run of a job took longer than its time limit; it was aborted and is tried again.',
    remedy: 'Look at the last step that GET /v1/jobs/{id} shows, and at the latency of what it was waiting for.',
    status: 504,
    disposition: 'retry',
  },
  INTERRUPTED: {
    meaning:
      'The work was interrupted because the daemon stops; it goes back to the queue without spending an attempt.',
    remedy: 'Nothing: it runs again after the start.',
    status: 503,
    disposition: 'interrupted',
  },
  WEBHOOK_FAILED: {
    meaning: 'A webhook did not answer with a 2xx status in time.',
    remedy: 'Check the receiver; delivery is retried with backoff.',
    status: 502,
    disposition: 'retry',
  },
  WEBHOOK_REJECTED: {
    meaning: 'A webhook answered that it does not want the message (4xx, or a redirect, which is never followed).',
    remedy: 'Check the address and the token in it; then send it again with POST /v1/jobs/{id}/resend.',
    status: 502,
    disposition: 'give-up',
  },
  WEBHOOK_REFUSED: {
    meaning:
      'A message was not sent because its address is not allowed: loopback, private, link-local or metadata, or a secret by plain HTTP.',
    remedy: 'Use a public https address, or set http.allow_private_webhooks if one in a private network is meant.',
    status: 422,
    disposition: 'give-up',
  },
  MAIL_FAILED: {
    meaning: 'A mail server did not take a message, or could not be reached.',
    remedy: 'It is tried again with backoff; check `smarthost` and the network.',
    status: 502,
    disposition: 'retry',
  },
  MAIL_REJECTED: {
    meaning: 'A mail server refused a message for good (5xx): an address, the sender or the password.',
    remedy: 'Correct the `email_configs` of the receiver and try it with `ivs-autopilot notify test <receiver>`.',
    status: 502,
    disposition: 'give-up',
  },
  SNS_FAILED: {
    meaning: 'Amazon SNS did not take a message.',
    remedy: 'It is tried again with backoff; check the network and the service.',
    status: 502,
    disposition: 'retry',
  },
  SNS_REJECTED: {
    meaning: 'Amazon SNS refused a message for good: the topic is not there, or publishing is not allowed.',
    remedy: 'Check the ARN in the `sns_configs` of the receiver and the permission sns:Publish.',
    status: 502,
    disposition: 'give-up',
  },
  PACKAGE_MISSING: {
    meaning:
      'The configuration uses something whose package is not installed, because most installations do not need it.',
    remedy:
      'Install the package that the message names beside ivs-autopilot, in the version that its package.json asks for.',
    status: 500,
    disposition: 'give-up',
  },
  TELEMETRY_INVALID: {
    meaning:
      'A variable of OpenTelemetry (OTEL_…) cannot be used as it is set. The daemon goes on: with the default where the message says so, else without the traces or metrics that the variable is about.',
    remedy:
      'The message names the variable and what it may be; docs/tracing.md lists what is offered. Correct it and restart.',
    status: 422,
    disposition: 'give-up',
  },
  TELEMETRY_FAILED: {
    meaning:
      'The OpenTelemetry collector is away, too slow, or refuses what it is sent. Traces and metrics that it did not take are dropped; nothing else waits for it.',
    remedy:
      'Check OTEL_EXPORTER_OTLP_ENDPOINT (the port of OTLP over HTTP is 4318, not 4317), the headers it asks for, and the proxy. It is tried again with every export, and the log tells when one arrives.',
    status: 502,
    disposition: 'give-up',
  },
  EGRESS_INVALID: {
    meaning:
      'HTTPS_PROXY or HTTP_PROXY names no proxy that can be used, or the file of AWS_CA_BUNDLE holds no certificates that can be read.',
    remedy:
      'The message names the variable and what to write. `ivs-autopilot doctor --offline` shows which host is reached by which proxy.',
    status: 422,
    disposition: 'give-up',
  },
  PROXY_REFUSED: {
    meaning:
      'The proxy does not let us through to a host: it wants other credentials (407), or its rules forbid the host (403). Nothing of the request has left.',
    remedy:
      'Correct user and password in HTTPS_PROXY, allow the host in the proxy, or name the host in NO_PROXY to reach it directly.',
    status: 502,
    disposition: 'retry',
  },
  PROXY_FAILED: {
    meaning:
      'The proxy does not answer, or cannot reach a host (502, 503, 504). Nothing of the request has left. It is tried again.',
    remedy:
      'Look at the proxy that the message names; `ivs-autopilot doctor` shows which hosts go through it. A host named in NO_PROXY is reached directly.',
    status: 502,
    disposition: 'retry',
  },
  // Actions
  ACTION_NEEDS_CHANNEL: {
    meaning: 'The action works on a channel, and the event, rule or request that caused it names none.',
    remedy: 'Give channelArn, or use the action in a rule whose trigger has a channel.',
    status: 422,
    disposition: 'give-up',
  },
  CHANNEL_UNKNOWN: {
    meaning: 'An action was asked for on a channel that neither the inventory nor IVS itself knows.',
    remedy: 'Check the ARN; GET /v1/channels and `ivs-autopilot status` show the channels there are.',
    status: 422,
    disposition: 'give-up',
  },
  CHANNEL_BUSY: {
    meaning: 'Another job works on the same channel; key and recording jobs run one after another.',
    remedy: 'Nothing: the job runs when the other one has ended.',
    status: 409,
    disposition: 'retry',
  },
  LEASE_LOST: {
    meaning: 'A run was paused for so long that another one took over its channel; it stopped.',
    remedy: 'Nothing: the job looks again at what is left to do.',
    status: 409,
    disposition: 'retry',
  },
  CHANNEL_LIVE: {
    meaning: 'The channel is live and the action was told to fail then (if_live: fail).',
    remedy: 'Try again after the stream, or use if_live: defer.',
    status: 409,
    disposition: 'give-up',
  },
  KEY_UNSETTLED: {
    meaning: 'The keys of a channel kept changing while its key was being rotated.',
    remedy:
      'Look in CloudTrail for who else creates or deletes stream keys of this channel; the rotation is tried again.',
    status: 409,
    disposition: 'retry',
  },
  RECORDING_CONFIGURATION_UNKNOWN: {
    meaning: 'No recording configuration has the given name, ARN or bucket.',
    remedy: 'Use one of those that the message lists.',
    status: 404,
    disposition: 'give-up',
  },
  RECORDING_CONFIGURATION_AMBIGUOUS: {
    meaning: 'Several recording configurations have the given name or bucket.',
    remedy: 'Give the ARN.',
    status: 409,
    disposition: 'give-up',
  },
  RECORDING_CONFIGURATION_FAILED: {
    meaning: 'The recording configuration is CREATE_FAILED and cannot record.',
    remedy: 'Delete it and create it again with a bucket of the same Region and account.',
    status: 409,
    disposition: 'give-up',
  },
  RECORDING_CONFIGURATION_CREATING: {
    meaning: 'The recording configuration is still being created.',
    remedy: 'Nothing: the job waits for it.',
    status: 409,
    disposition: 'retry',
  },
  RECORDING_CONFIGURATION_DIFFERS: {
    meaning:
      'A recording configuration of this name exists and writes to another bucket. Amazon IVS cannot change one.',
    remedy: 'Choose another name, or retire the one that exists.',
    status: 409,
    disposition: 'give-up',
  },
  CHANNEL_NAME_TAKEN: {
    meaning: 'A channel with the name exists, and its settings are others than those that were asked for.',
    remedy: 'Choose another name, or the settings of the channel that exists.',
    status: 409,
    disposition: 'give-up',
  },
  POOL_EMPTY: {
    meaning: 'No channel of the pool is free.',
    remedy: 'Return one with return_channel, or add one with provision_channel.',
    status: 409,
    disposition: 'give-up',
  },
  RECORDING_UNSETTLED: {
    meaning: 'After the change the channel shows another recording configuration than the one that was set.',
    remedy: 'Look for who else updates this channel; the change is tried again.',
    status: 409,
    disposition: 'retry',
  },
  AD_BREAK_PLANNED: {
    meaning: 'An ad break waits for its turn: the whole account may insert one a second.',
    remedy:
      'Nothing: the job goes on at the time that its step `planned` names. `ivs-autopilot ad-break list` shows the line.',
    status: 409,
    disposition: 'retry',
  },
  AD_BREAK_IMPOSSIBLE: {
    meaning: 'The channel cannot have ad breaks: it has no ad configuration, or it sends fragmented MP4.',
    remedy:
      'Attach an ad configuration to the channel; that needs the container format TS, and a channel that is not live.',
    status: 409,
    disposition: 'give-up',
  },
  AD_BREAK_UNCERTAIN: {
    meaning: 'InsertAdBreak was sent and gave no answer. It is not sent again: that could be a second ad break.',
    remedy: 'Nothing: the event of the ad break is waited for.',
    status: 502,
    disposition: 'retry',
  },
  AD_BREAK_UNKNOWN: {
    meaning: 'InsertAdBreak was sent, and neither its answer nor the event of an ad break came.',
    remedy:
      'Look at a player of the channel, or at the metrics of MediaTailor, whether ads are played; if not, insert the ad break again.',
    status: 502,
    disposition: 'give-up',
  },
  AD_CONFIGURATION_UNKNOWN: {
    meaning: 'No ad configuration has the given name or ARN.',
    remedy: 'Use one of those that the message lists.',
    status: 404,
    disposition: 'give-up',
  },
  AD_CONFIGURATION_AMBIGUOUS: {
    meaning: 'Several ad configurations have the given name.',
    remedy: 'Give the ARN.',
    status: 409,
    disposition: 'give-up',
  },
  AD_CONFIGURATION_IMPOSSIBLE: {
    meaning: 'The channel packages its stream as fragmented MP4, and Amazon IVS inserts ads into MPEG-TS only.',
    remedy: 'Set the channel’s containerFormat to TS, which also ends multitrack input, or choose another channel.',
    status: 409,
    disposition: 'give-up',
  },
  PLAYBACK_RESTRICTION_UNKNOWN: {
    meaning: 'No playback restriction policy has the given name or ARN.',
    remedy: 'Use one of those that the message lists.',
    status: 404,
    disposition: 'give-up',
  },
  PLAYBACK_RESTRICTION_AMBIGUOUS: {
    meaning: 'Several playback restriction policies have the given name.',
    remedy: 'Give the ARN.',
    status: 409,
    disposition: 'give-up',
  },
  PLAYBACK_RESTRICTION_SHARED: {
    meaning: 'The policy is attached to channels that the rule’s `match`, or the request, does not name.',
    remedy: 'Give those channels a policy of their own, widen `match`, or ask for the edit without a channel.',
    status: 409,
    disposition: 'give-up',
  },
  VIEWERS_NOT_REVOKED: {
    meaning: 'Amazon IVS refused to revoke the sessions of some viewers; those of the others are revoked.',
    remedy: 'Read the last step of the job: it has each of these viewers, with the code and the message of Amazon IVS.',
    status: 409,
    disposition: 'give-up',
  },
  CHANNEL_SETTING_UNSETTLED: {
    meaning: 'After the change a channel or a policy shows something else than what was set.',
    remedy: 'Look for who else changes it; the change is tried again.',
    status: 409,
    disposition: 'retry',
  },
  STREAM_STILL_LIVE: {
    meaning: 'A stream was stopped and is not over yet.',
    remedy: 'Nothing: the job waits for its end.',
    status: 409,
    disposition: 'retry',
  },
  PLAYBACK_KEY_QUOTA: {
    meaning: 'The account has as many playback key pairs as it may (3), and none of them may be deleted by this job.',
    remedy: 'Delete one of the pairs that the message names, or wait for the end of the grace period.',
    status: 409,
    disposition: 'give-up',
  },
  RECEIVER_UNKNOWN: {
    meaning: 'A notification names a receiver that the configuration does not have.',
    remedy: 'Add it under receivers, or correct the name.',
    status: 422,
    disposition: 'give-up',
  },
  EVENT_BUS_FAILED: {
    meaning: 'EventBridge did not take an event.',
    remedy: 'It is tried again; check the network and the events:PutEvents permission.',
    status: 502,
    disposition: 'retry',
  },
  EVENT_BUS_REFUSED: {
    meaning: 'EventBridge refuses an event for good: its source, size or bus, or the permission is missing.',
    remedy: 'Correct what the message names.',
    status: 422,
    disposition: 'give-up',
  },
  SECRET_SINK_FAILED: {
    meaning: 'A new key could not be handed over to its destination.',
    remedy: 'It is tried again, and the alert "undelivered" stays until it is there; check the destination.',
    status: 502,
    disposition: 'retry',
  },
  SECRET_SINK_REFUSED: {
    meaning: 'The destination of a new key refuses it for good, or its name is not valid.',
    remedy:
      'Correct the setting or the permission that the message names; a rotation that had begun is repaired by itself then.',
    status: 422,
    disposition: 'give-up',
  },
  SECRET_FILE_UNREADABLE: {
    meaning:
      'A file with an address, a token or a signing key cannot be read, is empty, is no regular file, or has more than 64 KiB.',
    remedy: 'Mount the file that the message names, readable for the daemon.',
    status: 500,
    disposition: 'retry',
  },
  FILE_NOT_ALLOWED: {
    meaning:
      'A request names a file outside of the folders that are open to requests, or a path leads over a link out of the folder that was meant.',
    remedy:
      'Name a file below a folder of `secrets.delivery_folders` (to deliver a key into) or `secrets.read_folders` (to read), or open its folder there. A path that a rule spells out may be anywhere.',
    status: 403,
    disposition: 'give-up',
  },
  JOB_NOT_RESENDABLE: {
    meaning: 'Only finished jobs of webhook, notify and emit_event can be sent again.',
    remedy: 'Wait until the job has ended, or ask for the action anew with POST /v1/actions.',
    status: 409,
    disposition: 'give-up',
  },
  // Calls to Amazon IVS
  LIMITER_UNAVAILABLE: {
    meaning:
      'No permit can be had because Redis, which keeps the ledger of permits, does not answer or refuses. Nothing was sent.',
    remedy: 'Check Redis; the message tells what it said. Calls go on by themselves within seconds of its return.',
    status: 503,
    disposition: 'retry',
  },
  LIMITER_DEADLINE: {
    meaning: 'A call waited for its permit until its deadline. Nothing was sent.',
    remedy:
      'Look at `GET /v1/quota`: the account is at its call rate, or slowed down after throttling. Send less, or wait longer.',
    status: 503,
    disposition: 'retry',
  },
  LIMITER_FULL: {
    meaning: 'Too many calls of this operation wait for a permit in this process. Nothing was sent.',
    remedy: 'Send more slowly; what waits is being sent at the rate that Amazon IVS allows.',
    status: 503,
    disposition: 'retry',
  },
  IVS_THROTTLED: {
    meaning: 'Amazon IVS refused a call because of its rate (429), although the limiter had allowed it.',
    remedy:
      'The limiter slows down by itself. If it lasts, other software uses the same account: give it a part with limits.share.',
    status: 503,
    disposition: 'retry',
  },
  IVS_NOT_BROADCASTING: {
    meaning: 'The channel exists but has no live stream (ChannelNotBroadcasting).',
    remedy: 'Nothing, if the stream has ended; otherwise check the encoder.',
    status: 409,
    disposition: 'give-up',
  },
  IVS_NOT_FOUND: {
    meaning: 'The channel, stream key or other resource does not exist (ResourceNotFoundException).',
    remedy: 'Check the ARN, the account and the Region.',
    status: 404,
    disposition: 'give-up',
  },
  IVS_CONFLICT: {
    meaning:
      'The resource is in use or in a state that forbids the change (ConflictException), such as a live channel.',
    remedy: 'Try again when the stream has ended.',
    status: 409,
    disposition: 'give-up',
  },
  IVS_QUOTA_EXCEEDED: {
    meaning: 'The account has as many resources of this kind as it may (ServiceQuotaExceededException, 402).',
    remedy: 'Delete what is not needed, or ask AWS for a higher quota.',
    status: 409,
    disposition: 'give-up',
  },
  IVS_ACCESS_DENIED: {
    meaning: 'AWS did not accept the credentials, or they lack the permission.',
    remedy: 'Check the role and its policy; `ivs-autopilot iam` prints the policy that is needed.',
    status: 502,
    disposition: 'give-up',
  },
  IVS_PENDING_VERIFICATION: {
    meaning: 'AWS must verify the account before it may use this operation (PendingVerification).',
    remedy: 'Open a case with AWS Support; trying again does not help.',
    status: 502,
    disposition: 'give-up',
  },
  IVS_REQUEST_INVALID: {
    meaning:
      'Amazon IVS refused the content of a call (ValidationException or another 4xx), or no request could be made of it.',
    remedy:
      'Read the text in the message and correct the value named there; it may be an AWS_ENDPOINT_URL… or the Region.',
    status: 422,
    disposition: 'give-up',
  },
  IVS_UNAVAILABLE: {
    meaning: 'Amazon IVS failed by itself (5xx, StreamUnavailable). The call may have had its effect.',
    remedy: 'It is tried again where the job allows it; if it lasts, look at the AWS Health Dashboard.',
    status: 503,
    disposition: 'retry',
  },
  IVS_NO_ANSWER: {
    meaning: 'A call was sent and no answer came: a timeout or a broken connection. It may have had its effect.',
    remedy: 'It is tried again where the job allows it; check the network and limits.request_timeout.',
    status: 504,
    disposition: 'retry',
  },
  IVS_ANSWER_INVALID: {
    meaning:
      'Amazon IVS, or something in front of it, answered with success but not with what the operation promises: an empty body, a page of HTML, a missing list, a wrong type, another channel than was asked for, or a list that does not end. Nothing is concluded from such an answer; the call may have had its effect.',
    remedy:
      'The message names the place. It is tried again where the job allows it; if it lasts, look at AWS_ENDPOINT_URL_IVS, at proxies in between, and at whose credentials are used.',
    status: 502,
    disposition: 'retry',
  },
  AWS_ANSWER_INVALID: {
    meaning:
      'SQS, EventBridge, Secrets Manager, Parameter Store or STS, or something in front of it, answered with success but not with what the operation promises. Nothing is concluded from such an answer; the call may have had its effect.',
    remedy:
      'The message names the operation and the place. It is tried again where that is safe; if it lasts, look at the AWS_ENDPOINT_URL_… variables and at proxies in between.',
    status: 502,
    disposition: 'retry',
  },
  IVS_CREDENTIALS: {
    meaning: 'No AWS credentials could be found, or the role could not be assumed. Nothing was sent.',
    remedy:
      'Provide credentials as the AWS SDK expects them (environment, profile or role); check assume_role_arn and its trust policy.',
    status: 502,
    disposition: 'retry',
  },
  // Metadata
  PAYLOAD_TOO_LARGE: {
    meaning: 'A payload does not fit into one PutMetadata call. Nothing of the batch was accepted.',
    remedy: 'Shorten the payload that the answer names by index and size, or send a reference to it.',
    status: 422,
    disposition: 'give-up',
  },
  BATCH_TOO_LARGE: {
    meaning: 'A batch has more items times channels than are accepted in one step. Nothing of it was accepted.',
    remedy: 'Split the batch by items or by channels.',
    status: 422,
    disposition: 'give-up',
  },
  IDEMPOTENCY_CONFLICT: {
    meaning: 'The Idempotency-Key was used before with another request.',
    remedy: 'Use a new key for a new request, and the same key only to repeat the same request.',
    status: 409,
    disposition: 'give-up',
  },
  OUTBOX_FULL: {
    meaning: 'As many metadata items wait as may wait. Nothing of the batch was accepted.',
    remedy: 'Send again after Retry-After; use a key for values that replace each other, and a short expiry.',
    status: 429,
    disposition: 'retry',
  },
  FLEET_UNKNOWN: {
    meaning:
      'Metadata for all that are live, or have a tag, was not accepted: the daemon has not seen all live streams, or not all channels, yet.',
    remedy:
      'Send again after Retry-After; if it stays, look at the check `poll` of /readyz, and whether ListStreams and ListChannels are allowed. Channels that are named need not wait.',
    status: 503,
    disposition: 'retry',
  },
  // HTTP API
  REPORT_NOT_WRITTEN: {
    meaning: 'The file of a report cannot be written, or is one that no delivery made.',
    remedy:
      'Read the reason in the message: give the daemon’s user the right to write there, or use a path that is free.',
    status: 502,
    disposition: 'retry',
  },
  REQUEST_INVALID: {
    meaning: 'The request does not have the shape the API asks for; the answer names the field.',
    remedy: 'Correct the field named in the answer; /docs shows the shape.',
    status: 400,
    disposition: 'give-up',
  },
  UNAUTHORIZED: {
    meaning: 'The request carries no valid bearer token, and no name from a proxy that signs people in.',
    remedy:
      'Send `Authorization: Bearer <token>` with the value of AUTOPILOT_API_TOKEN. Behind an authenticating proxy: name its address in http.trusted_proxies and its header in http.auth_proxy.',
    status: 401,
    disposition: 'give-up',
  },
  FORBIDDEN: {
    meaning: 'Who asks is known, but their role may not do this.',
    remedy: 'Use a token with the role that the answer names, or have the proxy give it to the person.',
    status: 403,
    disposition: 'give-up',
  },
  FOREIGN_REQUEST: {
    meaning:
      'A page of another web site asks for something, in the name of whom a proxy has signed in; or, without a configured token, a request names another host than loopback.',
    remedy:
      'Act on the page itself; behind a proxy set http.external_url to its address. Without a token, call the daemon by http://127.0.0.1:<port>, or set AUTOPILOT_API_TOKEN.',
    status: 403,
    disposition: 'give-up',
  },
  BODY_TOO_LARGE: {
    meaning: 'The body of the request is larger than the daemon takes.',
    remedy: 'Split the request, or raise http.max_body_bytes.',
    status: 413,
    disposition: 'give-up',
  },
  MEDIA_TYPE_UNSUPPORTED: {
    meaning: 'The body of the request is not JSON.',
    remedy: 'Send `Content-Type: application/json`.',
    status: 415,
    disposition: 'give-up',
  },
  PAGE_NOT_BUILT: {
    meaning: 'The operator’s page was not bundled in this checkout: the daemon was started past `npm start`.',
    remedy:
      'Run `npm run build`, or start the daemon with `npm start`, which bundles the page when its sources have changed.',
    status: 503,
    disposition: 'give-up',
  },
  RATE_LIMITED: {
    meaning: 'The token sent more requests in a minute than it may.',
    remedy: 'Wait as long as Retry-After says; send to many channels in one batch, or raise http.requests_per_minute.',
    status: 429,
    disposition: 'retry',
  },
  TOO_MANY_SILENCES: {
    meaning: 'There are as many silences as there may be, or their regular expressions would cost too much together.',
    remedy:
      'End silences that are not needed, write plain values instead of regular expressions, or raise controls.max_silences or controls.max_regex_steps.',
    status: 409,
    disposition: 'give-up',
  },
  TOO_MANY_BULK_ACTIONS: {
    meaning: 'As many bulk actions are under way in this account as may be. Nothing was done.',
    remedy: 'Wait for some to end, or stop them, or raise controls.max_bulk_actions in the configuration.',
    status: 409,
    disposition: 'give-up',
  },
  TOO_MANY_HOLDS: {
    meaning: 'As many channels are on hold by command as may be.',
    remedy:
      'Release holds that are not needed, use the tag ops-hold for what lasts, or raise controls.max_holds in the configuration.',
    status: 409,
    disposition: 'give-up',
  },
  TOO_MANY_LOGINS: {
    meaning: 'Too many wrong tokens came from this address; its further ones are slowed down. Valid tokens are not.',
    remedy:
      'Correct the token. Behind a proxy all clients have its address unless http.trusted_proxies names it in the configuration.',
    status: 429,
    disposition: 'retry',
  },
  TOO_MANY_CONNECTIONS: {
    meaning:
      'As many connections are open at this replica as may be; only /healthz, /readyz and /metrics are answered.',
    remedy: 'Close connections that nobody uses, or raise http.max_connections in the configuration.',
    status: 503,
    disposition: 'retry',
  },
  HEADERS_TOO_LARGE: {
    meaning: 'The header fields of the request are larger than 16 KB together.',
    remedy: 'Send fewer or shorter header fields; this bound is fixed.',
    status: 431,
    disposition: 'give-up',
  },
  REQUEST_TOO_SLOW: {
    meaning: 'The request was not sent to its end in time: 10 seconds for its head, 12 for all of it.',
    remedy: 'Send it again, in smaller parts where the link is slow; these bounds are fixed.',
    status: 408,
    disposition: 'retry',
  },
  TOO_MANY_EXPORTS: {
    meaning: 'As many exports of the audit are being written by this replica as may be.',
    remedy: 'Ask again when one has ended, or ask for what is newer with `since`; this bound is fixed.',
    status: 429,
    disposition: 'retry',
  },
  TOO_MANY_STREAMS: {
    meaning: 'The token or person has as many event streams open at this replica as it may.',
    remedy:
      'Close streams that nobody reads, give every program a token of its own, or ask for the state now and then.',
    status: 429,
    disposition: 'retry',
  },
  TIMED_OUT: {
    meaning: 'The answer took too long, or the daemon is about to stop.',
    remedy: 'Send the request again after Retry-After; with the same Idempotency-Key nothing happens twice.',
    status: 503,
    disposition: 'retry',
  },
  HTTP_CANNOT_LISTEN: {
    meaning: 'The API cannot listen on its address.',
    remedy: 'Stop what uses the port, or set AUTOPILOT_HTTP_PORT (0 lets the system choose).',
    status: 500,
    disposition: 'give-up',
  },
  HTTP_PREFIX_INVALID: {
    meaning: 'A trusted proxy names a path in X-Forwarded-Prefix that cannot be used.',
    remedy:
      'Set the header in the proxy, as in docs/network.md: a path of letters, digits and . _ ~ -, such as /ops/autopilot, and no list. Let no client send it.',
    status: 400,
    disposition: 'give-up',
  },
  ACCOUNT_NOT_CARRIED: {
    meaning:
      'For longer than a restart takes, no process has done a part of the work for an account: nobody notices what happens there (intake), or nobody acts (worker). Its streams are not watched.',
    remedy:
      'Start the processes whose `run --accounts` or AUTOPILOT_ACCOUNTS selects it, or add it to those that run. `GET /v1/accounts` lists who carries what.',
    status: 503,
    disposition: 'retry',
  },
  ACCOUNT_ELSEWHERE: {
    meaning:
      'The account is in the configuration, but another process carries it (`run --accounts`), and only that one can do what was asked; the message names who carries it.',
    remedy: 'Ask the process that the message names. `GET /v1/accounts` lists who carries what.',
    status: 409,
    disposition: 'give-up',
  },
  NOT_FOUND: {
    meaning: 'There is nothing at this address.',
    remedy: 'Check the path and the id; /docs lists what there is.',
    status: 404,
    disposition: 'give-up',
  },
  APPROVAL_OVER: {
    meaning:
      'The action does not wait for a yes any more: it was answered, its time ran out, or what it was asked for is over.',
    remedy:
      'Nothing was done by this answer. `ivs-autopilot approval list` shows how it ended; if it is still wanted, ask for the action by hand.',
    status: 409,
    disposition: 'give-up',
  },
  APPROVAL_NOT_ALLOWED: {
    meaning:
      'Whoever answered may not: `approval` of the rule asks for another role, or for somebody else than who caused it.',
    remedy: 'Let somebody answer whom the rule allows; the message says who.',
    status: 403,
    disposition: 'give-up',
  },
  APPROVAL_HELD_BACK: {
    meaning:
      'A yes that cannot count now: automation is paused, the channel is on hold, or another guard holds the action back.',
    remedy: 'End what the message names, and say yes again before the time runs out.',
    status: 409,
    disposition: 'give-up',
  },
  SLACK_SIGNATURE_INVALID: {
    meaning:
      'A request to /v1/slack/interactions is not signed by a Slack app of the configuration, or was signed more than five minutes ago.',
    remedy:
      'Compare the file in `signing_secret_file` of `slack_configs` with the Signing Secret of the Slack app. Let the proxy pass the body and the headers X-Slack-… on as they are, and set the clock.',
    status: 401,
    disposition: 'give-up',
  },
  SLACK_REPLAYED: {
    meaning: 'The same signed request of Slack has been taken before; nothing was done by this one.',
    remedy: 'Press the button again. A proxy that repeats requests by itself must not do so here.',
    status: 409,
    disposition: 'give-up',
  },
  // Setting up and checking an account
  SETUP_DENIED: {
    meaning:
      'AWS refused a call of bootstrap or doctor: credentials or a permission are missing; the message names it.',
    remedy:
      'Attach the policy that `ivs-autopilot iam --setup` prints to whoever runs bootstrap, or use other credentials.',
    status: 403,
    disposition: 'give-up',
  },
  SETUP_FOREIGN: {
    meaning: 'A queue or rule of this name exists and does not carry the tag of bootstrap, so it is not touched.',
    remedy: 'Choose another --name, or take the resource over with --adopt.',
    status: 409,
    disposition: 'give-up',
  },
  SETUP_FAILED: {
    meaning: 'A call of bootstrap or doctor failed for another reason than a missing permission.',
    remedy: 'Read the cause in the message and run the command again: it goes on where it stopped.',
    status: 502,
    disposition: 'retry',
  },
  INTERNAL: {
    meaning: 'Something failed that should not.',
    remedy: 'Look for the same code and time in the log, and report it.',
    status: 500,
    disposition: 'retry',
  },
} as const satisfies Record<string, CatalogEntry>;

/** A stable error code; see docs/errors.md. */
export type ErrorCode = keyof typeof errorCatalog;
