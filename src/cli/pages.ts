// Lists that the API returns in pages, and queries with optional parts.

/**
 * Items of as many pages as are needed.
 * @param page reads one page: at most this many items after a cursor
 * @returns at most `limit` items; `next` if there are more
 */
export async function gathered<T>(
  limit: number,
  page: (
    after: string | undefined,
    most: number,
  ) => Promise<{ readonly items: readonly T[]; readonly next?: string | undefined }>,
): Promise<{ readonly items: T[]; readonly next: string | undefined }> {
  const items: T[] = [];
  let after: string | undefined;
  do {
    const { items: more, next } = await page(after, limit - items.length);
    items.push(...more);
    // A cursor that does not advance would be requested forever.
    if (next === after) return { items, next: undefined };
    after = next;
  } while (after !== undefined && items.length < limit);
  return { items: items.slice(0, limit), next: after };
}

/** The object without its undefined fields. */
export function given<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
