// Composition: builds the parts of one simulated account and Region and connects them. No HTTP here; server.ts adds that.

import { randomBytes } from 'node:crypto';
import { SimulatedClock } from './clock.ts';
import { EventBus } from './eventbridge/bus.ts';
import { type EventEnvelope, envelope, type Happening } from './events/event.ts';
import { Publisher } from './events/publisher.ts';
import { SqsDelivery } from './events/sqs-delivery.ts';
import { Faults } from './faults.ts';
import { Ids } from './ids.ts';
import type { Simulator } from './parts.ts';
import { Random } from './random.ts';
import { Recorder } from './recorder.ts';
import { type SimulatorOptions, settle } from './settings.ts';
import { Store } from './store.ts';
import { Encoders } from './streams/encoders.ts';
import { Ingest } from './streams/ingest.ts';
import { Throttle } from './throttle/throttle.ts';

export function createSimulator(options: SimulatorOptions): Simulator {
  const seed = String(options.seed ?? randomBytes(6).toString('hex'));
  const random = new Random(seed);
  const settings = settle(options);
  const clock = new SimulatedClock({ startAt: options.startAt, rate: options.clockRate });
  const ids = new Ids(random.fork('ids'), settings);
  const store = new Store();
  const recorder = new Recorder({ calls: options.recordedCalls ?? 250_000, cues: options.recordedCues ?? 100_000 });
  const delivery = new SqsDelivery({ ...options.sqs, region: options.sqs?.region ?? settings.region });
  const bus = new EventBus(delivery);
  const deliver = (event: EventEnvelope): void => {
    if (options.sqs?.queueUrl !== undefined) delivery.send(options.sqs.queueUrl, JSON.stringify(event));
    bus.route(event);
  };
  const publisher = new Publisher(clock, random.fork('events'), deliver);
  const eventIds = new Ids(random.fork('event-ids'), settings);
  const emit = (happening: Happening): void => {
    const { eventRegion } = settings.switches;
    const region = eventRegion === 'channel' ? settings.region : eventRegion;
    const origin = { id: eventIds.uuid(), at: clock.now(), account: settings.accountId, region };
    publisher.publish(envelope(happening, origin));
  };
  const ingest = new Ingest({ clock, ids, store, settings }, emit);
  const encoders = new Encoders({ clock, store, settings, ingest });
  return {
    seed,
    random,
    settings,
    clock,
    context: { settings, clock, ids, store, ingest, encoders, recorder },
    throttle: new Throttle(options.enforcement ?? 'sliding-window', options.callRates),
    faults: new Faults(random.fork('faults')),
    publisher,
    delivery,
    bus,
    secrets: new Map(),
    assumedRoles: new Map(),
    parameters: new Map(),
    viewsExceeded: false,
    scenario: undefined,
    close: async () => {
      clock.close();
      recorder.close();
      await delivery.close();
    },
  };
}
