// Work that is done one after another, in the order in which it was asked for.

/** Returns a function that runs what it is given when everything that it was given before has ended, however that ended. */
export function inTurns(): <T>(run: () => Promise<T>) => Promise<T> {
  let before: Promise<unknown> = Promise.resolve();
  return (run) => {
    const result = before.then(run);
    before = result.catch(() => undefined);
    return result;
  };
}
