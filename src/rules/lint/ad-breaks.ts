// Findings of validate about rules that insert ad breaks.
import { adBreakLeadMs, whyNoAds } from '#domain/ad-breaks.ts';
import type { Channel } from '#domain/channel.ts';
import { durationMs, formatDuration } from '#domain/duration.ts';
import type { Rule, Step } from '#domain/rule.ts';
import { channelDocument } from '../documents.ts';
import type { LintFinding } from './finding.ts';

/** Ad breaks that another guard of the rule holds back repeatedly, or that begin far apart. */
export function lintAdBreaks(
  { trigger, guards, match }: Rule,
  { action, params }: Step,
  path: LintFinding['path'],
  channels: readonly Channel[] | undefined,
): LintFinding[] {
  if (action !== 'insert_ad_break' || !('duration' in params)) return [];
  const findings: LintFinding[] = [];
  const gapMs = adBreakLeadMs + durationMs(params.duration) + (guards.minGapMs ?? 0);
  if (trigger.kind === 'times' && 'everyMs' in trigger && trigger.everyMs < Math.max(gapMs, guards.cooldownMs)) {
    const why =
      trigger.everyMs < gapMs
        ? `a break of ${params.duration} and min_gap (${formatDuration(guards.minGapMs ?? 0)}) take ${formatDuration(gapMs)}`
        : `cooldown is ${formatDuration(guards.cooldownMs)}`;
    findings.push(
      warning(path, `every ${formatDuration(trigger.everyMs)} is too often: ${why}, so some are held back`),
    );
  }
  const selected = channels?.filter((channel) => !match || match.match(channelDocument(channel.arn, channel)));
  const without = selected?.flatMap((channel) => whyNoAds(channel) ?? []) ?? [];
  if (selected && without.length > 0)
    findings.push(
      warning(path, `${without.length} of ${selected.length} channels cannot have ads: one ${without[0]!}`),
    );
  const together = trigger.kind === 'schedule' || (trigger.kind === 'times' && 'daily' in trigger);
  if (together && selected && selected.length > 10) {
    const seconds = selected.length - 1;
    findings.push(
      warning(
        path,
        `${selected.length} channels do not begin together: they begin one second apart, the last ${seconds} s after the first`,
      ),
    );
  }
  return findings;
}

function warning(path: LintFinding['path'], message: string): LintFinding {
  return { path, message, severity: 'warning' };
}
