// Loads the daemon and starts its telemetry, without an endpoint and then with one; prints which of OpenTelemetry's packages were loaded.
// The API's own package is not counted: prom-client brings it along.
import { registerHooks } from 'node:module';

const loaded = new Set<string>();
registerHooks({
  resolve(specifier, context, next) {
    const name = /^@opentelemetry\/[^/]+/.exec(specifier)?.[0];
    if (name !== undefined && name !== '@opentelemetry/api') loaded.add(name);
    return next(specifier, context);
  },
});

await import('#src/main.ts');
const { systemClock } = await import('#runtime/clock.ts');
const { createLogger, Scrubber } = await import('#runtime/logger.ts');
const { createMetrics } = await import('#runtime/metrics.ts');
const { startTelemetry } = await import('#runtime/telemetry.ts');

const scrubber = new Scrubber();
const options = {
  metrics: createMetrics(),
  scrubber,
  logger: createLogger({ level: 'silent', scrubber }),
  clock: systemClock,
  version: '0',
};
await startTelemetry({ ...options, env: { OTEL_SERVICE_NAME: 'ivs' } });
const without = [...loaded];
// The address is never called: nothing is exported before the process ends.
await startTelemetry({ ...options, env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' } });
console.log(JSON.stringify({ without, with: [...loaded] }));
process.exit(0);
