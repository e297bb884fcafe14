// `init`: a starter configuration, and next to it its JSON Schema for editors. Existing files are never overwritten.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { jsonSchemaOfConfig } from '#config/json-schema.ts';
import { messageOf } from '#domain/errors.ts';
import { packageRoot } from '#runtime/version.ts';
import { type CliIo, CommandFailed, example, printData } from './support.ts';
import { defaultConfigFile } from './validate.ts';

/** As named in the first line of the configuration. */
const schemaName = 'autopilot.schema.json';

export function register(program: Command, io: CliIo): void {
  program
    .command('init')
    .description('write a commented starter configuration and its schema for editors; never overwrites a file')
    .argument('[file]', 'file to write (default: AUTOPILOT_CONFIG, else config/autopilot.yaml)')
    .option('--json', 'print what was written as JSON')
    .addHelpText('after', example('ivs-autopilot init', 'ivs-autopilot init config/autopilot.yaml'))
    .action((given: string | undefined, { json }: { json?: boolean }) => {
      const file = given ?? defaultConfigFile(io.env);
      if (!/\.ya?ml$/i.test(file))
        throw new CommandFailed(
          `${file} does not end in .yaml or .yml: name a YAML file, such as config/autopilot.yaml.`,
          2,
        );
      const schema = join(dirname(file), schemaName);
      makeFolder(file);
      if (!written(file, readFileSync(join(packageRoot, 'config', 'autopilot.starter.yaml'), 'utf8')))
        throw new CommandFailed(`${file} already exists and is not changed: name another file, or move it away first.`);
      const isNewSchema = written(schema, `${JSON.stringify(jsonSchemaOfConfig(), null, 2)}\n`);
      printData(io, json, { file, schema, schemaWritten: isNewSchema }, () => [
        `Wrote ${file}: two rules in dry run, everything else in comments.`,
        isNewSchema
          ? `Wrote ${schema}: editors use it to complete and check the file.`
          : `${schema} already exists and is not changed; \`ivs-autopilot schema --output ${schema}\` replaces it.`,
        `Next: ivs-autopilot validate ${file}`,
      ]);
    });
}

function makeFolder(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
  } catch (error) {
    throw new CommandFailed(`The folder of ${file} cannot be created: ${messageOf(error)}.`);
  }
}

/** False: the file exists. It is created exclusively in one step, so that a file created meanwhile is not overwritten. */
function written(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new CommandFailed(`${file} cannot be written: ${messageOf(error)}.`);
  }
}
