// Options whose values are checked before any request: an unknown value is refused, and the nearest one named.
import { InvalidArgumentError, Option } from 'commander';
import { moment } from '#api/moment.ts';
import { didYouMean } from '#domain/nearest-name.ts';

/** An option that takes one of a set of words, in any case. */
export function choiceOption(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, description).choices(choices).argParser((given: string) => chosen(given, choices));
}

/** An option that takes several of a set of words. */
export function choicesOption(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, description)
    .choices(choices)
    .argParser((given: string, before: readonly string[] | undefined) => [...(before ?? []), chosen(given, choices)]);
}

/** The word that is meant. @throws InvalidArgumentError with the nearest one */
export function chosen(given: string, choices: readonly string[]): string {
  const word = choices.find((each) => each.toLowerCase() === given.toLowerCase());
  if (word !== undefined) return word;
  throw new InvalidArgumentError(`There is no ${given}${didYouMean(given, choices)}. Known: ${choices.join(', ')}.`);
}

/** An option that takes a whole number from 1. */
export function countOption(flags: string, description: string, most: number): Option {
  return new Option(flags, description).argParser((given: string) => {
    if (/^[1-9]\d{0,8}$/.test(given) && Number(given) <= most) return Number(given);
    throw new InvalidArgumentError(`expected a whole number from 1 to ${most}.`);
  });
}

/** An option that takes a time, or how long ago it is. */
export function momentOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((given: string) => {
    if (moment.safeParse(given).success) return given;
    throw new InvalidArgumentError('expected a time such as 2026-11-20T22:00:00Z, or how long ago, such as 2h.');
  });
}

/** Tags written as `key=value`, several times. */
export function tagsOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((given: string, before: readonly string[] | undefined) => {
    if (given.indexOf('=') < 1) throw new InvalidArgumentError('write it as key=value.');
    return [...(before ?? []), given];
  });
}
