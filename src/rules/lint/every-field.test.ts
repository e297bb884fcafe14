import { describe, expect, it } from 'vitest';
import { lintConfig } from '#config/lint.ts';
import { parseConfig } from '#config/load.ts';
import { formatProblem } from '#config/problem.ts';
import { type DetailField, type IvsEventType, ivsEvents } from '#domain/ivs-events.ts';
import { operatorNames } from '../pattern-operators.ts';

const types: Readonly<Record<string, IvsEventType>> = ivsEvents;

/** All findings for a rule with this pattern: form, meaning and lint. */
function problemsOf(event: object): string[] {
  const rule = { name: 'r', trigger: { event }, actions: [{ emit_event: { detail_type: 'x', detail: {} } }] };
  const result = parseConfig(JSON.stringify({ version: 1, rules: [rule] }), 'f.yaml');
  return (result.ok ? lintConfig(result.config) : result.problems).map(formatProblem);
}

/** A value that the field can have. */
function possible({ type, values, format }: DetailField): string | number {
  if (type === 'number') return 5;
  if (values) return values[0]!;
  if (format === 'stream_id') return 'st-1A2b3c4D5e6F78ghij9Klmn';
  if (format === 'time') return '2026-11-20T10:15:04Z';
  return format === undefined ? 'Some text' : 'studio-a';
}

/** Members that can match a field with this value; undefined if the operator does not apply to its type. */
function matching(operator: string, value: string | number, field: DetailField): unknown {
  if (operator === 'exists') return { exists: true };
  // Where one value is known, no other known value exists.
  if (operator === 'anything-but') return field.values?.length === 1 ? undefined : { 'anything-but': [value] };
  if (typeof value === 'number') return operator === 'numeric' ? { numeric: ['>=', value] } : undefined;
  if (operator === 'prefix') return { prefix: value.slice(0, 2) };
  if (operator === 'suffix') return { suffix: value.slice(-2) };
  if (operator === 'equals-ignore-case') return { 'equals-ignore-case': value.toUpperCase() };
  return operator === 'wildcard' ? { wildcard: `${value.slice(0, 2)}*` } : undefined;
}

/** Members of the operator that no value of the field passes, or that exclude nothing. */
function impossible(operator: string, field: DetailField): unknown[] {
  if (operator === 'cidr') return [{ cidr: '10.0.0.0/8' }];
  if (operator === 'exists') return [];
  if (field.type === 'number') {
    if (operator === 'numeric') return [{ numeric: ['<', 0] }];
    if (operator === 'anything-but') return [{ 'anything-but': ['5'] }, { 'anything-but': { prefix: '5' } }];
    return [{ [operator]: '5' }];
  }
  if (operator === 'numeric') return [{ numeric: ['>', 5] }];
  const isFree = field.values === undefined && field.format === undefined;
  if (operator === 'anything-but') {
    return [{ 'anything-but': [12] }, ...(isFree ? [] : [{ 'anything-but': { prefix: '§' } }])];
  }
  // A field with free texts can contain any text.
  return isFree ? [] : [{ [operator]: operator === 'wildcard' ? '§*' : '§' }];
}

/** The naming values of an event with this field. */
function naming(type: IvsEventType, name: string): object {
  const { only } = type.detail[name]!;
  return only && name !== type.field ? { [type.field]: [only[0]] } : {};
}

const fields = Object.entries(types).flatMap(([detailType, type]) =>
  Object.entries(type.detail).map(([name, field]) => ({ detailType, type, name, field })),
);
const cases = fields.flatMap((field) => operatorNames.map((operator) => ({ ...field, operator })));

describe('every field of every documented event, under every operator', () => {
  it.each(cases)('$detailType detail.$name $operator', ({ detailType, type, name, field, operator }) => {
    const pattern = (members: unknown[], detailField = name) => ({
      source: ['aws.ivs'],
      'detail-type': [detailType],
      detail: { ...naming(type, name), [detailField]: members },
    });
    const value = possible(field);
    const good = matching(operator, value, field);
    if (good !== undefined) {
      expect(problemsOf(pattern([good])), 'accepted').toEqual([]);
      const inOr = { source: ['aws.ivs'], $or: [pattern([good]), { 'detail-type': [detailType] }] };
      expect(problemsOf(inOr), 'accepted inside $or').toEqual([]);
    }
    for (const bad of impossible(operator, field)) {
      expect(problemsOf(pattern([bad])).join(), JSON.stringify(bad)).toContain(`.detail.${name}[0]: `);
      const inOr = { source: ['aws.ivs'], $or: [pattern([bad]), { 'detail-type': [detailType] }] };
      expect(problemsOf(inOr).join(), JSON.stringify(inOr)).toContain(`.$or[0].detail.${name}[0]: `);
    }
    const misspelt = `${name}_x`;
    expect(problemsOf(pattern([good ?? value], misspelt)).join()).toContain(`no event has detail.${misspelt}`);
  });

  it.each(fields)('$detailType detail.$name accepts only its own type', ({ detailType, type, name, field }) => {
    const of = (member: unknown) =>
      problemsOf({ 'detail-type': [detailType], detail: { ...naming(type, name), [name]: [member] } });

    expect(of(possible(field))).toEqual([]);
    for (const bad of [field.type === 'number' ? '5' : 5, true, null]) expect(of(bad), String(bad)).not.toEqual([]);
    expect(of({ exists: true })).toEqual([]);
  });
});

it('an event with an unknown name of its type is accepted, with a warning', () => {
  const event = {
    'detail-type': ['IVS Ad Break State Change'],
    detail: { event_name: [{ 'anything-but': ['Ad Break Inserted'] }] },
  };
  expect(problemsOf(event)).toEqual([
    expect.stringMatching(/warning: no event known as of .* newer ones will be tried/),
  ]);
});
