// Deletes what nobody asks for any longer, so that the state stays bounded: expired silences and holds, old cooldowns and sessions.
import type { RuleMemory } from '#domain/rule-memory.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import { kinds, notes } from '#domain/state-registry.ts';
import { pruneLastWords } from '#journal/record.ts';
import { pruneApprovals } from './approvals.ts';
import { pruneIncidents } from './incidents.ts';
import { forgetMemory, ruleMemories, writeMemory } from './memory.ts';
import type { RuleIndex } from './rule-index.ts';
import { endStateLossAlert } from './state-loss.ts';

const key = notes.housekeeping;
const everyMs = 600_000;
const dayMs = 86_400_000;
/** Longer than any sensible cooldown; an older firing holds nothing back. */
const cooldownKeptMs = 31 * dayMs;
const memoryKeptMs = 7 * dayMs;
/** No replica is suspended for longer and still remembers a control that was removed. */
const goneKeptMs = 31 * dayMs;

/** When it is due. */
export function houseKeepingMs(view: StateView): number | undefined {
  return view.get(key)?.dueMs;
}

/** Cleans up, every ten minutes. */
export function keepHouse(tx: Transaction, index: RuleIndex): void {
  const dueMs = houseKeepingMs(tx);
  if (dueMs !== undefined && tx.nowMs < dueMs) return;
  tx.set(key, { dueMs: tx.nowMs + everyMs });
  if (dueMs === undefined) return;
  for (const [id, { endsMs }] of Array.from(tx.entries(kinds.silence)))
    if (endsMs <= tx.nowMs) tx.delete(kinds.silence.of(id));
  for (const [id, { untilMs }] of Array.from(tx.entries(kinds.hold)))
    if (untilMs !== undefined && untilMs <= tx.nowMs) tx.delete(kinds.hold.of(id));
  for (const [id, { atMs }] of Array.from(tx.entries(kinds.gone)))
    if (tx.nowMs - atMs > goneKeptMs) tx.delete(kinds.gone.of(id));
  endStateLossAlert(tx, { resumed: false });
  for (const [id, firedMs] of Array.from(tx.entries(kinds.cooldown))) {
    const cooldownMs = index.byName.get(id.slice(0, id.indexOf('|')))?.guards.cooldownMs ?? 0;
    if (tx.nowMs - firedMs > Math.max(cooldownKeptMs, cooldownMs)) tx.delete(kinds.cooldown.of(id));
  }
  for (const [, memory] of Array.from(ruleMemories(tx))) forgetOldCauses(tx, memory);
  pruneApprovals(tx);
  pruneIncidents(tx);
  pruneLastWords(tx);
}

function forgetOldCauses(tx: Transaction, memory: RuleMemory): void {
  if (memory.pending || memory.firing || tx.nowMs - memory.touchedMs < memoryKeptMs) return;
  const record = tx.get(kinds.stream.of(memory.subject));
  if (memory.once && record?.streamId === memory.once.streamId && record.state === 'live') {
    writeMemory(tx, { ...memory, acted: [] });
    return;
  }
  forgetMemory(tx, memory.rule, memory.subject);
}
