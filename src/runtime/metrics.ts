// Every metric once: name, help text, closed labels. https://prometheus.io/docs/practices/naming/
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/**
 * Between two samples of the event loop's delay; an idle loop shows this much. Each one wakes an idle process, which
 * costs 0.04 ms of CPU: at prom-client's 10 ms, 4 ms a second.
 */
const loopSampleMs = 20;

/** The daemon's metrics, in a registry of their own so that two daemons can run in one process. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name: `autopilot_${name}`, help, labelNames: [...labelNames], registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge<L>({ name: `autopilot_${name}`, help, labelNames: [...labelNames], registers });
  const histogram = <L extends string>(name: string, help: string, buckets: number[], labelNames: readonly L[] = []) =>
    new Histogram<L>({ name: `autopilot_${name}`, help, buckets, labelNames: [...labelNames], registers });
  return {
    registry,
    // Intake
    eventsReceived: counter('events_total', 'EventBridge events received from the queue, by type and outcome', [
      'type',
      'outcome',
    ]),
    eventMessages: counter(
      'event_messages_total',
      'Queue messages with events, by form: direct from a rule (direct), in an SNS notification, from a pipe, or encoded twice',
      ['road'],
    ),
    eventDelaySeconds: histogram(
      'event_delay_seconds',
      'Time from an event to its arrival, without repeats',
      [1, 5, 15, 60, 300, 1800, 7200, 21_600, 43_200],
      ['type'],
    ),
    queueDelaySeconds: histogram(
      'queue_delay_seconds',
      'Time that a message waited in the event queue',
      [0.05, 0.2, 1, 5, 30, 300, 1800],
    ),
    queueLagSeconds: gauge(
      'queue_lag_seconds',
      'How long the oldest event of the last read had waited in the queue; 0 if the read returned none, absent while the queue cannot be read',
      ['shard'],
    ),
    queueMessages: gauge('queue_messages', 'Messages in the event queue and its dead-letter queue, by state', [
      'shard',
      'state',
    ]),
    queueRedrives: gauge('queue_redrives', '1 when the event queue has a redrive policy, 0 when it has none', [
      'shard',
    ]),
    queueErrors: counter('queue_errors_total', 'Failed calls to SQS, by operation', ['operation']),
    polls: counter('polls_total', 'Sweeps of ListStreams, by scope and outcome', ['scope', 'outcome']),
    pollSeconds: histogram(
      'poll_seconds',
      'Duration of one sweep of ListStreams',
      [0.05, 0.2, 1, 5, 20, 60],
      ['scope'],
    ),
    lastPollTimestamp: gauge('last_complete_poll_timestamp_seconds', 'End of the last complete sweep of ListStreams', [
      'shard',
      'scope',
    ]),
    streams: gauge('streams', 'Live streams by health; not_live: sessions that were created but have not begun', [
      'shard',
      'health',
    ]),
    channels: gauge('channels', 'Channels in the inventory', ['shard']),
    pollIntervalSeconds: gauge(
      'poll_interval_seconds',
      'Interval between sweeps of ListStreams for a fleet of this size',
      ['shard', 'scope'],
    ),
    dataGap: gauge('data_gap', '1 while a source of data is silent', ['shard', 'source']),
    disagreements: gauge(
      'event_poll_disagreements',
      'How often a poll contradicted events, or found what no event had reported, since the state began',
      ['shard', 'fact'],
    ),
    unheardSessions: gauge(
      'sessions_without_events',
      'Consecutive sessions that polls found but no event reported, although the queue is read; 0 after a reported one',
      ['shard'],
    ),
    // Decisions and jobs
    decisions: counter('decisions_total', 'Decisions, including those not to act, by rule, mode, outcome and reason', [
      'rule',
      'mode',
      'outcome',
      'reason',
    ]),
    commits: counter('state_commits_total', 'Commits of the shared state, by outcome', ['outcome']),
    oddRecords: counter('odd_records_total', 'Entries of the shared state that could not be read, by kind', [
      'shard',
      'kind',
    ]),
    stateLosses: counter(
      'state_losses_total',
      'How often this replica found the shared state emptied, older or damaged, and repaired it',
      ['shard'],
    ),
    redisTrouble: gauge(
      'redis_trouble',
      '1 while connections to Redis fail, by kind; refuses: it answers with a refusal; away: it does not answer',
      ['shard', 'kind'],
    ),
    standby: gauge('standby', '1 while a standby is not activated: it polls and runs nothing', ['shard']),
    replicas: gauge('replicas', 'Replicas that reported in the last ten seconds', ['shard']),
    shardCarriers: gauge(
      'shard_carriers',
      'Running processes that do a part of the work for an account, by part; absent if unknown, and if there is one account',
      ['shard', 'part'],
    ),
    replicasDiffer: gauge('replicas_differ', '1 while running replicas differ in configuration, version or clock', [
      'shard',
      'by',
    ]),
    awsClockOffset: gauge(
      'aws_clock_offset_seconds',
      "Redis's clock minus AWS's, from the date of the last IVS answer",
      ['shard'],
    ),
    clockOffset: gauge('clock_offset_seconds', "This machine's clock minus Redis's", ['shard']),
    jobs: counter('jobs_total', 'Finished runs of jobs, by job and outcome', ['job', 'outcome']),
    jobSeconds: histogram('job_seconds', 'Duration of one run of a job', [0.01, 0.05, 0.2, 1, 5, 20, 60], ['job']),
    // Metadata
    metadataAccepted: counter('metadata_accepted_total', 'Accepted pairs of metadata item and channel, by lane', [
      'lane',
    ]),
    metadataSkipped: counter(
      'metadata_skipped_total',
      'Channels that accepted metadata batches skipped, by reason; queue_full: their queue was full',
      ['reason'],
    ),
    metadataItems: counter('metadata_items_total', 'Ended pairs of metadata item and channel, by outcome', ['outcome']),
    ruleItems: counter('rule_items_total', 'Ended pairs of metadata item and channel sent by rules, by outcome', [
      'rule',
      'outcome',
    ]),
    metadataAgeSeconds: histogram(
      'metadata_age_seconds',
      'Time from the acceptance of a metadata item to its delivery',
      [0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30, 60, 120, 300],
      ['lane'],
    ),
    metadataWaiting: gauge('metadata_waiting_items', 'Waiting metadata items, over all channels', ['shard']),
    metadataChannels: gauge('metadata_waiting_channels', 'Channels with waiting metadata, by the cause of the wait', [
      'shard',
      'state',
    ]),
    // HTTP API
    loginFailures: counter(
      'login_failures_total',
      'Requests without a valid token, by reason: missing, wrong, or wrong again and slowed down',
      ['reason'],
    ),
    forwardedPrefixesIgnored: counter(
      'forwarded_prefixes_ignored_total',
      'Requests from a trusted proxy with an invalid X-Forwarded-Prefix',
    ),
    httpConnections: gauge('http_connections', 'Open connections to the API'),
    httpConnectionsClosed: counter(
      'http_connections_closed_total',
      'Connections closed to make room for others, by their state; full: none could be replaced',
      ['reason'],
    ),
    httpRequests: counter('http_requests_total', 'Answered HTTP requests, by method, route pattern and status', [
      'method',
      'route',
      'status',
    ]),
    // Calls to Amazon IVS
    ivsCalls: counter('ivs_calls_total', 'Calls sent to Amazon IVS, by outcome (ok or the error code)', [
      'shard',
      'operation',
      'outcome',
    ]),
    ivsCallSeconds: histogram(
      'ivs_call_seconds',
      'Time from sending a call to the first byte of its answer',
      [0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      ['shard', 'operation'],
    ),
    ivsPermits: counter('ivs_permits_total', 'Permits spent, by operation and lane', ['shard', 'operation', 'lane']),
    ivsPermitWaitSeconds: histogram(
      'ivs_permit_wait_seconds',
      'Time a call waited for its permit, by lane',
      [0.005, 0.05, 0.25, 1, 5, 20, 60],
      ['shard', 'lane'],
    ),
    ivsThrottles: counter('ivs_throttles_total', 'Calls that Amazon IVS throttled', ['shard', 'operation', 'scope']),
    ivsLedgerExchanges: counter('ivs_ledger_exchanges_total', 'Round trips to the ledger of permits in Redis', [
      'shard',
    ]),
    ivsLedgerFences: counter(
      'ivs_ledger_fences_total',
      'How often the ledger of permits started from empty; it grants nothing for a while then',
      ['shard'],
    ),
    ivsSlotsInUse: gauge('ivs_slots_in_use', 'Permits in use in the last second, over all replicas', [
      'shard',
      'operation',
    ]),
    ivsSlotsOutOfService: gauge('ivs_slots_out_of_service', 'Permits withheld after throttling, over all replicas', [
      'shard',
      'operation',
    ]),
    ivsSlowedChannels: gauge('ivs_slowed_channels', 'Channels slowed down after throttling, over all replicas', [
      'shard',
      'operation',
    ]),
    ivsCallsWaiting: gauge('ivs_calls_waiting', 'Calls waiting for a permit in this replica', [
      'shard',
      'operation',
      'lane',
    ]),
    ivsOldestWaitSeconds: gauge(
      'ivs_oldest_wait_seconds',
      'Age of the oldest call waiting for a permit in this replica; 0 if none waits',
      ['shard', 'operation', 'lane'],
    ),
    // Acting
    webhooks: counter('webhooks_total', 'Messages to webhooks, by outcome', ['outcome']),
    notifications: counter(
      'notifications_total',
      'Messages to integrations of receivers, by outcome: delivered, failed (will be retried) or refused (will not)',
      ['receiver', 'integration', 'outcome'],
    ),
    secretDeliveries: counter('secret_deliveries_total', 'Deliveries of new keys, by kind of destination and outcome', [
      'sink',
      'outcome',
    ]),
    alerts: gauge('alerts', 'Open alerts by kind; those of rules in dry run count as dry_run', ['shard', 'kind']),
    metadataRefused: counter(
      'metadata_refused_total',
      'PutMetadata calls with a final refusal, whose items have failed',
      ['shard', 'code'],
    ),
    intents: gauge('intents', 'Actions waiting for the end of a stream, by action', ['shard', 'action']),
    bulkPending: gauge('bulk_pending', 'Channels that running bulk actions have not reached yet', ['shard']),
    streamKeys: gauge('stream_keys', 'Channels by the known age of their stream key', ['shard', 'age']),
    streamKeyAgeMax: gauge('stream_key_age_max_seconds', 'Known age of the oldest stream key', ['shard']),
    // OpenTelemetry
    telemetryExports: counter(
      'telemetry_exports_total',
      'Batches for the OpenTelemetry collector, by signal (traces, metrics) and outcome: ok, or failed (dropped)',
      ['signal', 'outcome'],
    ),
    // Configuration
    configLoads: counter('config_loads_total', 'Attempts to load the configuration, by outcome', ['outcome']),
    configLastLoad: gauge('config_last_load_timestamp_seconds', 'When the configuration in force was loaded', ['hash']),
    configLastAttempt: gauge(
      'config_last_attempt_timestamp_seconds',
      'When the configuration was last loaded, and when it was last refused',
      ['outcome'],
    ),
    /** Node's own metrics; only the process edge starts them, since they hold timers and observers. */
    collectProcessMetrics: () =>
      collectDefaultMetrics({ register: registry, prefix: 'autopilot_', eventLoopMonitoringPrecision: loopSampleMs }),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
