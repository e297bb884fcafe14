// How deep a JSON text nests, found without parsing it: what works on the value afterwards recurses.

/** Of what others send. A request needs six, an event four; what a person nests deeper is a mistake, or meant to hurt. */
export const deepestJson = 64;

/** Whether lists and objects are nested deeper than this. Reads each character once; of a text that is no JSON any answer will do. */
export function nestsDeeper(text: string, levels: number): boolean {
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
