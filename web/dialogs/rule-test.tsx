// A rule test for a test file, made from a decision and from what the page knows about its channel.
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import type { DecisionView } from '../decisions.ts';
import { idOf, words } from '../format.ts';
import { copyText } from '../parts/copy.tsx';
import { ask, Dialog } from '../parts/dialog.tsx';
import { toast } from '../parts/toasts.tsx';
import { rowOfChannel } from '../store.ts';

export interface KnownChannel {
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly viewers?: number | undefined;
}

export function askTest(decision: DecisionView): void {
  const row = decision.channelArn === undefined ? undefined : rowOfChannel(decision.channelArn);
  ask(<TestDialog text={ruleTest(decision, { tags: row?.tags, viewers: row?.viewers })} />);
}

/** The test's text. Viewers at the time of the decision take precedence over those of now. */
export function ruleTest(decision: DecisionView, { tags = {}, viewers }: KnownChannel): string {
  const { rule, outcome, reason, channelArn, channelName, trigger, jobs, at } = decision;
  const forMs = Math.max(0, Date.parse(at) - Date.parse(trigger.since));
  const end = Math.max(10, Math.round(forMs / 1000) + 10);
  const { health, viewerCount = viewers } = trigger.values;
  // What triggered the rule; the values may be those of its end.
  const [, began = typeof health === 'string' ? health : 'STARVING'] = /health ([A-Z]+)/.exec(trigger.text) ?? [];
  const channel = `ch/${(channelName || (channelArn ? idOf(channelArn) : 'a')).replaceAll(/[^A-Za-z0-9-]+/g, '-')}`;
  const known = [
    `arn: ${channel}`,
    `tags: {${Object.entries(tags)
      .map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`)
      .join(', ')}}`,
    ...(typeof viewerCount === 'number' ? [`viewerCount: ${viewerCount}`] : []),
  ];
  const expected =
    outcome === 'acted' || outcome === 'would_act'
      ? `jobs: [${jobs.map(({ action }) => action).join(', ')}]`
      : `decision: ${outcome}, reason: ${reason}`;
  return [
    'tests:',
    `  - name: ${JSON.stringify(`${rule}: ${words(reason)}`)}`,
    `    channels: [{${known.join(', ')}}]`,
    trigger.kind === 'event'
      ? `    timeline: ["0s ${channel} HEALTHY"]  # and the event that triggered it`
      : `    timeline: ["0s ${channel} HEALTHY", "10s ${channel} ${began}"]`,
    '    expect:',
    `      - {at: ${end}s, rule: ${rule}, ${expected}}`,
  ].join('\n');
}

function TestDialog({ text }: { readonly text: string }): JSX.Element {
  const area = useRef<HTMLTextAreaElement>(null);
  return (
    <Dialog
      title="A test from this decision"
      text="Put it beside the rules, complete the timeline, and run “ivs-autopilot test”."
      confirm="Copy"
      dismiss="Close"
      onSubmit={async () => {
        area.current?.select();
        await copyText(text);
        toast('Copied.');
      }}
    >
      <textarea ref={area} rows={9} readOnly aria-label="Rule test" spellcheck={false} value={text} />
    </Dialog>
  );
}
