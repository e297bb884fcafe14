// The completion scripts. bash and zsh share their tables as functions of the POSIX shell; fish has its own language. Text from a daemon
// is only compared and printed, never evaluated.
import type { CommandEntry, OptionEntry, ValueKind } from './completion-table.ts';

export const shells: readonly string[] = ['bash', 'zsh', 'fish'];

/** The script for one of `shells`. */
export function scriptFor(shell: string, table: readonly CommandEntry[]): string {
  if (shell === 'fish') return fishScript(table);
  return shell === 'zsh' ? `#compdef ivs-autopilot\n${posixTables(table)}${zshEnd}` : `${posixTables(table)}${bashEnd}`;
}

/** How the scripts print what can be typed at a place. */
function kindText(kind: ValueKind): string {
  return typeof kind === 'string' ? kind : `words ${kind.words.join(' ')}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function described(name: string, description: string): string {
  return `${name} ${description}`;
}

function everyOption(table: readonly CommandEntry[]): { path: string; option: OptionEntry }[] {
  return table.flatMap(({ path, options }) => options.map((option) => ({ path, option })));
}

function posixTables(table: readonly CommandEntry[]): string {
  const list = (lines: readonly string[]) =>
    lines.length === 0 ? ':' : `printf '%s\\n' ${lines.map(quoted).join(' ')}`;
  const arms = (made: readonly (readonly [string, string])[]) =>
    made.map(([pattern, body]) => `    ${pattern}) ${body} ;;\n`).join('');
  const commands = table.filter(({ path }) => path !== '').map(({ path }) => quoted(path));
  return `# Completion of ivs-autopilot. Made by \`ivs-autopilot completion\`: make it again after an update.
_iva_commands() {
  case $1 in
${arms(
  table.map(({ path, commands: inner }) => [
    quoted(path),
    list(inner.map(({ name, description }) => described(name, description))),
  ]),
)}  esac
}
_iva_options() {
  case $1 in
${arms(
  table.map(({ path, options }) => [
    quoted(path),
    list(options.flatMap(({ names, description }) => names.map((name) => described(name, description)))),
  ]),
)}  esac
}
# Sets iva_kind and iva_many to what the option takes.
_iva_option() {
  iva_kind= iva_many=
  case "$1 $2" in
${arms(
  everyOption(table)
    .filter(({ option }) => option.value !== undefined)
    .map(({ path, option }) => [
      option.names.map((name) => quoted(`${path} ${name}`)).join(' | '),
      `iva_kind=${quoted(kindText(option.value!))}${option.isVariadic ? ' iva_many=1' : ''}`,
    ]),
)}  esac
}
# Sets iva_kind to what the command takes as its value of this number.
_iva_value() {
  iva_kind=anything
  case "$1 $2" in
${arms(
  table.flatMap(({ path, values, isVariadic }) =>
    values.map((kind, index): [string, string] => [
      isVariadic && index === values.length - 1 ? `${quoted(path)}' '*` : quoted(`${path} ${index}`),
      `iva_kind=${quoted(kindText(kind))}`,
    ]),
  ),
)}  esac
}
_iva_is_command() {
  case $1 in ${commands.join(' | ')}) return 0 ;; esac
  return 1
}
# Reads the words before the cursor, and prints what may follow: a word and what it is on each line, or @files.
# The first two arguments are the program and the word under the cursor.
_iva_complete() {
  local iva_program=$1 iva_current=$2 iva_at= iva_count=0 iva_wanted= iva_repeats= iva_last= iva_url= iva_token= iva_kind= iva_many= iva_word
  shift 2
  while [ $# -gt 0 ]; do
    iva_word=$1
    shift
    if [ -n "$iva_wanted" ]; then
      case "$iva_repeats$iva_word" in
        1-*) iva_wanted= ;;
        *)
          case $iva_last in --url) iva_url=$iva_word ;; --token-file) iva_token=$iva_word ;; esac
          [ -n "$iva_repeats" ] || iva_wanted=
          continue
          ;;
      esac
    fi
    case $iva_word in
      --url=*) iva_url=\${iva_word#*=} ;;
      --token-file=*) iva_token=\${iva_word#*=} ;;
      --*=*) ;;
      -*)
        iva_last=$iva_word
        _iva_option "$iva_at" "$iva_word"
        iva_wanted=$iva_kind iva_repeats=$iva_many
        ;;
      *)
        if [ $iva_count -eq 0 ] && _iva_is_command "\${iva_at:+$iva_at }$iva_word"; then
          iva_at=\${iva_at:+$iva_at }$iva_word
        else
          iva_count=$((iva_count + 1))
        fi
        ;;
    esac
  done
  case $iva_current in
    --*=*) _iva_option "$iva_at" "\${iva_current%%=*}" ;;
    -*)
      if [ -n "$iva_wanted" ] && [ -z "$iva_repeats" ]; then iva_kind=$iva_wanted; else _iva_options "$iva_at"; return; fi
      ;;
    *)
      if [ -n "$iva_wanted" ]; then
        iva_kind=$iva_wanted
      else
        [ $iva_count -eq 0 ] && _iva_commands "$iva_at"
        _iva_value "$iva_at" $iva_count
      fi
      ;;
  esac
  case $iva_kind in
    'words '*) printf '%s\\n' "\${iva_kind#words }" | tr ' ' '\\n' ;;
    channels | rules)
      "$iva_program" completion --names "$iva_kind" \${iva_url:+"--url=$iva_url"} \${iva_token:+"--token-file=$iva_token"} 2>/dev/null </dev/null
      ;;
    files) printf '%s\\n' @files ;;
  esac
}
`;
}

const bashEnd = `_ivs_autopilot() {
  local IFS=$' \\t\\n' current=\${COMP_WORDS[COMP_CWORD]} word last glued= line
  local -a before=()
  local index
  # bash cuts words at = and at colons: they are put together again.
  for ((index = 1; index <= COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    last=$((\${#before[@]} - 1))
    if ((last >= 0)) && [[ $word == [=:]* || -n $glued ]]; then before[last]+=$word; else before+=("$word"); fi
    if [[ $word == [=:]* ]]; then glued=1; else glued=; fi
  done
  last=$((\${#before[@]} - 1))
  current=\${before[last]}
  unset 'before[last]'
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == @files ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "\${current#--*=}")
      continue
    fi
    word=\${line%% *}
    [[ $word == "\${current#--*=}"* ]] && COMPREPLY+=("$word")
  done < <(_iva_complete "\${COMP_WORDS[0]}" "$current" "\${before[@]}")
}
complete -F _ivs_autopilot ivs-autopilot
`;

const zshEnd = `_ivs_autopilot() {
  emulate -L zsh
  local line current=\${words[CURRENT]}
  local -a found shown
  for line in "\${(@f)$(_iva_complete "\${words[1]}" "$current" "\${(@)words[2,CURRENT-1]}")}"; do
    [[ -z $line ]] && continue
    if [[ $line == @files ]]; then
      [[ $current == --*=* ]] && compset -P '*='
      _files
      continue
    fi
    found+=("\${line%% *}")
    shown+=("\${line/ /  -- }")
  done
  if (( \${#found} )); then
    [[ $current == --*=* ]] && compset -P '*='
    compadd -l -d shown -- "\${found[@]}"
  fi
}
if [[ \${funcstack[1]} == _ivs-autopilot ]]; then
  _ivs_autopilot "$@"
elif (( $+functions[compdef] )); then
  compdef _ivs_autopilot ivs-autopilot
fi
`;

function fishScript(table: readonly CommandEntry[]): string {
  const word = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const list = (lines: readonly string[]) =>
    lines.length === 0 ? 'return' : `printf '%s\\n' ${lines.map(word).join(' ')}`;
  const arms = (made: readonly (readonly [string, string])[]) =>
    made.map(([pattern, body]) => `        case ${pattern}\n            ${body}\n`).join('');
  const pair = ({ name, description }: { name: string; description: string }) => `${name}\t${description}`;
  const commands = table.filter(({ path }) => path !== '').map(({ path }) => word(path));
  return `# Completion of ivs-autopilot. Made by \`ivs-autopilot completion\`: make it again after an update.
function __iva_commands
    switch $argv[1]
${arms(table.map(({ path, commands: inner }) => [word(path), list(inner.map(pair))]))}    end
end
function __iva_options
    switch $argv[1]
${arms(
  table.map(({ path, options }) => [
    word(path),
    list(options.flatMap(({ names, description }) => names.map((name) => pair({ name, description })))),
  ]),
)}    end
end
# Prints what the option takes, and whether it takes more than one.
function __iva_option
    switch "$argv[1] $argv[2]"
${arms(
  everyOption(table)
    .filter(({ option }) => option.value !== undefined)
    .map(({ path, option }) => [
      option.names.map((name) => word(`${path} ${name}`)).join(' '),
      `printf '%s\\n' ${word(kindText(option.value!))}${option.isVariadic ? ' many' : ''}`,
    ]),
)}    end
end
function __iva_value
    switch "$argv[1] $argv[2]"
${arms(
  table.flatMap(({ path, values, isVariadic }) =>
    values.map((kind, index): [string, string] => [
      isVariadic && index === values.length - 1 ? word(`${path} *`) : word(`${path} ${index}`),
      `echo ${word(kindText(kind))}`,
    ]),
  ),
)}    end
end
function __iva_complete
    set -l before (commandline -opc)
    set -l program $before[1]
    set -e before[1]
    set -l current (commandline -ct)
    set -l at ''
    set -l count 0
    set -l wanted
    set -l last
    set -l daemon
    for each in $before
        if set -q wanted[1]
            if not set -q wanted[2]; or not string match -q -- '-*' $each
                contains -- $last --url --token-file; and set -a daemon $last $each
                set -q wanted[2]; or set -e wanted
                continue
            end
            set -e wanted
        end
        switch $each
            case '--url=*' '--token-file=*'
                set -a daemon $each
            case '--*=*'
            case '-*'
                set last $each
                set wanted (__iva_option "$at" $each)
            case '*'
                set -l deeper (string trim -- "$at $each")
                if test $count -eq 0; and contains -- $deeper ${commands.join(' ')}
                    set at $deeper
                else
                    set count (math $count + 1)
                end
        end
    end
    set -l prefix ''
    set -l kind $wanted[1]
    if not set -q wanted[1]; or begin; set -q wanted[2]; and string match -q -- '-*' $current; end
        switch $current
            case '--*=*'
                set prefix (string replace -r '=.*' '=' -- $current)
                set kind (__iva_option "$at" (string replace -r '=.*' '' -- $current))[1]
            case '-*'
                __iva_options "$at"
                return
            case '*'
                test $count -eq 0; and __iva_commands "$at"
                set kind (__iva_value "$at" $count)
        end
    end
    switch "$kind"
        case 'words *'
            for each in (string split ' ' -- $kind)[2..]
                echo $prefix$each
            end
        case channels rules
            for each in ($program completion --names $kind $daemon 2>/dev/null </dev/null)
                set -l parts (string split -m 1 ' ' -- $each)
                printf '%s%s\\t%s\\n' "$prefix" "$parts[1]" "$parts[2]"
            end
        case files
            __fish_complete_path (string replace -r '^--[^=]*=' '' -- $current)
    end
end
complete -c ivs-autopilot -f -a '(__iva_complete)'
`;
}
