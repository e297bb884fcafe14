// "Did you mean": the known name nearest to a misspelt one.

/** The candidate within two edits (one for short names) of `text`, ignoring case and `-`/`_`, or undefined. */
export function nearestName(text: string, candidates: Iterable<string>): string | undefined {
  const wanted = plain(text);
  let best: { name: string; distance: number } | undefined;
  for (const name of candidates) {
    const distance = editDistance(wanted, plain(name), name.length <= 4 ? 1 : 2);
    if (distance !== undefined && (!best || distance < best.distance)) best = { name, distance };
  }
  return best?.name;
}

function plain(name: string): string {
  return name.slice(0, 200).toLowerCase().replaceAll(/[-_]/g, '');
}

/** Edits (insert, delete, replace, swap of neighbours) from one text to the other, or undefined if more than `most`. */
function editDistance(from: string, to: string, most: number): number | undefined {
  if (Math.abs(from.length - to.length) > most) return undefined;
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min(last[column]! + 1, next[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1));
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1])
        cost = Math.min(cost, beforeLast[column - 2]! + 1);
      next.push(cost);
    }
    beforeLast = last;
    last = next;
  }
  const distance = last[to.length]!;
  return distance <= most ? distance : undefined;
}

/** ` (did you mean x?)`, or nothing if no candidate is near. */
export function didYouMean(text: string, candidates: Iterable<string>): string {
  const nearest = nearestName(text, candidates);
  return nearest === undefined ? '' : ` (did you mean ${nearest}?)`;
}
