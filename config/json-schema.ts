// The JSON Schema of the configuration file, made from the schema that checks it.
import { z } from 'zod';
import { configSchema } from './schema.ts';

/** JSON Schema draft 7 of what may be written in the file. */
export function jsonSchemaOfConfig(): object {
  const { $schema, ...schema } = z.toJSONSchema(configSchema, {
    io: 'input',
    target: 'draft-7',
    unrepresentable: 'any',
  });
  return { $schema, title: 'ivs-autopilot configuration', ...schema };
}
