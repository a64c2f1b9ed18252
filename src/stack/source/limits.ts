/** Bytes of one file, and of all files of a stack. */
export const largestFile = 2 * 1024 * 1024;
export const largestStack = 8 * 1024 * 1024;
export const mostFiles = 200;
/** Levels of nesting, aliases followed. */
export const deepest = 100;
/** Words of YAML in one file: bounds the work before anything is built. */
export const mostLexemes = 400_000;
/** Values in one file, aliases counted as often as they are used. */
export const mostValues = 200_000;
/** Syntax errors after which a text is not looked at any further. */
export const mostFaults = 20;
