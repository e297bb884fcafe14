// The configuration of a bench fleet: rules like those of a platform, and the requested number of accounts.
import { accountIdAt } from './accounts-stand.ts';

const rules = `
defaults: {mode: enforce, guards: {cooldown: 5m}}
rules:
  - name: mass
    trigger: {aggregate: {health: [STARVING], percent_of_live: [{numeric: [">=", 30]}], min_live: 10}}
    actions: [{emit_event: {detail_type: mass, detail: {}}}]
  - name: starving
    trigger: {state: {health: [STARVING]}}
    for: 30s
    actions: [{emit_event: {detail_type: starving, detail: {}}}]
  - name: crowd
    trigger: {threshold: {field: viewerCount, rises_to: [4990]}}
    match: {tags: {tier: [gold]}}
    actions: [{emit_event: {detail_type: crowd, detail: {}}}]
`;

/** @param accounts how many, each with a role; none: the one that the environment describes */
export function fleetConfig(accounts = 0): string {
  const entries = Array.from({ length: accounts }, (_, place) => {
    const role = `arn:aws:iam::${accountIdAt(place)}:role/autopilot`;
    return `  - {name: s${String(place).padStart(2, '0')}, region: us-west-2, assume_role_arn: "${role}"}\n`;
  });
  return `version: 1\n${accounts === 0 ? '' : `accounts:\n${entries.join('')}`}${rules}`;
}
