import { jsonSchemaOfConfig } from '#config/json-schema.ts';

/** The part of the configuration's JSON schema at a path such as `properties.rules.items`; undefined if there is none. */
export function configSchemaAt(path: string): unknown {
  let part: unknown = jsonSchemaOfConfig();
  for (const name of path.split('.')) part = (part as Readonly<Record<string, unknown>> | undefined)?.[name];
  return part;
}
