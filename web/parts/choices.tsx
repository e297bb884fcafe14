// Choices of a view that are part of its address.
import type { JSX } from 'preact';
import { clock, words } from '../format.ts';
import { route, setParams } from '../route.ts';

type Option = readonly [value: string, text: string];

/** A select whose value is the parameter `name` of the address; '' is all. */
export function Choice({
  name,
  label,
  options,
  all = 'all',
}: {
  readonly name: string;
  readonly label: string;
  readonly options: readonly (string | Option)[];
  readonly all?: string;
}): JSX.Element {
  const value = route.value.params[name] ?? '';
  const known = options.map((each): Option => (typeof each === 'string' ? [each, words(each)] : each));
  // What the address asks for is shown, also when it is none of the usual.
  const shown =
    value === '' || known.some(([each]) => each === value) ? known : [...known, [value, words(value)] as const];
  return (
    <label>
      {label}{' '}
      <select id={`by-${name}`} value={value} onChange={(event) => setParams({ [name]: event.currentTarget.value })}>
        <option value="">{all}</option>
        {shown.map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

const ranges: readonly Option[] = [
  ['15m', 'the last 15 minutes'],
  ['1h', 'the last hour'],
  ['8h', 'the last 8 hours'],
  ['24h', 'the last day'],
  ['168h', 'the last week'],
];

/** From when: `since=` in the address, how long ago or a time. */
export function SinceChoice(): JSX.Element {
  return <Choice name="since" label="Time" options={ranges} all="any" />;
}

/** Steps back through a list that is longer than its page: `until=` in the address. */
export function OlderLink({
  oldest,
  full,
}: {
  readonly oldest: string | undefined;
  readonly full: boolean;
}): JSX.Element | null {
  const { until } = route.value.params;
  if (!(full && oldest !== undefined) && until === undefined) return null;
  return (
    <p class="links">
      {full && oldest !== undefined && (
        <button type="button" onClick={() => setParams({ until: oldest })}>
          Older
        </button>
      )}
      {until !== undefined && (
        <button type="button" onClick={() => setParams({ until: '' })}>
          Newest
        </button>
      )}
      {until !== undefined && (
        <span class="dim">before {Number.isNaN(Date.parse(until)) ? until : clock(Date.parse(until))}</span>
      )}
    </p>
  );
}
