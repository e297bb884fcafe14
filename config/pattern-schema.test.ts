import { expect, it } from 'vitest';
import { ivsEvents } from '#domain/ivs-events.ts';
import { configSchemaAt } from '#test/support/json-schema.ts';

it('offers editors the fields of patterns and their values, from the tables that lint uses', () => {
  const at = (path: string) => configSchemaAt(`properties.rules.items.properties.${path}`);
  const event = (path: string) => at(`trigger.properties.event.properties.${path}`);
  const state = (path: string) => at(`trigger.properties.state.${path}`);

  for (const { detail: fields } of Object.values(ivsEvents))
    for (const name of Object.keys(fields)) expect(event(`detail.properties.${name}`), name).toBeDefined();
  expect(event('detail-type.items.anyOf.0.enum')).toEqual(Object.keys(ivsEvents));
  // Values that are newer than our table may be written.
  expect(event('detail-type.items.anyOf.1')).toEqual({ type: 'string' });
  expect(event('detail.additionalProperties')).not.toBe(false);
  expect(event('detail.properties.limit_value.items.anyOf.0')).toEqual({ type: 'number' });
  expect(state('properties.health.items.anyOf.0.enum')).toEqual(['HEALTHY', 'STARVING', 'UNKNOWN']);
  expect(state('additionalProperties')).toBe(false);
  expect(at('match.properties.type.items.anyOf.0.enum')).toContain('STANDARD');
  expect(at('actions.items.properties.only_if.properties.live.items.anyOf.0')).toEqual({ type: 'boolean' });
});
