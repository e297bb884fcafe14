// For editors: the fields that a pattern can name and their possible values, as JSON Schema generated from the tables that lint uses.
import { type DetailField, type IvsEventType, ivsEvents } from '#domain/ivs-events.ts';
import { shapeOfDetail } from '#rules/lint/ivs-events.ts';
import { envelopeFields, type FieldShape, type FieldTable } from '#rules/pattern-fields.ts';
import { operatorNames } from '#rules/pattern-operators.ts';

type JsonSchema = Readonly<Record<string, unknown>>;

/** JSON Schema of a pattern on documents with these fields, and no others. */
export function schemaOfPattern(fields: FieldTable): JsonSchema {
  const named = Object.entries(fields).map(([name, shape]) => [name, schemaOfField(shape)]);
  return schemaOfParts(Object.fromEntries(named), false);
}

/** JSON Schema of an event pattern: the envelope, and the documented fields of `detail` plus newer ones. */
export function schemaOfEventPattern(): JsonSchema {
  const types: readonly IvsEventType[] = Object.values(ivsEvents);
  const shapes = Map.groupBy(
    types.flatMap(({ detail }) => Object.entries(detail)),
    ([name]) => name,
  );
  const detail = Array.from(shapes, ([name, entries]): [string, JsonSchema] => {
    const fields = entries.map(([, field]): DetailField => field);
    return [name, schemaOfField(shapeOfDetail(fields))];
  });
  const named = Object.entries(envelopeFields).map(([name, shape]): [string, JsonSchema] => [
    name,
    name === 'detail-type'
      ? schemaOfField({ ...shape, values: Object.keys(ivsEvents), knownAsOf: '' })
      : schemaOfField(shape),
  ]);
  return schemaOfParts({ ...Object.fromEntries(named), detail: schemaOfParts(Object.fromEntries(detail), true) }, true);
}

function schemaOfParts(properties: Readonly<Record<string, JsonSchema>>, open: boolean): JsonSchema {
  return {
    properties: { ...properties, $or: { type: 'array', minItems: 2, items: { type: 'object' } } },
    // Names may be joined with dots.
    ...(open ? {} : { patternProperties: { '\\.': {} }, additionalProperties: false }),
  };
}

function schemaOfField(shape: FieldShape): JsonSchema {
  // Tags have any names, and the fields of newer events are not known.
  if (shape.type === 'nested') return { type: 'object', ...(shape.fields ? schemaOfPattern(shape.fields) : {}) };
  const operator = {
    type: 'object',
    minProperties: 1,
    maxProperties: 1,
    properties: Object.fromEntries(operatorNames.map((name) => [name, {}])),
    additionalProperties: false,
  };
  return { type: 'array', minItems: 1, items: { anyOf: [...schemasOfValue(shape), operator] } };
}

function schemasOfValue({ type, values, knownAsOf }: FieldShape): JsonSchema[] {
  if (type === 'number' || type === 'boolean') return [{ type }];
  if (!values) return [{ type: 'string' }];
  // Values that are newer than our table are not an error: these are offered, others are accepted.
  return knownAsOf === undefined ? [{ enum: values }] : [{ enum: values }, { type: 'string' }];
}
