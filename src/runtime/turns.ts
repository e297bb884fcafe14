// Runs work one piece after another, in the order in which it was submitted.

/** Returns a function that runs its argument when everything submitted earlier has ended, successfully or not. */
export function inTurns(): <T>(run: () => Promise<T>) => Promise<T> {
  let before: Promise<unknown> = Promise.resolve();
  return (run) => {
    const result = before.then(run);
    before = result.catch(() => undefined);
    return result;
  };
}
