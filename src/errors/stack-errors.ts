import { entry } from './entry.ts';

const near = (nearest: string | undefined) => (nearest === undefined ? '' : `Did you mean '${nearest}'? `);

/** A row for something wrong in a stack's text: never worth a second try before the text has changed. */
function mistake<Parameters>(message: (parameters: Parameters) => string, help: (parameters: Parameters) => string) {
  return entry<Parameters>({ status: 422, retry: 'terminal', message, help });
}

const fileErrors = {
  stack_not_found: mistake<{ path: string }>(
    ({ path }) => `There is no stack at '${path}'.`,
    () => 'Name a stack file, or a folder that holds stack.yaml or other YAML files.',
  ),
  stack_empty: mistake<{ path: string }>(
    ({ path }) => `'${path}' declares nothing.`,
    () => 'Declare at least one block, for example a service; `sluice init` writes a small stack to start from.',
  ),
  stack_not_a_file: mistake<{ path: string }>(
    ({ path }) => `'${path}' is neither a regular file nor a folder.`,
    () => 'A stack is read from regular files only, not from pipes, devices or sockets.',
  ),
  stack_unreadable: mistake<{ path: string; reason: string }>(
    ({ path, reason }) => `'${path}' cannot be read: ${reason}.`,
    () => 'Correct the permissions or the symbolic link and try again.',
  ),
  stack_too_large: mistake<{ path: string; limit: string }>(
    ({ path, limit }) => `'${path}' is larger than ${limit}.`,
    () => 'A stack is written by people: split it into several files, and keep data in files it refers to.',
  ),
  stack_too_many_files: mistake<{ path: string; limit: number }>(
    ({ path, limit }) => `'${path}' holds more than ${limit} YAML files.`,
    () => 'Put the stack into a folder of its own, or name its files in stack.yaml and stack.d.',
  ),
  text_not_utf8: mistake<{ byte: number }>(
    ({ byte }) => `The file is not UTF-8: byte ${byte} does not fit.`,
    () => 'Save the file as UTF-8.',
  ),
  text_not_printable: mistake<{ character: string }>(
    ({ character }) => `The control character ${character} is not allowed in a stack.`,
    () => 'Remove it; inside double quotes it can be written as an escape.',
  ),
};

const yamlErrors = {
  yaml_invalid: mistake<{ reason: string }>(
    ({ reason }) => `This is not valid YAML: ${reason}.`,
    () => 'Correct the syntax; look for indentation, quotes and brackets just before this place.',
  ),
  yaml_too_deep: mistake<{ limit: number }>(
    ({ limit }) => `The nesting is deeper than ${limit} levels.`,
    () => 'No block of a stack needs this; look for brackets that are not closed.',
  ),
  yaml_too_big: mistake<{ limit: number }>(
    ({ limit }) => `The file has more than ${limit} values, aliases counted as often as they are used.`,
    () => 'Use fewer aliases, or split the stack into several files.',
  ),
  yaml_many_documents: mistake<Record<string, never>>(
    () => 'A stack file holds one YAML document, and here a second one starts.',
    () => 'Remove the line with --- and make blocks of one kind a list, or use several files.',
  ),
  yaml_alias_unknown: mistake<{ alias: string }>(
    ({ alias }) => `There is no anchor '&${alias}' before this alias.`,
    () => 'Define the anchor earlier in the same file; an alias cannot stand inside its own anchor.',
  ),
  yaml_unsupported: mistake<{ what: string }>(
    ({ what }) => `${what} cannot be used in a stack.`,
    () => 'Write plain text, numbers, true, false, lists and maps.',
  ),
  duplicate_key: mistake<{ key: string; first: string }>(
    ({ key, first }) => `The key '${key}' stands here a second time; the first is at ${first}.`,
    () => 'Keep one of them; to declare several blocks of one kind make a list.',
  ),
  forbidden_key: mistake<{ key: string }>(
    ({ key }) => `'${key}' is not allowed as a key.`,
    () => 'Choose another name.',
  ),
  too_many_problems: entry<{ shown: number }>({
    status: 422,
    retry: 'terminal',
    message: ({ shown }) => `There is more; only the first ${shown} problems are shown.`,
    help: () => 'Correct these and validate again.',
  }),
};

const blockErrors = {
  stack_not_a_map: mistake<{ found: string }>(
    ({ found }) => `A stack is a map from kinds to blocks, and this is ${found}.`,
    () => 'Start with a kind, for example `service:`, and put its fields below it.',
  ),
  unknown_kind: mistake<{ kind: string; nearest?: string | undefined; kinds: readonly string[] }>(
    ({ kind }) => `There is no kind '${kind}'.`,
    ({ nearest, kinds }) => `${near(nearest)}The kinds are ${kinds.join(', ')}.`,
  ),
  block_not_a_map: mistake<{ kind: string; found: string }>(
    ({ kind, found }) => `A ${kind} is a map of fields or a list of such maps, and this is ${found}.`,
    ({ kind }) => `Write \`${kind}:\` with \`name:\` and its other fields below it.`,
  ),
  block_without_name: mistake<{ kind: string }>(
    ({ kind }) => `This ${kind} has no name.`,
    () => 'Every block has a `name`.',
  ),
  invalid_name: mistake<{ kind: string; name: string }>(
    ({ kind, name }) => `'${name}' cannot be the name of a ${kind}.`,
    () =>
      'Use at most 63 lower-case letters, digits and dashes, starting and ending with a letter or digit; a name holds no interpolation.',
  ),
  duplicate_block: mistake<{ kind: string; name: string; first: string }>(
    ({ kind, name, first }) => `There are two ${kind} blocks '${name}'; the first is at ${first}.`,
    () => 'Rename or remove one of them.',
  ),
};

const fieldErrors = {
  unknown_field: mistake<{ field: string; owner: string; nearest?: string | undefined; fields: readonly string[] }>(
    ({ field, owner }) => `${owner} has no field '${field}'.`,
    ({ nearest, fields }) => `${near(nearest)}${fields.length === 0 ? 'It takes no fields.' : `Its fields are ${fields.join(', ')}.`}`,
  ),
  refused_field: mistake<{ field: string; owner: string; reason: string }>(
    ({ field, owner, reason }) => `${owner} cannot have '${field}': ${reason}.`,
    ({ field }) => `Remove '${field}'.`,
  ),
  missing_field: mistake<{ field: string; owner: string; description: string }>(
    ({ field, owner }) => `${owner} needs '${field}'.`,
    ({ field, description }) => (description === '' ? `Add '${field}'.` : `Add '${field}': ${description}`),
  ),
  wrong_type: mistake<{ field: string; expected: string; found: string }>(
    ({ field, expected, found }) => `'${field}' must be ${expected}, and this is ${found}.`,
    ({ expected, found }) =>
      expected.startsWith('text') && /number|true|false/.test(found) ? 'Put quotes around it.' : `Write ${expected}.`,
  ),
  invalid_value: mistake<{ field: string; expected: string; nearest?: string | undefined }>(
    ({ field, expected }) => `'${field}' must be ${expected}.`,
    ({ nearest }) => near(nearest).trim(),
  ),
  path_outside_stack: mistake<{ field: string; path: string }>(
    ({ field, path }) => `'${field}' leads out of the folder of the stack: '${path}'.`,
    () => 'Use a path relative to the folder of the stack that stays inside it, symbolic links included.',
  ),
  path_not_found: mistake<{ field: string; path: string; expected: string }>(
    ({ field, path, expected }) => `'${field}' must be an existing ${expected}: there is none at '${path}'.`,
    () => 'Paths are relative to the folder of the stack; create it or correct the path.',
  ),
};

const variableErrors = {
  unknown_environment: mistake<{ name: string; nearest?: string | undefined; environments: readonly string[] }>(
    ({ name }) => `There is no environment '${name}'.`,
    ({ nearest, environments }) => `${near(nearest)}The environments are ${environments.join(', ')}.`,
  ),
  gateway_engine_conflict: mistake<{ engine: string; other: string; otherEngine: string }>(
    ({ engine, other, otherEngine }) => `The engine '${engine}' contradicts environment '${other}', whose engine is '${otherEngine}'.`,
    () => 'One gateway serves all environments: name the same engine in each, or in one of them only.',
  ),
  gateway_port_conflict: mistake<{ port: number; other: string }>(
    ({ port, other }) => `Port ${port} is wanted by environment '${other}', too.`,
    () => 'Give each environment ports of its own, or an address of its own; one of 0.0.0.0 takes the port of every address.',
  ),
  unknown_variable: mistake<{ name: string; nearest?: string | undefined }>(
    ({ name }) => `There is no variable '${name}'.`,
    ({ name, nearest }) => `${near(nearest)}Declare it: variable: { name: ${name} }.`,
  ),
  missing_variable: mistake<{ name: string; environment: string }>(
    ({ name, environment }) => `The variable '${name}' has no value in the environment '${environment}'.`,
    ({ name, environment }) =>
      `Give it a default, a value in the environment '${environment}', or one on the command line: --var ${name}=value.`,
  ),
  variable_type: mistake<{ name: string; type: string; found: string }>(
    ({ name, type, found }) => `The variable '${name}' has the type ${type}, and this value is ${found}.`,
    ({ type }) => `Give it a value of the type ${type}.`,
  ),
  list_in_text: mistake<{ name: string }>(
    ({ name }) => `The variable '${name}' is a list and cannot stand inside a text.`,
    ({ name }) => `Let \${var.${name}} stand alone.`,
  ),
};

const referenceErrors = {
  malformed_interpolation: mistake<{ text: string }>(
    ({ text }) => `'${text}' is not a complete interpolation.`,
    () => 'Write ${kind.name.output}, ${var.name} or ${secret.name}; for the two characters ${ themselves write $${.',
  ),
  unknown_interpolation: mistake<{ kind: string; nearest?: string | undefined }>(
    ({ kind }) => `'${kind}' is nothing an interpolation can read.`,
    ({ nearest }) => `${near(nearest)}Write \${kind.name.output}, \${var.name} or \${secret.name}.`,
  ),
  interpolation_not_allowed: mistake<{ owner: string }>(
    ({ owner }) => `${owner} cannot hold interpolations.`,
    () => 'Write the value itself; environments and variables are what interpolations are resolved from.',
  ),
  output_not_known_yet: mistake<{ field: string; text: string }>(
    ({ field, text }) => `'${field}' must be known when planning, and ${text} is known only once the resource exists.`,
    () => 'Write the value itself or use a variable; outputs can stand where any text is allowed, such as env.',
  ),
  unknown_reference: mistake<{ kinds: readonly string[]; name: string; nearest?: string | undefined }>(
    ({ kinds, name }) => `There is no ${kinds.join(' or ')} '${name}'.`,
    ({ kinds, nearest }) => near(nearest).trim() || `Declare it in this stack, or correct the name. It must be a ${kinds.join(' or ')}.`,
  ),
  unknown_output: mistake<{ kind: string; name: string; output: string; nearest?: string | undefined; outputs: readonly string[] }>(
    ({ kind, name, output }) => `The ${kind} '${name}' has no output '${output}'.`,
    ({ kind, nearest, outputs }) =>
      outputs.length === 0 ? `A ${kind} has no outputs.` : `${near(nearest)}The outputs of a ${kind} are ${outputs.join(', ')}.`,
  ),
  self_reference: mistake<{ kind: string; name: string }>(
    ({ kind, name }) => `The ${kind} '${name}' refers to itself.`,
    () => 'Refer to another block, or remove the reference.',
  ),
  reference_cycle: mistake<{ cycle: readonly string[] }>(
    ({ cycle }) => `These blocks need each other first: ${cycle.join(' -> ')}.`,
    () => 'Remove one of the references, so that there is an order in which they can be made.',
  ),
};

const movedErrors = {
  moved_still_declared: mistake<{ from: string }>(
    ({ from }) => `'${from}' is said to have moved and is still declared.`,
    () => 'Remove the block, or the move.',
  ),
  moved_twice: mistake<{ from: string }>(
    ({ from }) => `'${from}' is said to have moved twice.`,
    () => 'Keep the move to where it is declared now.',
  ),
  moved_kinds_differ: mistake<{ from: string; to: string }>(
    ({ from, to }) => `A ${from} cannot become a ${to} by moving.`,
    () => 'A move changes the name alone; what becomes another kind is made anew.',
  ),
  moved_to_nothing: mistake<{ to: string; nearest?: string | undefined }>(
    ({ to }) => `Something is said to have moved to '${to}', which is not declared.`,
    ({ nearest }) => near(nearest).trim() || 'Declare it, or remove the move.',
  ),
  moved_in_a_circle: mistake<{ cycle: readonly string[] }>(
    ({ cycle }) => `These moves lead in a circle: ${cycle.join(' -> ')}.`,
    () => 'Remove one of them. To swap two names, move one to a third name, apply, and move on.',
  ),
};

const policyErrors = {
  policy_invalid: mistake<{ what: string; reason: string }>(
    ({ what, reason }) => `${what} is not a rule on plans: ${reason}.`,
    () => 'docs/policies.md shows how rules are written.',
  ),
  policy_unknown_field: mistake<{ rule: string; kind: string; field: string; nearest?: string | undefined }>(
    ({ rule, kind, field }) => `The rule '${rule}' looks at the field '${field}', and a ${kind} has none.`,
    ({ nearest }) => near(nearest).trim() || 'A rule that looks at nothing would never speak; correct the name.',
  ),
};

const networkErrors = {
  subnet_outside_network: mistake<{ subnet: string; range: string; space: string }>(
    ({ subnet, range, space }) => `The subnet '${subnet}' (${range}) lies outside of the address space ${space}.`,
    ({ space }) => `Choose a range inside ${space}.`,
  ),
  subnets_overlap: mistake<{ subnet: string; other: string }>(
    ({ subnet, other }) => `The subnet '${subnet}' overlaps with '${other}'.`,
    () => 'Give every subnet addresses of its own.',
  ),
  duplicate_subnet: mistake<{ subnet: string }>(
    ({ subnet }) => `There are two subnets '${subnet}' in this network.`,
    () => 'Rename one of them.',
  ),
  unknown_subnet: mistake<{ subnet: string; nearest?: string | undefined }>(
    ({ subnet }) => `No network of this stack has a subnet '${subnet}'.`,
    ({ nearest }) => near(nearest).trim() || 'Declare it under the subnets of a network, or leave the field out.',
  ),
  address_outside_subnet: mistake<{ address: string; subnet: string; range: string }>(
    ({ address, subnet, range }) => `${address} is not an address of the subnet '${subnet}' (${range}).`,
    ({ range }) => `Choose an address inside ${range}.`,
  ),
  address_taken: mistake<{ address: string; holder: string }>(
    ({ address, holder }) => `${address} is taken by the virtual machine '${holder}'.`,
    () => 'Give every machine an address of its own.',
  ),
};

export const stackErrors = {
  ...fileErrors,
  ...yamlErrors,
  ...blockErrors,
  ...fieldErrors,
  ...variableErrors,
  ...referenceErrors,
  ...movedErrors,
  ...policyErrors,
  ...networkErrors,
};
