// What a lint finds: the rules are well formed, but Amazon IVS or the file itself makes them pointless or risky.

export interface LintFinding {
  /** From the top of the file. */
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** `error`: it can never do what it says. `warning`: it can, but may surprise. */
  readonly severity: 'error' | 'warning';
}
