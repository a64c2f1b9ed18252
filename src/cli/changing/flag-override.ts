/** How what was set by hand is taken back, to be said where it is set. */
export function undoing(environment: string, flag: string): string {
  return `It stays so until \`sluice flag set ${flag} --clear -e ${environment}\`, whatever is applied meanwhile.`;
}
