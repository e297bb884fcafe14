import { describe, expect, it } from 'vitest';
import { eventName } from '../events/event.ts';
import { builtInScenarios, readScenario } from '../flags.ts';
import type { Simulator } from '../parts.ts';
import { createSimulator } from '../simulator.ts';
import { parseScenario } from './parse.ts';
import { ScenarioRun } from './play.ts';

const virtual = (): Simulator => createSimulator({ clockRate: 0, startAt: Date.UTC(2026, 10, 20), seed: 'scenario' });

function play(name: string): { simulator: Simulator; run: ScenarioRun } {
  const simulator = virtual();
  const run = new ScenarioRun(simulator, parseScenario(readScenario(name), name));
  return { simulator, run };
}

const names = (simulator: Simulator, name?: string) =>
  simulator.publisher.events({ name }).map(({ event }) => eventName(event));

describe('the built-in scenarios', () => {
  it.each(builtInScenarios())('%s plays to its end', (name) => {
    const { simulator, run } = play(name);
    simulator.clock.advance(3_600_000);
    expect(run.state).toMatchObject({ name, finished: true });
    expect(run.state.log).toHaveLength(run.state.steps);
    expect(names(simulator, 'Stream Start').length).toBeGreaterThan(5);
  });

  it('cover what operators fear', () => {
    expect(builtInScenarios().toSorted()).toEqual([
      'blip',
      'key-leak',
      'late-and-missing-events',
      'mass-starvation',
      'quiet-evening',
      'region-incident',
      'throttle-storm',
    ]);
  });

  it('mass starvation starves forty channels, and the service ends the ten that went silent', () => {
    const { simulator } = play('mass-starvation');
    simulator.clock.advance(100_000);
    expect(names(simulator, 'Starvation Start')).toHaveLength(40);
    simulator.clock.advance(60_000);
    expect(names(simulator, 'Stream End')).toHaveLength(10);
  });

  it('throttle storm uses up the quota of ListStreams', () => {
    const { simulator } = play('throttle-storm');
    simulator.clock.advance(40_000);
    const refused = [0, 50, 100, 150].map(() => {
      simulator.clock.advance(50);
      return simulator.throttle.admit('ListStreams', undefined, simulator.clock.now());
    });
    expect(refused.every((refusal) => refusal?.limit === 5)).toBe(true);
  });

  it('the same seed repeats the same evening', () => {
    const told = [play('late-and-missing-events'), play('late-and-missing-events')].map(({ simulator }) => {
      simulator.clock.advance(600_000);
      return simulator.publisher.events().map(({ event, fate }) => `${event.id} ${fate} ${eventName(event)}`);
    });
    expect(told[0]).toEqual(told[1]);
    expect(told[0]?.length).toBeGreaterThan(60);
  });
});

describe('a scenario file with mistakes', () => {
  it.each([
    ['name: x\ntimeline:\n  - at: 5\n    starve: {channels: all}\n', 'evening.yaml:3:5 timeline.0.at'],
    ['name: x\ntimeline:\n  - at: 5s\n', 'evening.yaml:3:5 timeline.0: a step does exactly one of'],
    [
      'name: x\ntimeline:\n  - at: 5s\n    starv: {channels: all}\n',
      'evening.yaml:4:5 timeline.0.starv: there is no such member',
    ],
    ['name: x\nname: y\n', 'evening.yaml:2:1'],
  ])('is refused with file, line, column and path: %j', (text, expected) => {
    expect(() => parseScenario(text, 'evening.yaml')).toThrow(expected);
  });
});
