import type { Colors } from 'picocolors/types.js';
import type { ReleaseDifference, ReleaseView } from '../../api/schemas/release.ts';
import { escapeControls } from '../terminal/text.ts';

type Risk = NonNullable<ReleaseView['risk']>;

/** What is different, from the sentences down to the lines of code. What files say cannot steer the terminal. */
export function renderDifference({ from, to, words, risk, change }: ReleaseDifference, colors: Colors): string {
  const sections = [
    colors.bold(`${from} to ${to}`),
    words.map((line) => `  ${escapeControls(line)}`).join('\n'),
    renderRisk(risk, colors),
    ...change.prompts.map((prompt) => `${colors.bold(escapeControls(prompt.path))}\n${indented(renderWords(prompt.words, colors))}`),
    ...change.files.filter(({ part, diff }) => part !== 'prompts' && diff !== undefined).map((file) => renderFile(file, colors)),
  ];
  return `${sections.join('\n\n')}\n`;
}

export function renderRisk({ level, reasons }: Risk, colors: Colors): string {
  const paint = { low: colors.green, medium: colors.yellow, high: colors.red }[level];
  return [`${colors.bold('Risk')} ${paint(level)}`, ...reasons.map(({ reason }) => `  ${escapeControls(reason)}`)].join('\n');
}

/** As `git diff --word-diff`: `[-gone-]{+new+}`. */
function renderWords(words: ReleaseDifference['change']['prompts'][number]['words'], colors: Colors): string {
  const marked = words.map(({ change, text }) => {
    const safe = text.split('\n').map(escapeControls).join('\n');
    if (change === 'same') return safe;
    return change === 'added' ? colors.green(`{+${safe}+}`) : colors.red(`[-${safe}-]`);
  });
  return marked.join('').trimEnd();
}

function renderFile({ path, diff = '', omitted }: ReleaseDifference['change']['files'][number], colors: Colors): string {
  const lines = diff.split('\n').map((line) => {
    const safe = escapeControls(line);
    if (line.startsWith('+')) return colors.green(safe);
    if (line.startsWith('-')) return colors.red(safe);
    return line.startsWith('@@') ? colors.dim(safe) : safe;
  });
  const rest = omitted === undefined ? [] : [colors.dim(`... ${omitted} more lines`)];
  return `${colors.bold(escapeControls(path))}\n${indented([...lines, ...rest].join('\n'))}`;
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
