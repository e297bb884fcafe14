// What the scripts of the outbox answer. Redis turns a Lua table into a list, and truncates a number with a fraction.
import { z } from 'zod';

/** Outcome, number, outcome, number, … */
export const countsReply = z.array(z.union([z.string(), z.number()]));
/** The last member: channels without room, up to twenty, each a member of its own. */
export const acceptReply = z.union([
  z.tuple([z.literal('accepted'), countsReply, z.number(), z.number(), z.number()], z.string()),
  z.tuple([z.literal('repeated'), z.string(), z.array(z.string())]),
  z.tuple([z.literal('conflict')]),
  z.tuple([z.literal('id_taken')]),
  z.tuple([z.literal('overtakes')]),
  z.tuple([z.literal('full'), z.enum(['total', 'channel']), z.number()]),
  z.tuple([z.literal('parts'), countsReply, z.number(), z.array(z.number()), z.array(z.number())]),
]);
export const cancelReply = z.union([z.literal(0), z.literal(1)]);
export const cancelPartReply = z.tuple([z.union([z.literal(0), z.literal(1)]), countsReply]);
/** Mode, ids, texts, accepted times, ms until the last of them expires, places in traces. */
const parcelReply = z.tuple([
  z.string(),
  z.array(z.string()),
  z.array(z.string()),
  z.array(z.string()),
  z.number(),
  z.array(z.string()),
]);
export const claimReply = z.tuple([countsReply, z.number()], z.unknown());
export const claimedReply = z.tuple([z.string(), z.number(), z.union([parcelReply, z.tuple([])])]);
/** The counts, then the answer for each channel. */
export const takeReply = z.tuple([countsReply], z.union([parcelReply, z.tuple([z.literal('lost')]), z.tuple([])]));
/** The counts, the time, then the new state of each channel. */
export const recordReply = z.tuple([countsReply, z.number()], z.number());
export const channelsReply = z.array(z.string());
export const lanesReply = z.array(z.number());
/** Item, channels, item, channels, … */
export const dueReply = z.array(z.string());
/** Whether the right to sweep was taken, due items, items that wait, channels that are ready, later, leased. */
export const turnReply = z.tuple([
  z.union([z.literal(0), z.literal(1)]),
  dueReply,
  z.number(),
  z.number(),
  z.number(),
  z.number(),
]);

export type ParcelReply = z.infer<typeof parcelReply>;

/** An item that is to be ended without being sent, and the channels that have it; undefined: many. */
export interface DueItem {
  readonly id: string;
  readonly channels: string | undefined;
}

export function dueItems(flat: z.infer<typeof dueReply>): readonly DueItem[] {
  const due: DueItem[] = [];
  for (let index = 0; index < flat.length; index += 2)
    due.push({ id: flat[index]!, channels: flat[index + 1] || undefined });
  return due;
}

/** A hash as a script answers it. */
export function pairsOf(flat: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let index = 0; index < flat.length; index += 2) fields[flat[index]!] = flat[index + 1]!;
  return fields;
}
