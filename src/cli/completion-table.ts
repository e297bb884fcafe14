// What can be typed after each command, read from the program itself, so that no command, option or choice can be missing.
import type { Argument, Command, Option } from 'commander';

/** What can be typed at a place: fixed words, names that the daemon knows, files, or free text. */
export type ValueKind = { readonly words: readonly string[] } | 'channels' | 'rules' | 'files' | 'anything';

export interface OptionEntry {
  /** `--long`, and `-s` if it has one. */
  readonly names: readonly string[];
  readonly description: string;
  /** Undefined: it takes no value. */
  readonly value: ValueKind | undefined;
  /** It takes values until the next option. */
  readonly isVariadic: boolean;
}

export interface CommandEntry {
  /** `stream list`; empty: the program itself. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly OptionEntry[];
  readonly values: readonly ValueKind[];
  /** The last value may be repeated. */
  readonly isVariadic: boolean;
}

/** Every command with what may follow it; the options of the program may follow any of them. */
export function completionTable(program: Command): readonly CommandEntry[] {
  return entriesOf(program, '', program.createHelp().visibleOptions(program));
}

function entriesOf(command: Command, path: string, globals: readonly Option[]): CommandEntry[] {
  const help = command.createHelp();
  const inner = help.visibleCommands(command).filter((each) => each.name() !== 'help');
  // Words after a group go to its default command.
  const fallback = command.commands.find((each) => each.name() === defaultCommandOf(command));
  const named = [command, ...(fallback ? [fallback] : [])];
  const options = new Map(
    [...named.flatMap((each) => help.visibleOptions(each)), ...globals].map((option) => [
      option.attributeName(),
      option,
    ]),
  );
  const values = (fallback ?? command).registeredArguments;
  return [
    {
      path,
      commands: inner.map((each) => ({ name: each.name(), description: each.description() })),
      options: Array.from(options.values(), optionEntry),
      values: values.map((value) => kindOf(value.name(), value.argChoices)),
      isVariadic: values.at(-1)?.variadic ?? false,
    },
    ...inner.flatMap((each) => entriesOf(each, `${path} ${each.name()}`.trim(), globals)),
  ];
}

/** commander has no getter for it. */
function defaultCommandOf(command: Command): string | undefined {
  return (command as unknown as { _defaultCommandName?: string | null })._defaultCommandName ?? undefined;
}

function optionEntry(option: Option): OptionEntry {
  const [, name = ''] = /[<[]([\w=|-]+)/.exec(option.flags) ?? [];
  return {
    names: [option.long, option.short].filter((each) => each !== undefined),
    description: option.description,
    value: option.required || option.optional ? kindOf(name, option.argChoices) : undefined,
    isVariadic: option.variadic,
  };
}

/** Decided by the name in the help, which says what kind of value is expected. */
function kindOf(name: string, choices: Argument['argChoices']): ValueKind {
  if (choices) return { words: choices };
  // `channel|tag` accepts either.
  const names = name.split('|');
  if (names.some((each) => /^channels?$/.test(each))) return 'channels';
  if (names.some((each) => /^rules?$/.test(each))) return 'rules';
  return names.some((each) => /^(?:files?|paths?|folders?|recordings)$/.test(each)) ? 'files' : 'anything';
}
