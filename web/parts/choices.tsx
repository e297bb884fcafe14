// Filters of a view that are part of its address.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { LiveRow } from '#api/live/row.ts';
import { clock, count, idOf, words } from '../format.ts';
import { route, setParams } from '../route.ts';
import { channelName, rows } from '../store.ts';

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
  // The address's value is shown even if it is not one of the usual ones.
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
const between = 'between';
const hourMs = 3_600_000;

/** From when, and until when: `since=` and `until=` in the address, each a time or how long ago. */
export function TimeChoice(): JSX.Element {
  const { since = '', until = '' } = route.value.params;
  const isRange = until !== '' || !Number.isNaN(Date.parse(since));
  const known = ranges.some(([value]) => value === since);
  const choose = (value: string) => {
    if (value !== between) return setParams({ since: value, until: '' });
    const nowMs = Date.now();
    setParams({ since: new Date(nowMs - hourMs).toISOString(), until: new Date(nowMs).toISOString() });
  };
  return (
    <>
      <label>
        Time{' '}
        <select id="by-since" value={isRange ? between : since} onChange={(event) => choose(event.currentTarget.value)}>
          <option value="">any</option>
          {ranges.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
          {since !== '' && !known && !isRange && <option value={since}>the last {since}</option>}
          <option value={between}>from … to …</option>
        </select>
      </label>
      {isRange && (
        <>
          <MomentChoice name="since" label="From" />
          <MomentChoice name="until" label="To" />
        </>
      )}
    </>
  );
}

/** A local time; the address has it in UTC. */
function MomentChoice({ name, label }: { readonly name: string; readonly label: string }): JSX.Element {
  const ms = Date.parse(route.value.params[name] ?? '');
  return (
    <label>
      {label}{' '}
      <input
        type="datetime-local"
        id={`by-${name}-at`}
        step={1}
        value={Number.isNaN(ms) ? '' : localText(ms)}
        onChange={(event) => {
          const chosen = new Date(event.currentTarget.value).getTime();
          setParams({ [name]: Number.isNaN(chosen) ? '' : new Date(chosen).toISOString() });
        }}
      />
    </label>
  );
}

/** In the format that `datetime-local` needs. */
function localText(ms: number): string {
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

const mostNames = 40;

/** A channel by its name, its id or its ARN: `channelArn=` in the address. */
export function ChannelChoice(): JSX.Element {
  const arn = route.value.params['channelArn'] ?? '';
  const [typed, setTyped] = useState<string | undefined>(undefined);
  const [problem, setProblem] = useState('');
  const shown = typed ?? (arn === '' ? '' : channelName(arn));
  const named = (text: string) =>
    Array.from(rows().values()).filter(({ name }) => name.toLowerCase().includes(text.trim().toLowerCase()));
  const choose = (text: string) => {
    const wanted = text.trim();
    const found = wanted === '' ? '' : arnOf(wanted, named(wanted));
    setTyped(found === undefined ? text : undefined);
    setProblem(found === undefined ? notOne(wanted, named(wanted).length) : '');
    if (found !== undefined && found !== arn) setParams({ channelArn: found });
  };
  return (
    <>
      <label>
        Channel{' '}
        <input
          type="search"
          id="by-channel"
          list="channels"
          placeholder="all"
          autocomplete="off"
          value={shown}
          onInput={(event) => setTyped(event.currentTarget.value)}
          onChange={(event) => choose(event.currentTarget.value)}
        />
      </label>
      <datalist id="channels">
        {typed !== undefined &&
          named(typed)
            .slice(0, mostNames)
            .map((row) => <option key={row.arn} value={row.name} />)}
      </datalist>
      {problem !== '' && (
        <span class="bad" role="alert">
          {problem}
        </span>
      )}
    </>
  );
}

/** The one channel that is meant; undefined if there is none, or several. */
function arnOf(text: string, named: readonly LiveRow[]): string | undefined {
  if (text.startsWith('arn:')) return text;
  const exact = named.filter(({ name }) => name.toLowerCase() === text.toLowerCase());
  const byId = Array.from(rows().values()).filter(({ arn }) => idOf(arn) === text);
  const [found, ...others] = [exact, byId, named].find((each) => each.length > 0) ?? [];
  return others.length === 0 ? found?.arn : undefined;
}

function notOne(text: string, matching: number): string {
  if (matching > 1) return `${count(matching)} channels have a name like “${text}”: choose one.`;
  return `No channel in the list has the name “${text}”; “Search” also finds past names.`;
}

/** Pages through a long list: `after=` in the address is where the previous page ended. */
export function Pages({
  next,
  oldest,
}: {
  /** Where this page ends; undefined: nothing is older. */
  readonly next: string | undefined;
  /** The oldest time on this page, ISO 8601. */
  readonly oldest: string | undefined;
}): JSX.Element | null {
  const after = route.value.params['after'] ?? '';
  if (next === undefined && after === '') return null;
  return (
    <p class="links">
      {after !== '' && (
        <button type="button" onClick={() => setParams({ after: '' })}>
          Newest
        </button>
      )}
      {next !== undefined && (
        <button type="button" onClick={() => turnTo(next)}>
          Older
        </button>
      )}
      <span class="dim">
        {next === undefined
          ? 'There is nothing older.'
          : oldest !== undefined && `older than ${clock(Date.parse(oldest))}`}
      </span>
    </p>
  );
}

function turnTo(after: string): void {
  setParams({ after });
  scrollTo(0, 0);
}
