// Traces and metrics through OpenTelemetry, if an endpoint is set. Its packages are optional and loaded only then. Trouble with them, with
// the settings or with the collector is reported, and nothing else waits or fails because of it.
import { randomUUID } from 'node:crypto';
import { AppError, messageOf } from '#domain/errors.ts';
import type { Clock } from './clock.ts';
import { within } from './deadline.ts';
import { type Environment, processEgress } from './egress.ts';
import { type Episode, loggedEpisode } from './episode.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import type { Scrubber } from './scrubber.ts';
import { installCommand, readTelemetrySettings, type SignalSettings } from './telemetry-settings.ts';
import { useTracer } from './tracing.ts';

export interface TelemetryOptions {
  readonly env: Environment;
  readonly metrics: Metrics;
  readonly scrubber: Scrubber;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly version: string;
  /** How long a stop waits until everything is sent. Default: part of the two seconds that the stop leaves to the process edge. */
  readonly flushMs?: number;
  readonly load?: () => Promise<typeof import('./opentelemetry.ts')>;
}

export interface Telemetry {
  /** Sends what is left, for as long as a stop can wait. Never rejects. */
  stop(): Promise<void>;
}

/** Starts the exports that the environment asks for; undefined: none. Never rejects. */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry | undefined> {
  const { env, metrics, scrubber, logger, clock, version, flushMs = 1_200 } = options;
  const { load = () => import('./opentelemetry.ts') } = options;
  const { settings, problems } = readTelemetrySettings(env);
  for (const problem of problems) logger.warn({ code: 'TELEMETRY_INVALID' }, problem);
  if (!settings) return undefined;
  const { traces, metrics: metricsTo } = settings;
  for (const value of [traces, metricsTo].flatMap((signal) => Object.values(signal?.headers ?? {})))
    scrubber.hide(value, 'OTLP header');
  try {
    const { startExporting } = await load();
    const episodes = { traces: episodeOf('traces', clock, logger), metrics: episodeOf('metrics', clock, logger) };
    const exporting = startExporting({
      settings,
      registry: metrics.registry,
      egress: processEgress(env),
      version,
      instanceId: randomUUID(),
      startedAtMs: Date.now(),
      nowMs: () => Date.now(),
      onExported: (signal, failure) => {
        metrics.telemetryExports.inc({ signal, outcome: failure ? 'failed' : 'ok' });
        if (failure) episodes[signal].failed(failureOf(signal, failure));
        else episodes[signal].succeeded();
      },
    });
    const inPlace = exporting.tracer && useTracer(exporting.tracer);
    logger.info({ traces: hostOf(traces), metrics: hostOf(metricsTo) }, 'OpenTelemetry is on');
    let stopped: Promise<void> | undefined;
    return {
      stop() {
        inPlace?.[Symbol.dispose]();
        stopped ??= within({ ms: flushMs, what: 'the collector' }, () => exporting.shutdown()).catch((error: unknown) =>
          logger.warn({ code: 'TELEMETRY_FAILED', why: messageOf(error) }, 'the last traces and metrics are lost'),
        );
        return stopped;
      },
    };
  } catch (error) {
    const err = isMissing(error)
      ? new AppError(
          'PACKAGE_MISSING',
          `OTEL_EXPORTER_OTLP_ENDPOINT needs packages that are not installed: ${installCommand}`,
        )
      : new AppError('TELEMETRY_INVALID', `OpenTelemetry cannot be started: ${messageOf(error)}`, { cause: error });
    logger.error({ code: err.code }, `${err.message}; the daemon runs without traces`);
    return undefined;
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND';
}

function episodeOf(signal: 'traces' | 'metrics', clock: Clock, logger: Logger): Episode {
  return loggedEpisode({
    clock,
    logger,
    code: () => 'TELEMETRY_FAILED',
    began: `${signal} do not reach the OpenTelemetry collector; what it does not take is dropped`,
    ended: `${signal} reach the OpenTelemetry collector again`,
  });
}

/** Without the collector's answer, which may contain anything. */
function failureOf(signal: string, error: unknown): AppError {
  const { code } = error as { readonly code?: unknown };
  const why = typeof code === 'number' ? `status ${code}` : messageOf(error);
  return new AppError('TELEMETRY_FAILED', `${signal} were not exported: ${why}`);
}

/** An address may contain a token. */
function hostOf(signal: SignalSettings | undefined): string {
  return signal ? `${signal.url.protocol}//${signal.url.host}` : 'off';
}
