// What needs a person, and what was done recently: the column next to the streams.
import type { JSX } from 'preact';
import type { Alert } from '#api/alert.ts';
import type { ActivityLine } from '#api/live/status.ts';
import { personText } from '#api/person.ts';
import { api } from '../api.ts';
import { askAcknowledge } from '../dialogs/alerts.tsx';
import { plural, shortDuration, words } from '../format.ts';
import { Glyph, OutcomeSign } from '../parts/signs.tsx';
import { StreamLink, Time } from '../parts/text.tsx';
import { attempt } from '../parts/toasts.tsx';
import { href } from '../route.ts';
import { runbookOf } from '../runbook.ts';
import { channelName, mayOperate, now, status } from '../store.ts';

export function NeedsPanel(): JSX.Element {
  const needs = status.value?.needs ?? [];
  const critical = needs.some(({ severity }) => severity === 'critical');
  return (
    <section class={`panel needs${critical ? ' critical' : ''}`} aria-labelledby="needs-title" id="needs">
      <h2 id="needs-title">
        Needs you
        {needs.length > 0 && <span class="badge">{needs.length}</span>}
      </h2>
      {needs.length === 0 ? (
        <p class="dim">
          <Glyph shape="ok" /> All clear
        </p>
      ) : (
        <ul>
          {needs.map((need) => (
            <Need key={need.id} need={need} />
          ))}
        </ul>
      )}
      <p class="links">
        <a href={href('alerts')}>Who has what, and what is over</a>
      </p>
    </section>
  );
}

/** One of them, with its actions. */
export function Need({ need }: { readonly need: Alert }): JSX.Element {
  const when = whenText(need, now());
  return (
    <li class={`need ${need.severity}`}>
      <p class="head">
        <Glyph shape={need.severity === 'critical' ? 'starving' : 'unknown'} />
        <b>{need.title}</b>
        {when !== '' && <span class="dim">{when}</span>}
      </p>
      <p>{need.cause}</p>
      {need.acknowledged && (
        <p class="dim">
          {personText(need.acknowledged.who)} has it since <Time ms={need.acknowledged.atMs} />
          {need.acknowledged.note !== '' && `: “${need.acknowledged.note}”`}
        </p>
      )}
      <p class="links">
        <a href={need.link}>{linkText(need.link)}</a>
        {!need.link.startsWith('#/runbook') && <a href={runbookOf(need.kind)}>Run book</a>}
        {need.kind === 'cap' && need.rule !== undefined && mayOperate() && (
          <ResetRule rule={need.rule}>Start the rule again</ResetRule>
        )}
        {!need.dismissible && mayOperate() && (
          <button type="button" class="small" onClick={() => askAcknowledge(need)}>
            {need.acknowledged ? 'Take over…' : 'Acknowledge…'}
          </button>
        )}
        {need.dismissible && mayOperate() && (
          <button
            type="button"
            class="small"
            onClick={() =>
              void attempt('Dismissed.', () =>
                api('POST', `/v1/alerts/${encodeURIComponent(need.id)}/acknowledge`, { body: {} }),
              )
            }
          >
            Dismiss
          </button>
        )}
      </p>
    </li>
  );
}

function whenText({ since, end }: Alert, at: number): string {
  if (end !== undefined) return `ends in ${shortDuration(end - at)}`;
  return since === undefined ? '' : `for ${shortDuration(at - since)}`;
}

/** The target of the link of something that needs a person. */
function linkText(link: string): string {
  const [page = '', arg = ''] = link.replace(/^#?\//, '').split(/[/?]/);
  if (page === 'stream') return `Open ${channelName(decodeURIComponent(arg))}`;
  if (page === 'decisions') {
    const rule = new URLSearchParams(arg).get('rule');
    return rule === null ? 'Decisions' : `Decisions of ${rule}`;
  }
  return linkTexts[page] ?? 'Open';
}

const linkTexts: Readonly<Record<string, string>> = {
  approval: 'Decide',
  approvals: 'Decide',
  incident: 'Open the incident',
  job: 'Open the job',
  audit: 'Open the audit',
  rules: 'Open the rules',
  queues: 'Open the queues',
  runbook: 'What to do',
};

/** Restarts a rule that its cap stopped. */
export function ResetRule({ rule, children }: { readonly rule: string; readonly children: string }): JSX.Element {
  return (
    <button
      type="button"
      class="small"
      onClick={() =>
        void attempt('The rule runs again.', () =>
          api('POST', `/v1/rules/${encodeURIComponent(rule)}/reset`, { body: {} }),
        )
      }
    >
      {children}
    </button>
  );
}

export function ActivityPanel(): JSX.Element {
  const lines = together(status.value?.activity ?? []);
  return (
    <section class="panel" aria-labelledby="activity-title">
      <h2 id="activity-title">Lately</h2>
      {lines.length === 0 ? (
        <p class="dim">Nothing was done yet.</p>
      ) : (
        <ul class="activity">
          {lines.slice(0, 12).map(({ line, times }) => (
            <li key={line.id}>
              <Time ms={line.atMs} />
              <div>
                <p>
                  <OutcomeSign name={line.outcome} />
                  <a
                    href={
                      times > 1
                        ? href('decisions', '', { rule: line.rule, outcome: line.outcome })
                        : href('decision', line.id)
                    }
                  >
                    {line.rule} {words(line.outcome)}
                  </a>
                </p>
                <p>
                  {words(line.text)}
                  {times > 1 ? ` on ${plural(times, 'channel')}` : ''}
                  {times === 1 && line.arn !== undefined && (
                    <>
                      {' on '}
                      <StreamLink arn={line.arn} />
                    </>
                  )}
                </p>
              </div>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** Consecutive entries of one rule for many channels become one line. */
function together(lines: readonly ActivityLine[]): readonly { readonly line: ActivityLine; readonly times: number }[] {
  const found: { line: ActivityLine; times: number }[] = [];
  for (const line of lines) {
    const last = found.at(-1);
    if (last && last.line.rule === line.rule && last.line.outcome === line.outcome && last.line.text === line.text)
      last.times += 1;
    else found.push({ line, times: 1 });
  }
  return found;
}
