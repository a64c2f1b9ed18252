import { firstWords, secondWords, type CompletionCommand, type CompletionOption } from './words.ts';

/** A script for `source <(sluice completion bash)`; needs nothing but bash 3.2. */
export function bashCompletion(commands: readonly CompletionCommand[]): string {
  const groups = [...secondWords(commands)];
  return `# bash completion for sluice. Load it with: source <(sluice completion bash)
_sluice() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="" words=0 i word
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "$word" in
      ${valueFlags(commands)}) i=$((i + 1)) ;;
      -*) ;;
      *)
        if [[ -z "$command" ]]; then command="$word"
${groups.map(([group]) => `        elif [[ "$command" == ${group} ]]; then command="${group} $word"`).join('\n')}
        else words=$((words + 1)); fi ;;
    esac
  done
  case "$command" in
    "") COMPREPLY=($(compgen -W "${firstWords(commands)
      .map(({ word }) => word)
      .join(' ')} --help --version" -- "$current")); return ;;
${groups.map(([group, members]) => `    "${group}") COMPREPLY=($(compgen -W "${members.map(({ name }) => name.split(' ')[1]).join(' ')}" -- "$current")); return ;;`).join('\n')}
${commands.map(commandCase).join('\n')}
  esac
}
complete -F _sluice sluice
`;
}

function commandCase(command: CompletionCommand): string {
  const values = command.options.flatMap((option) =>
    option.value === undefined ? [] : [`        ${flags(option)}) ${offer(option.value)}; return ;;`],
  );
  const flagsOf = command.options.flatMap(({ long, short }) => (short === undefined ? [long] : [long, short])).join(' ');
  const places = command.arguments.map((place, index) => `        ${index}) ${offer(place)} ;;`);
  return `    "${command.name}")
      case "$previous" in
${values.join('\n')}
      esac
      if [[ "$current" == -* ]]; then COMPREPLY=($(compgen -W "${flagsOf}" -- "$current")); return; fi
      case "$words" in
${places.length > 0 ? places.join('\n') : '        *) ;;'}
      esac ;;`;
}

function offer(value: NonNullable<CompletionOption['value']>): string {
  switch (value) {
    case 'nothing':
      return ':';
    case 'files':
      return 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current"))';
    case 'folders':
      return 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$current"))';
    default:
      return `COMPREPLY=($(compgen -W "${value.join(' ')}" -- "$current"))`;
  }
}

function flags({ long, short }: CompletionOption): string {
  return short === undefined ? long : `${long} | ${short}`;
}

function valueFlags(commands: readonly CompletionCommand[]): string {
  const all = commands.flatMap(({ options }) => options.filter(({ value }) => value !== undefined));
  return [...new Set(all.flatMap(({ long, short }) => (short === undefined ? [long] : [long, short])))].join(' | ');
}
