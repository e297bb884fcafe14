// Labels of decisions and alerts, and matchers over them.

/** For a decision: `rule`, `action`, `channel` (ARN), `channel_name`, `account`, `region`, `group`, and `tag_<key>` for each tag. */
export type Labels = Readonly<Record<string, string>>;

/** `rule="x"`, `action=~"stop_.*"`: Alertmanager's matchers over labels. */
export interface LabelMatcher {
  readonly label: string;
  readonly op: '=' | '!=' | '=~' | '!~';
  readonly value: string;
  /** The cost of comparing with a regular expression, from the size of its automaton; 0 for a plain comparison. */
  readonly size: number;
  /** An absent label counts as empty. */
  test(labels: Labels): boolean;
}
