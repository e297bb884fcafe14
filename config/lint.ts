// Lint of a configuration file: the findings about its rules, with their places.
import type { Channel } from '#domain/channel.ts';
import { durationMs } from '#domain/duration.ts';
import type { Ruleset } from '#domain/rule.ts';
import { type LintFinding, lint } from '#rules/lint/lint.ts';
import { isOver } from '#rules/time-intervals.ts';
import { doubtsOfAccounts } from './account-problems.ts';
import { type Config, readConfig } from './load.ts';
import type { Problem } from './problem.ts';

/** PutMetadata calls per second and account. https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/service-quotas.html */
const putMetadataPerSecond = 155;

/** What is known about the channels: all of them, or only their number. */
export interface KnownChannels {
  readonly channels?: readonly Channel[] | undefined;
  readonly channelCount?: number | undefined;
}

/** Everything that is wrong with a file in form, meaning and what Amazon IVS can do, in the order of the file. */
export function checkConfig(
  text: string,
  file: string,
  known: KnownChannels = {},
): { readonly problems: readonly Problem[]; readonly rules: number } {
  const { problems, config, isConsequence } = readConfig(text, file);
  if (!config) return { problems, rules: 0 };
  const lints = findingsOf(config, known).filter((finding) => !isConsequence(finding));
  const all = [...problems, ...lints.map(config.locate)];
  all.sort((left, right) => left.line - right.line || left.column - right.column);
  return { problems: all, rules: config.ruleset.rules.length };
}

/** What is suspicious in a valid configuration; if the channels are known, also what matches none of them. */
export function lintConfig(config: Config, known: KnownChannels = {}): Problem[] {
  return findingsOf(config, known).map(config.locate);
}

function findingsOf(config: Config, known: KnownChannels): LintFinding[] {
  const { limits, metadata } = config.settings;
  const perSecond = (limits.operations.PutMetadata?.account ?? putMetadataPerSecond) * limits.share;
  const ofRules = lint(config.ruleset, {
    maxPayloadBytes: metadata.max_bytes,
    putMetadataPerSecond: Math.max(1, Math.floor(perSecond)),
    unknownFields: config.settings.lint.unknown_fields,
    defaultExpiresMs: durationMs(metadata.default_expires),
    ...known,
  });
  return [
    ...doubtsOfAccounts(config.document),
    ...intervalsThatAreOver(config.ruleset),
    ...approvalsWithoutAddress(config),
    ...ofRules,
  ];
}

/** Messages that ask for approval need a link that a person can open, and somebody who reads them. */
function approvalsWithoutAddress({ ruleset, settings }: Config): LintFinding[] {
  return ruleset.rules.flatMap((rule, index) =>
    (['actions', 'on_resolve'] as const).flatMap((list) =>
      (list === 'actions' ? rule.actions : rule.onResolve).flatMap(({ index: place, approval }): LintFinding[] => {
        if (!approval) return [];
        const path = ['rules', index, list, place, 'approval'];
        const noAddress = 'the message of an approval has a link: set http.external_url to the address of the page';
        const noReceiver = 'nobody gets a message about this approval: the file has no receiver';
        return [
          ...(settings.http.external_url === undefined
            ? [{ path, message: noAddress, severity: 'error' as const }]
            : []),
          ...(ruleset.receivers.length === 0 ? [{ path, message: noReceiver, severity: 'warning' as const }] : []),
        ];
      }),
    ),
  );
}

/** Time intervals that are in the past for good. */
function intervalsThatAreOver({ timeIntervals }: Ruleset): LintFinding[] {
  return timeIntervals.flatMap(({ ranges }, index) =>
    ranges.flatMap((range, place): LintFinding[] => {
      if (!isOver(range, Date.now())) return [];
      const path = ['time_intervals', index, 'time_intervals', place, 'years'];
      return [{ path, message: 'these years are over: this never happens again', severity: 'warning' }];
    }),
  );
}
