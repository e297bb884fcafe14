// One decision, with every step.
import type { JSX } from 'preact';
import { api } from '../api.ts';
import type { DecisionView } from '../decisions.ts';
import { count } from '../format.ts';
import { Fact, Since } from '../parts/facts.tsx';
import { Outcome } from '../parts/signs.tsx';
import { ProblemLine, Skeleton, StreamLink } from '../parts/text.tsx';
import { ViewHead } from '../parts/view-head.tsx';
import { href } from '../route.ts';
import { now } from '../store.ts';
import { useResource } from '../use-resource.ts';
import { Steps } from './decisions.tsx';

export function OneDecision({ id }: { readonly id: string }): JSX.Element {
  const { value: decision, problem } = useResource(`decision/${id}`, (signal) =>
    api<DecisionView>('GET', `/v1/decisions/${encodeURIComponent(id)}`, { signal }),
  );
  const at = now();
  return (
    <div class="page">
      <ViewHead title={decision ? `${decision.rule}: ${decision.words}` : 'Decision'} />
      <ProblemLine problem={problem} />
      {!decision && !problem && <Skeleton />}
      {decision && (
        <>
          <section class="panel" aria-label="Decision">
            <dl>
              <Fact name="Outcome">
                <Outcome name={decision.outcome} />
                {decision.mode === 'dry_run' && <span class="chip">dry run</span>}
              </Fact>
              <Fact name="When">
                <Since ms={Date.parse(decision.at)} at={at} />
              </Fact>
              <Fact name="Rule">
                <a href={href('decisions', '', { rule: decision.rule })}>{decision.rule}</a>
              </Fact>
              <Fact name="Channel">
                {decision.count !== undefined && decision.count > 1
                  ? `${count(decision.count)} channels at once`
                  : decision.channelArn !== undefined && (
                      <StreamLink arn={decision.channelArn} name={decision.channelName} />
                    )}
              </Fact>
              <Fact name="Stream">{decision.example === undefined && decision.streamId}</Fact>
              <Fact name="Decision">
                <code>{id}</code>
              </Fact>
            </dl>
          </section>
          <section class="panel" aria-labelledby="why-title">
            <h2 id="why-title">Why</h2>
            <Steps decision={decision} />
          </section>
        </>
      )}
    </div>
  );
}
