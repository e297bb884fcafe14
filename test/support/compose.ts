// What deploy/compose.yaml gives a container, computed as Docker Compose would.

/** The variables of an env file. */
export function environmentOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split('\n')
      .filter((line) => /^[A-Z_]+=/.test(line))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

/** A service's variables: without a value they come from the env file, and are omitted if it has none. */
export function serviceEnvironment(
  declared: Readonly<Record<string, string | null>>,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const entries = Object.entries(declared).map(([name, value]) => [
    name,
    value === null
      ? given[name]
      : value.replace(
          /\$\{(\w+):-([^}]*)\}/g,
          (_match, variable: string, fallback: string) => given[variable] ?? fallback,
        ),
  ]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Record<string, string>;
}
