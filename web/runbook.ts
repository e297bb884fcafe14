// The section of the run book (docs/operations.md) for each thing that needs a person.

/** Section by kind; every other kind is in "Needs you". A test checks that the run book has these sections. */
export const sections: Readonly<Record<string, string>> = {
  cap: 'rule-stopped',
  config: 'configuration-refused',
  dead_letters: 'dead-letters',
  failed_job: 'jobs-failing',
  redis: 'redis-does-not-answer',
  not_carried: 'nobody-carries-an-account',
  data_gap: 'data-gap',
  delivery_failed: 'metadata-is-refused',
  keyless: 'key-delivery-failing',
  undelivered: 'key-delivery-failing',
  replicas_differ: 'replicas-differ',
  state_lost: 'state-lost',
};

/** The address of the section, within the page. */
export function runbookOf(kind: string): string {
  return `#/runbook/${sections[kind] ?? 'needs-you'}`;
}
