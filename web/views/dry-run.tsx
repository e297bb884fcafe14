// Next to a rule in dry run: what it would have done in the last day, and the change of its file that lets it act. The page never changes
// rules: the file is authoritative.
import type { JSX } from 'preact';
import { count, plural, words } from '../format.ts';
import { copyText } from '../parts/copy.tsx';
import { Glyph } from '../parts/signs.tsx';
import { StreamLink, Time } from '../parts/text.tsx';
import { toast } from '../parts/toasts.tsx';
import { href } from '../route.ts';
import { type WouldHave, wouldHaveText } from '../would-have.ts';

export interface Patch {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** The newest are shown; the rest are among the decisions. */
const mostShown = 5;

export function DryRun({
  rule,
  did,
  patch,
}: {
  readonly rule: string;
  readonly did: WouldHave;
  readonly patch: Patch | undefined;
}): JSX.Element {
  const { times, newest } = did;
  return (
    <div class="dry-run">
      <p>{wouldHaveText(did)}</p>
      {newest.length > 0 && (
        <ol>
          {newest
            .slice(0, mostShown)
            .map(({ decisionId, at, channelArn, channelName, count: channels, actions: each }) => (
              <li key={decisionId}>
                <Time ms={Date.parse(at)} />
                <span>
                  {each.length === 0 ? 'nothing' : each.map(words).join(', ')}
                  {channels > 1 && ` on ${plural(channels, 'channel')}, such as`}
                  {channels === 1 && channelArn !== undefined && ' on'}{' '}
                  {channelArn !== undefined && <StreamLink arn={channelArn} name={channelName} />}
                </span>
                <a href={href('decision', decisionId)}>Why</a>
              </li>
            ))}
        </ol>
      )}
      {times > Math.min(newest.length, mostShown) && (
        <p class="links">
          <a href={href('decisions', '', { rule, outcome: 'would_act', since: '24h' })}>All that it would have done</a>
        </p>
      )}
      <details>
        <summary>Let it act</summary>
        {patch ? (
          <>
            <p class="dim">
              Line {count(patch.line)} of {patch.file}, of the configuration in force. Apply it with{' '}
              <code>patch -p1</code> or <code>git apply</code>, or write it by hand; the daemon reads the file when it
              is saved.
            </p>
            <pre class="json" tabIndex={0}>
              {patch.text}
            </pre>
            <button
              type="button"
              class="small"
              aria-label={`Copy the patch for ${rule}`}
              onClick={() => void copyText(patch.text).then(() => toast('The patch is copied.'))}
            >
              <Glyph shape="copy" /> Copy the patch
            </button>
          </>
        ) : (
          <p>
            Write <code>mode: enforce</code> in the rule. Its mode now comes from an anchor or a shared line.
          </p>
        )}
      </details>
    </div>
  );
}
