/** Where the code of a service comes from: a folder with a command, or an image, which has its own. An empty field is the service itself. */
export function codeIssues(service: {
  readonly source?: string | undefined;
  readonly image?: string | undefined;
  readonly command?: readonly string[] | undefined;
}): readonly { readonly field: readonly string[]; readonly message: string }[] {
  const { source, image, command } = service;
  if (source !== undefined && image !== undefined)
    return [{ field: ['image'], message: 'left out, or source is: the code comes from one of them' }];
  if (image !== undefined) return [];
  if (source === undefined) return [{ field: [], message: 'an object with source and command, or with image' }];
  return command === undefined ? [{ field: [], message: 'an object with command, which starts the code of source' }] : [];
}

/** The same as keywords of JSON Schema. */
export const codeInJsonSchema = {
  anyOf: [
    { required: ['source', 'command'], not: { required: ['image'] } },
    { required: ['image'], not: { required: ['source'] } },
  ],
};
