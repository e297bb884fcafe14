// Before and after, field by field.

export interface ChangedField {
  readonly field: string;
  readonly was: string;
  readonly is: string;
  readonly differs: boolean;
}

/** Fields that differ first; a field that only one side has differs. A value that is not an object is the field `value`. */
export function changedFields(before: unknown, after: unknown): readonly ChangedField[] {
  const [was, is] = [flat(before), flat(after)];
  const fields = Array.from(new Set([...was.keys(), ...is.keys()]), (field): ChangedField => {
    const [old = '–', next = '–'] = [was.get(field), is.get(field)];
    return { field, was: old, is: next, differs: old !== next };
  });
  return fields.toSorted((a, b) => Number(b.differs) - Number(a.differs));
}

function flat(value: unknown, path = ''): Map<string, string> {
  if (value === undefined) return new Map();
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return new Map([
      [path === '' ? 'value' : path, typeof value === 'string' ? value || '(empty)' : JSON.stringify(value)],
    ]);
  return new Map(
    Object.entries(value).flatMap(([name, inner]) => [...flat(inner, path === '' ? name : `${path}.${name}`)]),
  );
}
