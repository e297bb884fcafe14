// Keys for tests of the state itself, which does not depend on the values.
import { type Key, type Kind, key, kind, type Log, log } from '#domain/state-key.ts';

// biome-ignore lint/suspicious/noExplicitAny: anything may lie there
type Anything = any;

export const at = (text: string): Key<Anything> => key(text as `${string}/${string}`);
export const kindOf = (name: string): Kind<Anything> => kind(name);
export const logOf = (name: string): Log<Anything> => log(name);
