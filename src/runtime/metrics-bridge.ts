// The metrics of the Prometheus registry as OpenTelemetry data: the same numbers under the same names. Loaded only by opentelemetry.ts.
import { type HrTime, ValueType } from '@opentelemetry/api';
import { emptyResource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type CollectionResult,
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import type { MetricObjectWithValues, MetricValue, Registry } from 'prom-client';

type PrometheusMetric = MetricObjectWithValues<MetricValue<string> & { readonly metricName?: string }>;

export interface BridgeOptions {
  readonly registry: Registry;
  readonly scope: { readonly name: string; readonly version: string };
  /** Epoch ms: when the counters were 0. */
  readonly startedAtMs: number;
  readonly nowMs: () => number;
}

/** Reads the registry whenever metrics are exported. */
export class MetricsBridge implements MetricProducer {
  readonly #options: BridgeOptions;

  constructor(options: BridgeOptions) {
    this.#options = options;
  }

  async collect(): Promise<CollectionResult> {
    const { registry, scope, startedAtMs, nowMs } = this.#options;
    const metrics = (await registry.getMetricsAsJSON()) as unknown as PrometheusMetric[];
    const times = { startTime: hrTimeOf(startedAtMs), endTime: hrTimeOf(Math.max(startedAtMs, nowMs())) };
    return {
      // The reader's own resource is used.
      resourceMetrics: {
        resource: emptyResource(),
        scopeMetrics: [{ scope, metrics: metrics.flatMap((metric) => dataOf(metric, times) ?? []) }],
      },
      errors: [],
    };
  }
}

type Times = Pick<DataPoint<unknown>, 'startTime' | 'endTime'>;

/** Undefined for a metric without a value. */
function dataOf({ name, help, type, values }: PrometheusMetric, times: Times): MetricData | undefined {
  const base = {
    descriptor: { name, description: help, unit: '', valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  if (String(type) === 'histogram') {
    const dataPoints = histogramPoints(name, values, times);
    return dataPoints.length === 0 ? undefined : { ...base, dataPointType: DataPointType.HISTOGRAM, dataPoints };
  }
  const dataPoints = values
    .filter(({ value }) => Number.isFinite(value))
    .map(({ labels, value }) => ({ ...times, attributes: attributesOf(labels), value }));
  if (dataPoints.length === 0) return undefined;
  return String(type) === 'counter'
    ? { ...base, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }
    : { ...base, dataPointType: DataPointType.GAUGE, dataPoints };
}

/** Prometheus counts in each bucket what the smaller ones hold too; OpenTelemetry does not. */
function histogramPoints(name: string, values: PrometheusMetric['values'], times: Times): DataPoint<Histogram>[] {
  const byLabels = new Map<
    string,
    { labels: Labels; below: [le: number, count: number][]; sum: number; count: number }
  >();
  for (const { labels, metricName, value } of values) {
    const { le, ...own } = labels as Labels;
    const key = Array.from(Object.entries(own), ([label, text]) => JSON.stringify([label, text]))
      .toSorted()
      .join();
    const known = byLabels.get(key) ?? { labels: own, below: [], sum: 0, count: 0 };
    byLabels.set(key, known);
    if (metricName === `${name}_sum`) known.sum = value;
    else if (metricName === `${name}_count`) known.count = value;
    else if (le !== undefined && le !== '+Inf') known.below.push([Number(le), value]);
  }
  return Array.from(byLabels.values(), ({ labels, below, sum, count }) => {
    below.sort(([left], [right]) => left - right);
    const cumulative = [...below.map(([, value]) => value), count];
    return {
      ...times,
      attributes: attributesOf(labels),
      value: {
        buckets: {
          boundaries: below.map(([le]) => le),
          counts: cumulative.map((value, index) => value - (cumulative[index - 1] ?? 0)),
        },
        sum,
        count,
      },
    };
  });
}

type Labels = Readonly<Record<string, string | number | undefined>>;

function attributesOf(labels: object): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)]));
}

export function hrTimeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}
