// How deep a JSON text nests, found without parsing it, because code that later works on the value is recursive.

/** Limit for input from others. A request needs six levels, an event four; anything deeper is a mistake or an attack. */
export const deepestJson = 64;

/**
 * Whether lists and objects are nested deeper than this. Reads each character once; the result for a text that is not JSON is arbitrary.
 */
export function nestsDeeper(text: string, levels: number): boolean {
  if (!opensMoreThan(text, levels)) return false;
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charCodeAt(index);
    if (inString) {
      if (character === 0x5c) index += 1;
      else if (character === 0x22) inString = false;
    } else if (character === 0x22) inString = true;
    else if (character === 0x5b || character === 0x7b) {
      depth += 1;
      if (depth > levels) return true;
    } else if (character === 0x5d || character === 0x7d) depth -= 1;
  }
  return false;
}

/** Whether this many lists and objects begin at all, inside of strings or not: few texts have as many, and this is found quickly. */
function opensMoreThan(text: string, most: number): boolean {
  let count = 0;
  for (const bracket of ['[', '{']) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      count += 1;
      if (count > most) return true;
    }
  }
  return false;
}
