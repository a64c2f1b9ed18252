import { firstWords, secondWords, type CompletionCommand, type CompletionOption } from './words.ts';

/** A script for `source <(sluice completion zsh)`, or as `_sluice` in a folder of `fpath`. */
export function zshCompletion(commands: readonly CompletionCommand[]): string {
  const groups = secondWords(commands);
  const single = commands.filter(({ name }) => !name.includes(' '));
  return `#compdef sluice
# zsh completion for sluice. Load it with: source <(sluice completion zsh)
_sluice() {
  local context state line
  local -a commands
  commands=(
${firstWords(commands)
  .map(({ word, summary }) => `    ${quote(`${word}:${summary.replaceAll(':', '\\:')}`)}`)
  .join('\n')}
  )
  _arguments -C '(- *)--version[Prints the version]' '(- *)--help[Explains the command]' '1: :->command' '*:: :->rest'
  case $state in
    command) _describe -t commands 'sluice command' commands ;;
    rest)
      case $words[1] in
${single.map((command) => `        ${command.name})\n${argumentsOf(command, 10)} ;;`).join('\n')}
${[...groups].map(([group, members]) => groupCase(group, members)).join('\n')}
      esac ;;
  esac
}
if [ "$funcstack[1]" = "_sluice" ]; then _sluice "$@"; else compdef _sluice sluice; fi
`;
}

function groupCase(group: string, members: readonly CompletionCommand[]): string {
  const words = members.map(({ name, summary }) => quote(`${name.split(' ')[1] ?? ''}:${summary}`)).join(' ');
  return `        ${group})
          _arguments -C '1: :->command' '*:: :->rest'
          case $state in
            command) commands=(${words}); _describe -t commands '${group} command' commands ;;
            rest)
              case $words[1] in
${members.map((command) => `                ${command.name.split(' ')[1] ?? ''})\n${argumentsOf(command, 18)} ;;`).join('\n')}
              esac ;;
          esac ;;`;
}

function argumentsOf({ options, arguments: places }: CompletionCommand, indent: number): string {
  const specs = [...options.map(optionSpec), ...places.map((place, index) => quote(`${index + 1}: :${action(place)}`))];
  return `${' '.repeat(indent)}_arguments ${specs.join(` \\\n${' '.repeat(indent + 2)}`)}`;
}

function optionSpec({ long, short, description, value }: CompletionOption): string {
  const words = description.replaceAll(/[[\]:]/g, (character) => `\\${character}`);
  const names = short === undefined ? long : `{${short},${long}}`;
  const text = `[${words}]${value === undefined ? '' : `: :${action(value)}`}`;
  return short === undefined ? quote(`${names}${text}`) : `${names}${quote(text)}`;
}

function action(value: NonNullable<CompletionOption['value']>): string {
  switch (value) {
    case 'nothing':
      return ' ';
    case 'files':
      return '_files';
    case 'folders':
      return '_files -/';
    default:
      return `(${value.join(' ')})`;
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
