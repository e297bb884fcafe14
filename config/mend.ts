// What is left of a document without its broken parts, so that one mistake does not hide the next: a misspelt key is read as the one that
// was meant, a broken part is left out or replaced, and the rest is checked as if they were not there.
import { nearestName } from '#domain/nearest-name.ts';
import { findingsOf, knownKeysAt, unknownKey } from './issues.ts';
import type { Finding, PathPart } from './problem.ts';
import { type ConfigDocument, configSchema } from './schema.ts';
import { mostProblems } from './yaml.ts';

type Path = readonly PathPart[];
type Json = Record<string, unknown> | unknown[];

/** A document that the schema accepts, and what was wrong with the one in the file. */
export interface Mended {
  /** Undefined: nothing could be made of it. */
  readonly document: ConfigDocument | undefined;
  /** Their paths are those of the file. */
  readonly findings: readonly Finding[];
  /** The path in the file for a place in `document`. */
  readonly origin: (path: Path) => Path;
  /** Whether a place in `document` is not from the file, or follows from something that is not. */
  readonly isStandIn: (path: Path) => boolean;
  /** Rules that differ from those in the file: checks over a whole rule say nothing about them. */
  readonly brokenRules: ReadonlySet<number>;
  /** Names of things that the file has and `document` lacks: a reference to them is not an error. */
  readonly lostNames: ReadonlySet<string>;
}

/** Parts are nested, and each round repairs at least one level. */
const mostRounds = 20;

const anyStream = { live: [true, false] };
const standInTriggers: Readonly<Record<string, unknown>> = {
  event: { event: { source: ['aws.ivs'] } },
  state: { state: anyStream },
  aggregate: { aggregate: { health: ['STARVING'], count: [{ numeric: ['>', 0] }] } },
  threshold: { threshold: { field: 'viewerCount', rises_to: [1] } },
  schedule: { schedule: { active_time_intervals: ['stand-in'] } },
  http: { http: { name: 'stand-in' } },
};
const standInActions = [{ emit_event: { detail_type: 'stand-in', detail: {} } }];

/** Checks a document, and repairs it until the schema accepts it. */
export function mend(value: unknown): Mended {
  const mending = new Mending(structuredClone(value));
  return mending.run();
}

interface Rename {
  readonly finding: Finding;
  readonly to: string;
  /** Only because it is missing, not because the names are alike. */
  readonly isFar: boolean;
}

class Mending {
  readonly #root: { value: unknown };
  /** Where the elements of a list, or the keys of an object, were in the file; by default where they are. */
  readonly #origins = new WeakMap<object, Map<PathPart, PathPart>>();
  readonly #standIns: Path[] = [];
  readonly #brokenRules = new Set<number>();
  readonly #lostNames = new Set<string>();
  readonly #findings: Finding[] = [];
  /** Places in the file that were reported and removed: what follows from them, at or above them, is not reported. */
  readonly #told: Path[] = [];
  readonly #renamed: Path[] = [];

  constructor(value: unknown) {
    this.#root = { value };
  }

  run(): Mended {
    let document: ConfigDocument | undefined;
    for (let round = 0; round < mostRounds && document === undefined; round += 1) {
      const checked = configSchema.safeParse(this.#root.value, { reportInput: true });
      if (checked.success) document = checked.data;
      else {
        const findings = findingsOf(checked.error, configSchema, mostProblems);
        const isMended = this.#mendAll(findings);
        // With that many problems, these are reported first.
        if (!isMended || findings.length >= mostProblems) break;
      }
    }
    return {
      document,
      findings: this.#findings,
      origin: (path) => this.#origin(path),
      isStandIn: (path) => this.#standIns.some((standIn) => isWithin(path, standIn)),
      brokenRules: this.#brokenRules,
      lostNames: this.#lostNames,
    };
  }

  /** Reports and repairs what a round has found; false if nothing more is to be done. */
  #mendAll(findings: readonly Finding[]): boolean {
    const unknown = findings.filter(({ atKey }) => atKey);
    const renames = unknown.flatMap((finding) => this.#renameOf(finding, findings) ?? []);
    const meant = renames.map(({ finding, to }) => [...finding.path.slice(0, -1), to]);
    const ofUnknown = (path: Path) => unknown.some((finding) => samePath(finding.path.slice(0, -1), path));
    const told = [...this.#told];
    const renamed = [...this.#renamed];
    for (const finding of findings) {
      // A part that lacks a key because it is misspelt, or does not have exactly one of several for that reason: this follows from the key.
      const follows = meant.some((path) => samePath(path, finding.path)) || (!finding.atKey && ofUnknown(finding.path));
      const at = this.#origin(finding.path);
      const rename = renames.find((one) => one.finding === finding);
      if (!follows && !told.some((place) => isWithin(place, at)) && !renamed.some((place) => samePath(place, at))) {
        const message = rename?.isFar
          ? `${unknownKey(String(finding.path.at(-1)))}, and ${rename.to} is missing: write ${rename.to}?`
          : finding.message;
        this.#findings.push({ ...finding, message, path: at });
      }
      // What is below a renamed key is checked; that its value is invalid for the intended key is not reported as well.
      if (rename) this.#renamed.push(at);
      else this.#told.push(at);
    }
    for (const { finding, to } of renames) this.#rename(finding.path, to);
    // From the back, so that a removal does not move what is still to be removed.
    const rest = findings.filter(
      (finding) =>
        !renames.some((rename) => rename.finding === finding) &&
        !meant.some((path) => samePath(path, finding.path)) &&
        (finding.atKey || !ofUnknown(finding.path)),
    );
    const paths = rest
      .map(({ path }) => path)
      .sort(comparePaths)
      .reverse();
    let gone: Path | undefined;
    for (const path of paths) {
      if (gone && (samePath(path, gone) || isWithin(path, gone))) continue;
      if (!this.#replace(path)) return false;
      gone = path;
    }
    return true;
  }

  /** The key that was meant by an unknown one: a similar name, or the only missing key next to the only unknown one. */
  #renameOf(finding: Finding, all: readonly Finding[]): Rename | undefined {
    const parent = finding.path.slice(0, -1);
    const object = this.#at(parent);
    if (!isJson(object) || Array.isArray(object)) return undefined;
    const free = knownKeysAt(configSchema, parent).filter((key) => !Object.hasOwn(object, key));
    const near = nearestName(String(finding.path.at(-1)), free);
    if (near !== undefined) return { finding, to: near, isFar: false };
    const beside = all.filter(({ path }) => samePath(path.slice(0, -1), parent));
    const missing = beside.filter(({ path, atKey }) => !atKey && !Object.hasOwn(object, String(path.at(-1))));
    const [only] = missing;
    if (!only || missing.length > 1 || beside.filter(({ atKey }) => atKey).length > 1) return undefined;
    return { finding, to: String(only.path.at(-1)), isFar: true };
  }

  #rename(path: Path, to: string): void {
    const key = String(path.at(-1));
    const object = this.#at(path.slice(0, -1)) as Record<string, unknown>;
    if (Object.hasOwn(object, to)) return;
    object[to] = object[key];
    delete object[key];
    this.#originsOf(object).set(to, key);
  }

  /** Removes a part, or replaces it. */
  #replace(path: Path): boolean {
    if (path.length === 0) return false;
    const [list, index, field] = path;
    if (list === 'rules' && typeof index === 'number') return this.#replaceInRule(path, index, field);
    if (path.length === 1 && list === 'version') {
      (this.#root.value as Record<string, unknown>)['version'] = 1;
      return true;
    }
    return this.#remove(path);
  }

  #replaceInRule(path: Path, index: number, field: PathPart | undefined): boolean {
    const rule = this.#at(['rules', index]);
    const name = `broken-rule-${index}`;
    const put = (place: Path, value: unknown): true => {
      const parent = this.#at(place.slice(0, -1)) as Record<PathPart, unknown>;
      // A copy: the replacement may itself be repaired, and the next file must find it intact.
      parent[place.at(-1)!] = structuredClone(value);
      this.#standIns.push(place);
      if (place.length < 4 && place[2] !== 'actions') this.#brokenRules.add(index);
      return true;
    };
    if (field === undefined || !isJson(rule) || Array.isArray(rule)) {
      this.#lose(rule);
      return put(['rules', index], { name, trigger: standInTriggers['state'], actions: standInActions });
    }
    const onlyIf = path.indexOf('only_if');
    if (field === 'name') return put(['rules', index, 'name'], name);
    if (field === 'trigger') {
      const kind = isJson(rule['trigger'])
        ? Object.keys(rule['trigger']).find((key) => standInTriggers[key])
        : undefined;
      return put(['rules', index, 'trigger'], standInTriggers[kind ?? 'event']);
    }
    if (field === 'match') return put(['rules', index, 'match'], { arn: [{ exists: true }] });
    if (field === 'while') return put(['rules', index, 'while'], anyStream);
    if (onlyIf >= 0) return put(path.slice(0, onlyIf + 1), anyStream);
    if (path.length === 3 && field === 'actions') return put(['rules', index, 'actions'], standInActions);
    return this.#remove(path);
  }

  /** Removes a part; if it does not exist, the object that lacks it. */
  #remove(path: Path): boolean {
    const parentPath = path.slice(0, -1);
    const parent = this.#at(parentPath);
    const key = path.at(-1)!;
    if (Array.isArray(parent) && typeof key === 'number' && key < parent.length) {
      this.#lose(parent[key]);
      const origins = parent.map((_, place) => this.#originsOf(parent).get(place) ?? place);
      parent.splice(key, 1);
      origins.splice(key, 1);
      this.#origins.set(parent, new Map(origins.entries()));
      return true;
    }
    if (isJson(parent) && !Array.isArray(parent) && Object.hasOwn(parent, key)) {
      this.#lose(parent[String(key)]);
      // A notify without a receiver is correct if there is one.
      if (path.length === 1 && key === 'route') this.#lostNames.add('route');
      delete parent[String(key)];
      return true;
    }
    return this.#replace(parentPath);
  }

  /** Remembers the names in a part that is removed. */
  #lose(part: unknown): void {
    if (!isJson(part)) return;
    for (const inner of Array.isArray(part) ? part : [part]) {
      const name: unknown = isJson(inner) && !Array.isArray(inner) ? inner['name'] : undefined;
      if (typeof name === 'string') this.#lostNames.add(name);
    }
  }

  #at(path: Path): unknown {
    return path.reduce<unknown>(
      (value, part) =>
        isJson(value) && Object.hasOwn(value, part) ? (value as Record<PathPart, unknown>)[part] : undefined,
      this.#root.value,
    );
  }

  #origin(path: Path): Path {
    let value: unknown = this.#root.value;
    return path.map((part) => {
      if (!isJson(value)) return part;
      const origin = this.#origins.get(value)?.get(part) ?? part;
      value = Object.hasOwn(value, part) ? (value as unknown as Record<PathPart, unknown>)[part] : undefined;
      return origin;
    });
  }

  #originsOf(part: object): Map<PathPart, PathPart> {
    let origins = this.#origins.get(part);
    if (!origins) this.#origins.set(part, (origins = new Map()));
    return origins;
  }
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null;
}

/** Whether a place is another, or inside it. */
export function isWithin(place: Path, outer: Path): boolean {
  return outer.length <= place.length && outer.every((part, index) => part === place[index]);
}

function samePath(left: Path, right: Path): boolean {
  return left.length === right.length && isWithin(left, right);
}

function comparePaths(left: Path, right: Path): number {
  for (const [index, part] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    if (part === other) continue;
    if (typeof part === 'number' && typeof other === 'number') return part - other;
    return String(part) < String(other) ? -1 : 1;
  }
  return left.length - right.length;
}
