// The rules of the virtual hour, in three variants, and what the soak must know about them.
import type { Observation } from '#domain/observation.ts';
import { rulesetOf } from './engine.ts';

const rulesText = (slateFor: number, hello: string) => `
receivers: [{name: noc, webhook_configs: [{url: "https://noc.example/hook", send_resolved: false}]}]
rules:
  - name: slate
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    for: ${slateFor}s
    keep_firing_for: 5s
    actions: [{put_metadata: {payload: slate}}, {after: 15s, stop_stream: {}}]
    on_resolve: [{put_metadata: {payload: gone}}]
    guards: {cooldown: 0s, max_per_hour: 10000, max_live_percent: 100}
  - name: quick
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    actions: [{webhook: {url: "https://quick.example", body: "{}"}}]
    guards: {cooldown: 0s, max_per_hour: 10000, max_live_percent: 100}
  - name: mass
    mode: enforce
    trigger: {aggregate: {health: [STARVING], count: [{numeric: [">=", 4]}], min_live: 4}}
    actions: [{emit_event: {detail_type: mass, detail: {}}}]
    guards: {cooldown: 0s, max_per_hour: 10000}
  - name: hello
    mode: ${hello}
    trigger: {event: {detail: {event_name: [Stream Start]}}}
    actions: [{put_metadata: {payload: hello}}]
    guards: {cooldown: 0s, max_per_hour: 10000, max_live_percent: 100}
  - name: breach
    mode: enforce
    trigger: {event: {detail-type: [IVS Limit Breach]}}
    actions: [{webhook: {url: "https://capacity.example", body: "{{ event.id }}"}}]
    guards: {group_by: [detail.limit_name], cooldown: 0s, max_per_hour: 10000}
  - name: rotate
    mode: enforce
    trigger: {event: {detail: {event_name: [Stream End]}}}
    while: {live: [false]}
    for: 15s
    actions: [{rotate_stream_key: {deliver: {file: /run/keys/x}}}]
    guards: {cooldown: 0s, max_per_hour: 10000, max_live_percent: 100, max_event_age: 10m}
  - name: goal
    mode: enforce
    trigger: {http: {name: score}}
    actions: [{webhook: {url: "https://score.example", body: "{}"}}]
    guards: {cooldown: 0s, max_per_hour: 10000}
`;
/** The original file, and changed ones. */
export const rulesets = [
  rulesetOf(rulesText(20, 'enforce')),
  rulesetOf(rulesText(35, 'enforce')),
  rulesetOf(rulesText(20, 'dry_run')),
];

/** What a rule of one moment waits for, and how its cause is recognised. */
export const momentRules: Readonly<Record<string, (observation: Observation) => boolean>> = {
  hello: (it) => it.kind === 'event' && it.envelope.detail['event_name'] === 'Stream Start',
  breach: (it) => it.kind === 'event' && it.envelope['detail-type'] === 'IVS Limit Breach',
  rotate: (it) => it.kind === 'event' && it.envelope.detail['event_name'] === 'Stream End',
  goal: (it) => it.kind === 'http',
};
/** Their causes last: what holds them back is evaluated again when it is over. */
export const lastingRules = new Set(['slate', 'quick', 'mass', 'rotate']);

export const stateRules = new Set(['slate', 'quick', 'mass']);
