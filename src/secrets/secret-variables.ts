/** What `{ env }` secrets are read from: the variables of this process, and those that a later command has sent of its own shell. */
export interface SecretVariables {
  /** The variables for one environment of the stack; always the newest ones. */
  of(environment: string): Readonly<Record<string, string | undefined>>;
  /** Takes in what a command has sent. In memory only: they are gone when the process ends. */
  take(environment: string, values: Readonly<Record<string, string>>): void;
}

/** What is sent wins over `own`; two environments of a stack can have a variable of the same name from two shells. */
export function createSecretVariables(own: Readonly<Record<string, string | undefined>>): SecretVariables {
  const sent = new Map<string, Readonly<Record<string, string>>>();
  return {
    of: (environment) => {
      const others = sent.get(environment);
      return others === undefined ? own : { ...own, ...others };
    },
    take: (environment, values) => {
      sent.set(environment, { ...sent.get(environment), ...values });
    },
  };
}
