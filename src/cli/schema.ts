// `schema`: the JSON Schema of the configuration file, for editors.
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { jsonSchemaOfConfig } from '#config/json-schema.ts';
import { messageOf } from '#domain/errors.ts';
import { type CliIo, CommandFailed, example, printLines } from './support.ts';

export function register(program: Command, io: CliIo): void {
  program
    .command('schema')
    .description('print the JSON Schema (draft 7) of the configuration file, for completion and checks in an editor')
    .option('-o, --output <file>', 'write it to a file')
    .option('--json', 'no effect: the output is always JSON')
    .addHelpText(
      'after',
      example('ivs-autopilot schema --output autopilot.schema.json') +
        '\nIn the first line of the YAML file: # yaml-language-server: $schema=autopilot.schema.json\n',
    )
    .action(({ output }: { output?: string }) => {
      const text = JSON.stringify(jsonSchemaOfConfig(), null, 2);
      if (output === undefined) {
        printLines(io.print, text);
        return;
      }
      try {
        writeFileSync(output, `${text}\n`);
      } catch (error) {
        throw new CommandFailed(`${output} cannot be written: ${messageOf(error)}.`);
      }
    });
}
