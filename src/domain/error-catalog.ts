// Every error the project can raise: stable code, meaning, remedy, HTTP status, what happens next. Codes are never reused.
// docs/errors.md is generated from this file (`npm run docs`).

interface CatalogEntry {
  /** What happened, in one sentence. */
  readonly meaning: string;
  /** What the reader should do. */
  readonly remedy: string;
  /** HTTP status if an API answers with it. */
  readonly status: number;
  /** What a worker does next. */
  readonly disposition: 'retry' | 'already-done' | 'give-up' | 'interrupted';
}

export const errorCatalog = {
  // Configuration and start
  CONFIG_INVALID: {
    meaning:
      'The configuration file, the rules file or an environment variable is not valid. Every problem is listed as `file:line:column path: message`.',
    remedy:
      'Correct the listed places. `ivs-autopilot validate` checks a file without starting anything; a running daemon keeps its last valid configuration.',
    status: 422,
    disposition: 'give-up',
  },
  CONFIG_SUSPECT: {
    meaning:
      'The configuration is valid and in force, but part of it is probably a mistake. Examples: a rule for an event that IVS never sends, a payload that may not fit, a rule that can never fire.',
    remedy: 'Check the place in the message; `ivs-autopilot validate` lists all such findings.',
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
      '`run --accounts` or AUTOPILOT_ACCOUNTS selects nothing, names an account that the configuration does not have, or selects only some of the accounts that share an event queue. The daemon does not start: it never carries a part that nobody meant.',
    remedy:
      "Write names of entries under `accounts`, separated by commas; `*` stands for any characters, such as `main,eu-*`. `ivs-autopilot validate --accounts '…'` shows what is selected.",
    status: 422,
    disposition: 'give-up',
  },
  START_FAILED: {
    meaning: 'A part of the daemon could not start, so the parts that had started were stopped again.',
    remedy: 'Read the cause in the same log line.',
    status: 500,
    disposition: 'give-up',
  },
  UNCAUGHT: {
    meaning: 'The program threw an error that nothing handles, and exited at once with exit code 1.',
    remedy:
      'Let the supervisor restart it: nothing accepted is lost. Report the line; if it happens repeatedly, run the previous version.',
    status: 500,
    disposition: 'give-up',
  },
  STOP_TIMED_OUT: {
    meaning: 'A part of the daemon did not stop within its time limit; the others were stopped.',
    remedy: 'Raise `shutdown_window` if jobs need more time; otherwise find out what the named part was waiting for.',
    status: 500,
    disposition: 'give-up',
  },
  // The shared state
  STATE_LOST: {
    meaning:
      'The shared state in Redis was emptied, went back to an older one, or lost keys. A running replica restores the pause, holds and silences that it knew.',
    remedy:
      'Read the alert `state_lost`, compare holds and silences with those that should be in force, then run `ivs-autopilot resume`. docs/operations.md, "State lost", lists what else is gone.',
    status: 200,
    disposition: 'give-up',
  },
  CONTROLS_CHANGED: {
    meaning:
      'Automation was paused, or the channel was put on hold, while an action waited for its permit or for a later step. Nothing was sent.',
    remedy:
      'No action needed: the action checks again. A new action is skipped; one that had begun continues when the pause or the hold ends.',
    status: 409,
    disposition: 'retry',
  },
  PAUSE_NOT_WRITTEN: {
    meaning:
      'A replica that was paused while Redis was not writable ended before it could write the pause. The other replicas never learned of it.',
    remedy:
      'Pause again on a running replica, or start with `ivs-autopilot run --paused` or AUTOPILOT_START_PAUSED=1. Then find out why Redis was not writable.',
    status: 200,
    disposition: 'give-up',
  },
  STATE_NOTE_UNWRITABLE: {
    meaning:
      'The daemon cannot write the file from which it knows after a restart that there was a state. Everything else works.',
    remedy:
      'Point AUTOPILOT_DATA_DIR (default `data`) to a folder that the daemon may write to. Without it, the daemon sees only in Redis whether a state was lost while no replica ran.',
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
      'A newer version of ivs-autopilot wrote the state in Redis, in a format that this version does not know. The state is left untouched.',
    remedy: 'Run the newer version, or give this one its own Redis or AUTOPILOT_NAMESPACE.',
    status: 503,
    disposition: 'retry',
  },
  REPLICAS_DIFFER: {
    meaning:
      'Replicas on one Redis have different configurations, versions or clocks. Each cause is decided once, by whichever replica takes it.',
    remedy:
      'Wait for the end of a rolling update. Otherwise find the replica that differs with `GET /v1/replicas`, give all replicas the same configuration and version, and set its clock.',
    status: 200,
    disposition: 'give-up',
  },
  // Redis
  REDIS_NOT_CONFIGURED: {
    meaning: 'No Redis is configured, and none can be started here.',
    remedy: 'Set REDIS_URL, for example redis://redis:6379.',
    status: 500,
    disposition: 'give-up',
  },
  STORED_RECORD_ODD: {
    meaning:
      'An entry of the shared state in Redis is damaged, was changed by hand, or is from another version. A pause, hold or silence that cannot be read is in force. Any other entry is ignored and stays in Redis until it is overwritten.',
    remedy:
      'Read the key and the place in the log line. Streams and channels are read again from IVS within a minute. Find out what the control was for, then resume, release or expire it, and set it again if it was intended.',
    status: 500,
    disposition: 'give-up',
  },
  REDIS_UNREACHABLE: {
    meaning: 'Redis does not answer. Nothing that was accepted is lost, and work continues when Redis is back.',
    remedy: 'Check that the server at REDIS_URL is running and reachable.',
    status: 503,
    disposition: 'retry',
  },
  REDIS_REFUSES: {
    meaning:
      'Redis answers with a refusal: read-only (READONLY), out of memory (OOM), disk full (MISCONF), missing permission (NOPERM) or another one; the message repeats it. Nothing that was accepted is lost, and work continues when Redis accepts again.',
    remedy:
      'Remove the cause. READONLY: use the address of the primary. OOM: give Redis more memory. MISCONF: check its disk. NOPERM: check the user’s permissions. CLUSTERDOWN: restore a node for the missing slots.',
    status: 503,
    disposition: 'retry',
  },
  REDIS_NOT_REPLICATED: {
    meaning:
      'The write is in Redis, but fewer replicas than redis.wait_replicas confirmed it in time. It is in force, but a failover may lose it.',
    remedy:
      'Repeat the request: it takes effect once. If this continues, check the replicas of Redis and their connections.',
    status: 503,
    disposition: 'retry',
  },
  REDIS_ANSWER_INVALID: {
    meaning:
      'One of our Redis scripts returned an unexpected answer. Another version wrote it, or something between the daemon and Redis changed it. The script may have taken effect; the daemon draws no conclusion from the answer.',
    remedy:
      'Wait for the retry. If this continues, check what is between the daemon and Redis, and the version of Redis.',
    status: 502,
    disposition: 'retry',
  },
  REDIS_URL_INVALID: {
    meaning: 'REDIS_URL is not an address that this version can use. The daemon does not start.',
    remedy:
      'Write redis://[user:password@]host[:port][/database], with several hosts, separated by commas, for nodes of a cluster. Write redis+sentinel://host:26379,host:26379/name for sentinels, and rediss:// or rediss+sentinel:// for TLS. In a user or password write @ as %40, : as %3A, / as %2F, # as %23, % as %25.',
    status: 500,
    disposition: 'give-up',
  },
  REDIS_UNUSABLE: {
    meaning:
      'The server at REDIS_URL cannot be used. The user or password is wrong, the database does not exist or is not allowed (a cluster has database 0 only), or the sentinels do not know the primary. The daemon does not start and uses no other database instead.',
    remedy: 'Correct REDIS_URL, or the permissions of its user; the message repeats the answer of Redis.',
    status: 500,
    disposition: 'give-up',
  },
  REDIS_UNSAFE: {
    meaning: 'The Redis server may lose data: its eviction policy is not noeviction, or it has no persistence.',
    remedy: 'Set maxmemory-policy noeviction and appendonly yes.',
    status: 500,
    disposition: 'give-up',
  },
  STATE_CONTENDED: {
    meaning: 'A decision could not be committed because other replicas changed the shared state many times in a row.',
    remedy: 'Wait for the retry. If this continues, run fewer replicas or look for a very slow connection to Redis.',
    status: 503,
    disposition: 'retry',
  },
  // Intake
  SQS_UNREACHABLE: {
    meaning: 'The event queue could not be read. The consumer waits and tries again.',
    remedy:
      'Check `events.queue_url` (or the `queue_url` of the account), the network and the sqs:ReceiveMessage permission.',
    status: 503,
    disposition: 'retry',
  },
  EVENT_UNREADABLE: {
    meaning:
      'A message in the event queue contains no complete EventBridge event. It is not deleted: the queue moves it to its dead-letter queue.',
    remedy:
      'Follow `advice` in the log line, which also says what the message looks like. The EventBridge target must send the matched event without an input transformer, because a part of an event cannot be used. Events inside SNS notifications, lists from pipes and texts that were encoded twice are readable.',
    status: 400,
    disposition: 'give-up',
  },
  SETUP_QUEUE_UNKNOWN: {
    meaning:
      'The URL of the event queue does not name an AWS queue that the daemon can use, so no policy for it can be printed.',
    remedy:
      'Correct `queue_url` or AUTOPILOT_QUEUE_URL, or name the queue with `--queue-arn`. A FIFO queue cannot be used: create a standard one.',
    status: 400,
    disposition: 'give-up',
  },
  QUEUE_WITHOUT_REDRIVE: {
    meaning:
      'The event queue has no redrive policy, so an unreadable message comes back until the queue’s retention ends.',
    remedy: 'Run `ivs-autopilot bootstrap`, or give the queue a dead-letter queue.',
    status: 503,
    disposition: 'give-up',
  },
  POLL_FAILED: {
    meaning: 'A sweep of ListStreams failed. It counts as incomplete, and the next one follows as planned.',
    remedy: 'Read the cause in the same log line.',
    status: 503,
    disposition: 'retry',
  },
  // Jobs
  JOB_PAYLOAD_INVALID: {
    meaning: 'A job in the queue does not have the shape that its name requires.',
    remedy: 'Remove the job if another version put it there, and let the queue drain before the next upgrade.',
    status: 500,
    disposition: 'give-up',
  },
  JOB_TIMED_OUT: {
    meaning: 'One run of a job took longer than its time limit. It was aborted and is retried.',
    remedy:
      'Open the job on the page (its alert and the audit lead to it), look at its last step, and check why that was slow.',
    status: 504,
    disposition: 'retry',
  },
  INTERRUPTED: {
    meaning:
      'The daemon is stopping, so it interrupted the work. The work returns to the queue without using up an attempt.',
    remedy: 'No action needed: it runs again after the start.',
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
    meaning: 'A webhook refused the message (4xx, or a redirect, which is never followed).',
    remedy:
      'Check the address and the token in it; then send it again (`POST /v1/jobs/<id>/resend`, with the id of the job in the alert).',
    status: 502,
    disposition: 'give-up',
  },
  WEBHOOK_REFUSED: {
    meaning:
      'A message was not sent because its address is not allowed: it is not http or https, it leads to this machine, a private network or a metadata service, or it is plain HTTP for a secret.',
    remedy:
      'Use a public https address. If you intend another one, set the setting that the message names (http.allow_private_webhooks or http.allow_link_local_webhooks), if it names one.',
    status: 422,
    disposition: 'give-up',
  },
  MAIL_FAILED: {
    meaning: 'A mail server did not accept a message, or could not be reached.',
    remedy: 'Check `smarthost` and the network; the message is retried with backoff.',
    status: 502,
    disposition: 'retry',
  },
  MAIL_REJECTED: {
    meaning:
      'A mail server refused a message and a retry cannot help (5xx): an address, the sender or the password is wrong.',
    remedy: 'Correct the `email_configs` of the receiver and try it with `ivs-autopilot notify test <receiver>`.',
    status: 502,
    disposition: 'give-up',
  },
  SNS_FAILED: {
    meaning: 'Amazon SNS did not accept a message.',
    remedy: 'Check the network and the service; the message is retried with backoff.',
    status: 502,
    disposition: 'retry',
  },
  SNS_REJECTED: {
    meaning:
      'Amazon SNS refused a message and a retry cannot help: the topic does not exist, or publishing is not allowed.',
    remedy: 'Check the ARN in the `sns_configs` of the receiver and the permission sns:Publish.',
    status: 502,
    disposition: 'give-up',
  },
  PACKAGE_MISSING: {
    meaning:
      'The configuration uses a feature whose package is not installed, because most installations do not need it.',
    remedy:
      'Install the package that the message names next to ivs-autopilot, in the version that the package.json of ivs-autopilot requires.',
    status: 500,
    disposition: 'give-up',
  },
  TELEMETRY_INVALID: {
    meaning:
      'A variable of OpenTelemetry (OTEL_…) cannot be used. The daemon continues with the default if the message says so, otherwise without the traces or metrics of that variable.',
    remedy: 'Correct the variable that the message names, and restart; docs/tracing.md lists the supported values.',
    status: 422,
    disposition: 'give-up',
  },
  TELEMETRY_FAILED: {
    meaning:
      'The OpenTelemetry collector is away, too slow, or refuses what it is sent. Traces and metrics that it did not take are dropped; nothing else waits for it.',
    remedy:
      'Check OTEL_EXPORTER_OTLP_ENDPOINT (the port of OTLP over HTTP is 4318, not 4317), the headers it asks for, and the proxy. It is tried again with every export, and the log says when one arrives.',
    status: 502,
    disposition: 'give-up',
  },
  EGRESS_INVALID: {
    meaning:
      'HTTPS_PROXY or HTTP_PROXY names no usable proxy, or the file in AWS_CA_BUNDLE contains no readable certificates.',
    remedy:
      'Correct the variable as the message says. `ivs-autopilot doctor --offline` shows which proxy each host uses.',
    status: 422,
    disposition: 'give-up',
  },
  PROXY_REFUSED: {
    meaning:
      'The proxy refuses the connection to a host: it requires other credentials (407), or its rules forbid the host (403). Nothing of the request was sent.',
    remedy:
      'Correct the user and password in HTTPS_PROXY, allow the host in the proxy, or add the host to NO_PROXY to reach it directly.',
    status: 502,
    disposition: 'retry',
  },
  PROXY_FAILED: {
    meaning:
      'The proxy does not answer, or cannot reach a host (502, 503, 504). Nothing of the request was sent, and it is retried.',
    remedy:
      'Check the proxy that the message names; `ivs-autopilot doctor` shows which hosts use it. Add a host to NO_PROXY to reach it directly.',
    status: 502,
    disposition: 'retry',
  },
  // Actions
  ACTION_NEEDS_CHANNEL: {
    meaning: 'The action needs a channel, but the event, rule or request that caused it names none.',
    remedy: 'Send channelArn, or use the action in a rule whose trigger has a channel.',
    status: 422,
    disposition: 'give-up',
  },
  CHANNEL_UNKNOWN: {
    meaning: 'Neither the inventory nor IVS itself knows the channel of the action.',
    remedy: 'Check the ARN; GET /v1/channels and `ivs-autopilot status` list the channels.',
    status: 422,
    disposition: 'give-up',
  },
  CHANNEL_BUSY: {
    meaning: 'Another job works on the same channel; key and recording jobs run one after the other.',
    remedy: 'No action needed: the job runs when the other one has ended.',
    status: 409,
    disposition: 'retry',
  },
  LEASE_LOST: {
    meaning:
      'The process of a job was suspended for so long that another run took over its channel, so the job stopped.',
    remedy: 'No action needed: the job checks what is left to do.',
    status: 409,
    disposition: 'retry',
  },
  CHANNEL_LIVE: {
    meaning: 'The channel is live, and the action is set to fail in that case (if_live: fail).',
    remedy: 'Try again after the stream, or use if_live: defer.',
    status: 409,
    disposition: 'give-up',
  },
  KEY_UNSETTLED: {
    meaning: 'The keys of a channel kept changing while its key was rotated.',
    remedy: 'Find out in CloudTrail who else creates or deletes stream keys of this channel. The rotation is retried.',
    status: 409,
    disposition: 'retry',
  },
  RECORDING_CONFIGURATION_UNKNOWN: {
    meaning: 'No recording configuration has the given name, ARN or bucket.',
    remedy: 'Use one of the names in the message.',
    status: 404,
    disposition: 'give-up',
  },
  RECORDING_CONFIGURATION_AMBIGUOUS: {
    meaning: 'Several recording configurations have the given name or bucket.',
    remedy: 'Use the ARN.',
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
    remedy: 'No action needed: the job waits for it.',
    status: 409,
    disposition: 'retry',
  },
  RECORDING_CONFIGURATION_DIFFERS: {
    meaning:
      'A recording configuration of this name exists but writes to another bucket. Amazon IVS cannot change a recording configuration.',
    remedy: 'Choose another name, or retire the existing configuration.',
    status: 409,
    disposition: 'give-up',
  },
  CHANNEL_NAME_TAKEN: {
    meaning: 'A channel of this name exists, with settings that differ from the requested ones.',
    remedy: 'Choose another name, or request the settings of the existing channel.',
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
    meaning: 'After the change the channel shows a different recording configuration than the one that was set.',
    remedy: 'Find out who else updates this channel. The change is retried.',
    status: 409,
    disposition: 'retry',
  },
  AD_BREAK_PLANNED: {
    meaning: 'An ad break waits for its turn, because the whole account may insert one a second.',
    remedy:
      'No action needed: the job continues at the time in its step `planned`. `ivs-autopilot ad-break list` shows the line.',
    status: 409,
    disposition: 'retry',
  },
  AD_BREAK_IMPOSSIBLE: {
    meaning: 'The channel cannot have ad breaks: it has no ad configuration, or it sends fragmented MP4.',
    remedy:
      'Attach an ad configuration to the channel. The channel must use the container format TS and must not be live.',
    status: 409,
    disposition: 'give-up',
  },
  AD_BREAK_UNCERTAIN: {
    meaning:
      'InsertAdBreak was sent but got no answer. It is not sent again, because that could insert a second ad break.',
    remedy: 'No action needed: the job waits for the event of the ad break.',
    status: 502,
    disposition: 'retry',
  },
  AD_BREAK_UNKNOWN: {
    meaning: 'InsertAdBreak was sent, but neither its answer nor the event of an ad break came.',
    remedy:
      'Check in a player of the channel, or in the metrics of MediaTailor, whether ads are played. If not, insert the ad break again.',
    status: 502,
    disposition: 'give-up',
  },
  AD_CONFIGURATION_UNKNOWN: {
    meaning: 'No ad configuration has the given name or ARN.',
    remedy: 'Use one of the names in the message.',
    status: 404,
    disposition: 'give-up',
  },
  AD_CONFIGURATION_AMBIGUOUS: {
    meaning: 'Several ad configurations have the given name.',
    remedy: 'Use the ARN.',
    status: 409,
    disposition: 'give-up',
  },
  AD_CONFIGURATION_IMPOSSIBLE: {
    meaning: 'The channel packages its stream as fragmented MP4, but Amazon IVS inserts ads into MPEG-TS only.',
    remedy: 'Set the channel’s containerFormat to TS, which also ends multitrack input, or choose another channel.',
    status: 409,
    disposition: 'give-up',
  },
  PLAYBACK_RESTRICTION_UNKNOWN: {
    meaning: 'No playback restriction policy has the given name or ARN.',
    remedy: 'Use one of the names in the message.',
    status: 404,
    disposition: 'give-up',
  },
  PLAYBACK_RESTRICTION_AMBIGUOUS: {
    meaning: 'Several playback restriction policies have the given name.',
    remedy: 'Use the ARN.',
    status: 409,
    disposition: 'give-up',
  },
  PLAYBACK_RESTRICTION_SHARED: {
    meaning: 'The policy is attached to channels that neither the rule’s `match` nor the request names.',
    remedy: 'Give those channels a policy of their own, widen `match`, or request the edit without a channel.',
    status: 409,
    disposition: 'give-up',
  },
  VIEWERS_NOT_REVOKED: {
    meaning: 'Amazon IVS refused to revoke the sessions of some viewers. Those of the others are revoked.',
    remedy:
      'Read the last step of the job: it lists each of these viewers with the code and the message of Amazon IVS.',
    status: 409,
    disposition: 'give-up',
  },
  CHANNEL_SETTING_UNSETTLED: {
    meaning: 'After the change a channel or a policy shows a different value than the one that was set.',
    remedy: 'Find out who else changes it. The change is retried.',
    status: 409,
    disposition: 'retry',
  },
  STREAM_STILL_LIVE: {
    meaning: 'A stream was stopped but has not ended yet.',
    remedy: 'No action needed: the job waits for its end.',
    status: 409,
    disposition: 'retry',
  },
  PLAYBACK_KEY_QUOTA: {
    meaning: 'The account has the maximum number of playback key pairs (3), and this job may not delete any of them.',
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
    meaning: 'EventBridge did not accept an event.',
    remedy: 'Check the network and the events:PutEvents permission. The event is retried.',
    status: 502,
    disposition: 'retry',
  },
  EVENT_BUS_REFUSED: {
    meaning:
      'EventBridge refuses an event and a retry cannot help: its source, size or bus is wrong, or the permission is missing.',
    remedy: 'Correct what the message names.',
    status: 422,
    disposition: 'give-up',
  },
  SECRET_SINK_FAILED: {
    meaning: 'A new key could not be delivered to its destination.',
    remedy: 'Check the destination. The delivery is retried, and the alert "undelivered" stays until it succeeds.',
    status: 502,
    disposition: 'retry',
  },
  SECRET_SINK_REFUSED: {
    meaning: 'The destination of a new key refuses it and a retry cannot help, or its name is not valid.',
    remedy:
      'Correct the setting or the permission that the message names. A rotation that had begun then finishes by itself.',
    status: 422,
    disposition: 'give-up',
  },
  SECRET_FILE_UNREADABLE: {
    meaning:
      'A file with an address, a token or a signing key cannot be read, is empty, is not a regular file, or has more than 64 KiB.',
    remedy: 'Mount the file that the message names, so that the daemon can read it.',
    status: 500,
    disposition: 'retry',
  },
  FILE_NOT_ALLOWED: {
    meaning:
      'A request names a file outside the folders that are open to requests, a secret that it may not deliver to, or a key to sign with for another address than the configuration’s; or a link leads out of the intended folder.',
    remedy:
      'Name a file below a folder in `secrets.delivery_folders` (to deliver a key) or `secrets.read_folders` (to read), or add its folder there. For a secret or parameter, the setting is `secrets.delivery_names`. A rule may name any path and any name.',
    status: 403,
    disposition: 'give-up',
  },
  JOB_NOT_RESENDABLE: {
    meaning: 'Only finished jobs of webhook, notify and emit_event can be sent again.',
    remedy: 'Wait until the job has ended, or request the action again with POST /v1/actions.',
    status: 409,
    disposition: 'give-up',
  },
  // Calls to Amazon IVS
  LIMITER_UNAVAILABLE: {
    meaning:
      'Redis, which stores the ledger of permits, does not answer or refuses, so the call gets no permit. Nothing was sent.',
    remedy:
      'Check Redis; the message repeats its answer. Calls continue by themselves within seconds after Redis returns.',
    status: 503,
    disposition: 'retry',
  },
  LIMITER_DEADLINE: {
    meaning: 'A call waited for its permit until its deadline. Nothing was sent.',
    remedy:
      'Look at `GET /v1/quota`: the account is at its call rate, or slowed down after throttling. Send less, or allow more time.',
    status: 503,
    disposition: 'retry',
  },
  LIMITER_FULL: {
    meaning: 'Too many calls of this operation wait for a permit in this process. Nothing was sent.',
    remedy: 'Send more slowly; waiting calls go out at the rate that Amazon IVS allows.',
    status: 503,
    disposition: 'retry',
  },
  IVS_THROTTLED: {
    meaning: 'Amazon IVS refused a call because of its rate (429), although the limiter had permitted it.',
    remedy:
      'Wait: the limiter slows down by itself. If this continues, other software uses the same account; leave it a share with limits.share.',
    status: 503,
    disposition: 'retry',
  },
  IVS_NOT_BROADCASTING: {
    meaning: 'The channel exists but has no live stream (ChannelNotBroadcasting).',
    remedy: 'Check the encoder, unless the stream has ended.',
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
    meaning: 'The account has the maximum number of resources of this kind (ServiceQuotaExceededException, 402).',
    remedy: 'Delete resources that are not needed, or ask AWS for a higher quota.',
    status: 409,
    disposition: 'give-up',
  },
  IVS_ACCESS_DENIED: {
    meaning: 'AWS did not accept the credentials, or they lack the permission.',
    remedy: 'Check the role and its policy; `ivs-autopilot iam` prints the required policy.',
    status: 502,
    disposition: 'give-up',
  },
  IVS_PENDING_VERIFICATION: {
    meaning: 'AWS must verify the account before it may use this operation (PendingVerification).',
    remedy: 'Open a case with AWS Support; retrying does not help.',
    status: 502,
    disposition: 'give-up',
  },
  IVS_REQUEST_INVALID: {
    meaning:
      'Amazon IVS refused the content of a call (ValidationException or another 4xx), or the call could not be turned into a request.',
    remedy: 'Correct the value that the message names; it may be an AWS_ENDPOINT_URL… or the Region.',
    status: 422,
    disposition: 'give-up',
  },
  IVS_UNAVAILABLE: {
    meaning: 'Amazon IVS failed on its side (5xx, StreamUnavailable). The call may have taken effect.',
    remedy: 'Wait for the retry, if the job allows one. If this continues, look at the AWS Health Dashboard.',
    status: 503,
    disposition: 'retry',
  },
  IVS_NO_ANSWER: {
    meaning: 'A call was sent but no answer came: a timeout or a broken connection. The call may have taken effect.',
    remedy: 'Check the network and limits.request_timeout. The call is retried where the job allows it.',
    status: 504,
    disposition: 'retry',
  },
  IVS_ANSWER_INVALID: {
    meaning:
      'Amazon IVS, or something in front of it, reported success but did not return what the operation promises. Examples: an empty body, a page of HTML, a missing list, a wrong type, a different channel, an endless list. The daemon draws no conclusion from such an answer; the call may have taken effect.',
    remedy:
      'Read the place in the message. The call is retried where the job allows it. If this continues, check AWS_ENDPOINT_URL_IVS, proxies in between, and whose credentials are used.',
    status: 502,
    disposition: 'retry',
  },
  AWS_ANSWER_INVALID: {
    meaning:
      'SQS, EventBridge, Secrets Manager, Parameter Store or STS, or something in front of it, reported success but did not return what the operation promises. The daemon draws no conclusion from such an answer; the call may have taken effect.',
    remedy:
      'Read the operation and the place in the message. The call is retried where that is safe. If this continues, check the AWS_ENDPOINT_URL_… variables and proxies in between.',
    status: 502,
    disposition: 'retry',
  },
  IVS_CREDENTIALS: {
    meaning: 'No AWS credentials were found, or the role could not be assumed. Nothing was sent.',
    remedy:
      'Provide credentials as the AWS SDK expects them (environment, profile or role). Check assume_role_arn and the role’s trust policy.',
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
    meaning: 'A batch has more items times channels than are accepted in one step. Nothing of the batch was accepted.',
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
    meaning: 'The maximum number of metadata items is already waiting. Nothing of the batch was accepted.',
    remedy: 'Send again after Retry-After; use a key for values that replace each other, and a short expiry.',
    status: 429,
    disposition: 'retry',
  },
  FLEET_UNKNOWN: {
    meaning:
      'Metadata for all live channels, or for channels with a tag, was not accepted: the daemon has not seen all live streams or all channels yet.',
    remedy:
      'Send again after Retry-After, or name the channels. If this continues, look at the check `poll` of /readyz, and check whether ListStreams and ListChannels are allowed.',
    status: 503,
    disposition: 'retry',
  },
  // HTTP API
  REPORT_NOT_WRITTEN: {
    meaning: 'The file of a report cannot be written, or it exists and no delivery wrote it.',
    remedy: 'Read the reason in the message. Let the daemon’s user write there, or use a path that is free.',
    status: 502,
    disposition: 'retry',
  },
  REQUEST_INVALID: {
    meaning: 'The request does not have the shape that the API requires; the answer names the field.',
    remedy: 'Correct the field that the answer names; /docs shows the shape.',
    status: 400,
    disposition: 'give-up',
  },
  UNAUTHORIZED: {
    meaning: 'The request has neither a valid bearer token nor a name from a proxy that signs people in.',
    remedy:
      'Send `Authorization: Bearer <token>` with the value of AUTOPILOT_API_TOKEN. Behind an authenticating proxy, set its address in http.trusted_proxies and its header in http.auth_proxy.',
    status: 401,
    disposition: 'give-up',
  },
  FORBIDDEN: {
    meaning: 'The caller is known, but their role does not allow this.',
    remedy: 'Use a token with the role that the answer names, or let the proxy send that role for the person.',
    status: 403,
    disposition: 'give-up',
  },
  FOREIGN_REQUEST: {
    meaning:
      'A page of another web site sent the request to a daemon without a token, or in the name of a person that a proxy has signed in. Or the daemon has no token, and the request names a host other than loopback.',
    remedy:
      'Use the page itself; behind a proxy, set http.external_url to its address. Without a token, call the daemon at http://127.0.0.1:<port>, or set AUTOPILOT_API_TOKEN.',
    status: 403,
    disposition: 'give-up',
  },
  BODY_TOO_LARGE: {
    meaning: 'The body of the request is larger than the daemon accepts.',
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
    meaning: 'The page was not bundled in this checkout, because the daemon was started without `npm start`.',
    remedy:
      'Run `npm run build`, or start the daemon with `npm start`, which bundles the page after its sources have changed.',
    status: 503,
    disposition: 'give-up',
  },
  RATE_LIMITED: {
    meaning: 'The token sent more requests in a minute than allowed.',
    remedy: 'Wait as long as Retry-After says; send to many channels in one batch, or raise http.requests_per_minute.',
    status: 429,
    disposition: 'retry',
  },
  TOO_MANY_SILENCES: {
    meaning: 'There is the maximum number of silences, or their regular expressions together would cost too much.',
    remedy:
      'End silences that are not needed, write plain values instead of regular expressions, or raise controls.max_silences or controls.max_regex_steps.',
    status: 409,
    disposition: 'give-up',
  },
  TOO_MANY_BULK_ACTIONS: {
    meaning: 'The maximum number of bulk actions is running in this account. Nothing was done.',
    remedy: 'Wait for some to end, or stop them, or raise controls.max_bulk_actions in the configuration.',
    status: 409,
    disposition: 'give-up',
  },
  TOO_MANY_HOLDS: {
    meaning: 'The maximum number of channels is on hold by command.',
    remedy:
      'Release holds that are not needed, use the tag ops-hold for permanent ones, or raise controls.max_holds in the configuration.',
    status: 409,
    disposition: 'give-up',
  },
  TOO_MANY_LOGINS: {
    meaning:
      'Too many wrong tokens came from this address, so further wrong ones are slowed down. Valid tokens are not affected.',
    remedy:
      'Correct the token. Behind a proxy, all clients share its address unless http.trusted_proxies in the configuration names it.',
    status: 429,
    disposition: 'retry',
  },
  TOO_MANY_CONNECTIONS: {
    meaning:
      'This replica has the maximum number of open connections, so it answers only /healthz, /readyz and /metrics.',
    remedy: 'Close connections that nobody uses, or raise http.max_connections in the configuration.',
    status: 503,
    disposition: 'retry',
  },
  HEADERS_TOO_LARGE: {
    meaning: 'The header fields of the request are larger than 16 KB in total.',
    remedy: 'Send fewer or shorter header fields; this limit is fixed.',
    status: 431,
    disposition: 'give-up',
  },
  REQUEST_TOO_SLOW: {
    meaning: 'The request did not arrive in time: 10 seconds for its head, 12 for all of it.',
    remedy: 'Send it again, in smaller parts if the connection is slow; these limits are fixed.',
    status: 408,
    disposition: 'retry',
  },
  TOO_MANY_EXPORTS: {
    meaning: 'This replica is already writing the maximum number of exports of the audit.',
    remedy: 'Ask again when one has ended, or export only newer entries with `since`; this limit is fixed.',
    status: 429,
    disposition: 'retry',
  },
  TOO_MANY_STREAMS: {
    meaning: 'The token or person has the maximum number of event streams open at this replica.',
    remedy: 'Close streams that nobody reads, give every program a token of its own, or poll the state instead.',
    status: 429,
    disposition: 'retry',
  },
  TIMED_OUT: {
    meaning: 'The answer took too long, or the daemon is about to stop.',
    remedy: 'Send the request again after Retry-After; with the same Idempotency-Key it takes effect once.',
    status: 503,
    disposition: 'retry',
  },
  HTTP_CANNOT_LISTEN: {
    meaning: 'The API cannot listen on its address.',
    remedy: 'Stop the program that uses the port, or set AUTOPILOT_HTTP_PORT (0 lets the system choose).',
    status: 500,
    disposition: 'give-up',
  },
  HTTP_PREFIX_INVALID: {
    meaning: 'A trusted proxy sends an X-Forwarded-Prefix with a path that cannot be used.',
    remedy:
      'Set the header in the proxy as in docs/network.md: one path of letters, digits and . _ ~ -, such as /ops/autopilot. Do not let clients send it.',
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
    meaning: 'The address, or the thing that the request names, does not exist or no longer exists.',
    remedy: 'Check the name or the id in the message, and the path; /docs lists all paths.',
    status: 404,
    disposition: 'give-up',
  },
  APPROVAL_OVER: {
    meaning: 'The action no longer waits for an approval: somebody answered, its time ran out, or its cause is over.',
    remedy:
      'See how it ended with `ivs-autopilot approval list`. This answer did nothing; if the action is still needed, request it by hand.',
    status: 409,
    disposition: 'give-up',
  },
  APPROVAL_NOT_ALLOWED: {
    meaning:
      'This person may not answer: `approval` of the rule requires another role, or somebody other than the person who caused the action.',
    remedy: 'Let somebody answer whom the rule allows; the message says who.',
    status: 403,
    disposition: 'give-up',
  },
  APPROVAL_HELD_BACK: {
    meaning:
      'The approval cannot count now: automation is paused, the channel is on hold, or another guard holds the action back.',
    remedy: 'End what the message names, and approve again before the time runs out.',
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
      'AWS refused a call of bootstrap or doctor: credentials or a permission are missing. The message names it.',
    remedy:
      'Attach the policy that `ivs-autopilot iam --setup` prints to the identity that runs bootstrap, or use other credentials.',
    status: 403,
    disposition: 'give-up',
  },
  SETUP_FOREIGN: {
    meaning: 'A queue or rule of this name exists but does not have the tag of bootstrap, so it is not touched.',
    remedy: 'Choose another --name, or take the resource over with --adopt.',
    status: 409,
    disposition: 'give-up',
  },
  SETUP_FAILED: {
    meaning: 'A call of bootstrap or doctor failed for another reason than a missing permission.',
    remedy: 'Read the cause in the message and run the command again: it continues where it stopped.',
    status: 502,
    disposition: 'retry',
  },
  INTERNAL: {
    meaning: 'The daemon failed in an unexpected place.',
    remedy: 'Find the log line with the same code and time, and report it.',
    status: 500,
    disposition: 'retry',
  },
} as const satisfies Record<string, CatalogEntry>;

/** A stable error code; see docs/errors.md. */
export type ErrorCode = keyof typeof errorCatalog;
