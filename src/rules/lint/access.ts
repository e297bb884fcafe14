// Ads and playback restrictions that are impossible, or that affect more than a rule's `match`.

import type { Pattern } from '#domain/action.ts';
import type { Channel } from '#domain/channel.ts';
import type { Rule, Step } from '#domain/rule.ts';
import { channelDocument } from '../documents.ts';
import { compilePattern } from '../pattern.ts';
import { isTemplate } from '../template.ts';
import type { LintFinding } from './finding.ts';

type Path = readonly (string | number)[];

/** What is wrong with a step that sets ads or edits a policy; `path` is that of the action. */
export function lintAccess(
  rule: Rule,
  step: Step,
  path: Path,
  { channels }: { readonly channels?: readonly Channel[] | undefined },
): LintFinding[] {
  const { action, params } = step;
  if (action === 'set_ad_configuration' && 'configuration' in params && params.configuration !== 'none')
    return lintContainer(rule, [...path, 'configuration'], channels);
  if (action === 'edit_playback_restriction' && 'policy' in params && channels && !isTemplate(params.policy))
    return lintShared(rule, [...path, 'policy'], { policy: params.policy, channels });
  return [];
}

/** Amazon IVS supports ads only with MPEG-TS. */
function lintContainer(rule: Rule, path: Path, channels: readonly Channel[] | undefined): LintFinding[] {
  const { match } = rule;
  if (match && !canBeTs(match.source))
    return [
      {
        path,
        message:
          '`match` selects only channels with fragmented MP4, but ads need containerFormat TS: the action never runs',
        severity: 'error',
      },
    ];
  const others = (channels ?? []).filter(
    (channel) =>
      channel.containerFormat === 'FRAGMENTED_MP4' && (match?.match(channelDocument(channel.arn, channel)) ?? true),
  );
  if (others.length === 0) return [];
  const message = `${named(others)}: containerFormat is FRAGMENTED_MP4, but ads need TS: the action fails there. Add containerFormat: [TS] to \`match\``;
  return [{ path, message, severity: 'warning' }];
}

/** Whether a pattern's condition on the container leaves channels with MPEG-TS. */
function canBeTs(source: Pattern): boolean {
  const parts = Object.entries(source).filter(([name]) =>
    /^(containerFormat|multitrackInputConfiguration)\b/.test(name),
  );
  const compiled = compilePattern(Object.fromEntries(parts));
  if (!compiled.ok || parts.length === 0) return true;
  const container = { containerFormat: 'TS' };
  return [container, { ...container, multitrackInputConfiguration: { enabled: false } }].some((document) =>
    compiled.match(document),
  );
}

function lintShared(
  rule: Rule,
  path: Path,
  { policy, channels }: { readonly policy: string; readonly channels: readonly Channel[] },
): LintFinding[] {
  const { match } = rule;
  // A policy's name is not in the inventory, but its ARN is.
  const touched = channels.filter((channel) => channel.playbackRestrictionPolicyArn === policy);
  const others = match ? touched.filter((channel) => !match.match(channelDocument(channel.arn, channel))) : [];
  if (others.length === 0) return [];
  const message = `${named(others)}: uses this policy too, but \`match\` does not select it: the policy is never edited`;
  return [{ path, message, severity: 'error' }];
}

function named([first, ...more]: readonly Channel[]): string {
  const name = first?.name || (first?.arn ?? '');
  return more.length === 0 ? name : `${name} and ${more.length} more`;
}
