import { expect, it } from 'vitest';
import { ivsEvents } from '#domain/ivs-events.ts';
import { jsonSchemaOfConfig } from './json-schema.ts';

it('editors are offered the fields of patterns and their values, from the tables that lint uses', () => {
  const schema = jsonSchemaOfConfig() as any;
  const rule = schema.properties.rules.items.properties;
  const { event, state } = rule.trigger.properties;
  const { detail } = event.properties;

  for (const { detail: fields } of Object.values(ivsEvents))
    for (const name of Object.keys(fields)) expect(Object.keys(detail.properties)).toContain(name);
  expect(event.properties['detail-type'].items.anyOf[0].enum).toEqual(Object.keys(ivsEvents));
  // What is newer than our table may be written.
  expect(event.properties['detail-type'].items.anyOf[1]).toEqual({ type: 'string' });
  expect(detail.additionalProperties).not.toBe(false);
  expect(detail.properties.limit_value.items.anyOf[0]).toEqual({ type: 'number' });
  expect(state.properties.health.items.anyOf[0].enum).toEqual(['HEALTHY', 'STARVING', 'UNKNOWN']);
  expect(state.additionalProperties).toBe(false);
  expect(rule.match.properties.type.items.anyOf[0].enum).toContain('STANDARD');
  expect(rule.actions.items.properties.only_if.properties.live.items.anyOf[0]).toEqual({ type: 'boolean' });
});
