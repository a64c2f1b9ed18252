/** One thing this machine has or lacks. */
export interface Finding {
  readonly name: string;
  /** `missing` stops Sluice itself; `limited` means that something named in `neededFor` does not work or is not enforced here. */
  readonly state: 'ok' | 'limited' | 'missing';
  /** What was found, or why not. */
  readonly found: string;
  readonly neededFor: string;
  /** Commands and other ways to get it; empty when all is well. */
  readonly remedy: readonly string[];
}

/** Ways to install a program, for this system: apt where it is Linux, brew on macOS. */
export function install(
  packages: { apt?: string; brew?: string; npm?: string; other?: string },
  platform = process.platform,
): readonly string[] {
  const system =
    platform === 'darwin' ? packages.brew && `brew install ${packages.brew}` : packages.apt && `sudo apt install ${packages.apt}`;
  const npm = packages.npm && `npm install ${packages.npm}`;
  return [npm, system, packages.other].filter((way): way is string => way !== undefined && way !== '');
}
