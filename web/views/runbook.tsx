// The run book (docs/operations.md) as of the time when the page was bundled: it needs no other site at three in the morning.
import { type ComponentChildren, h, type JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { Problem } from '../api.ts';
import { ProblemLine, Skeleton } from '../parts/text.tsx';
import { ViewHead } from '../parts/view-head.tsx';
import { href } from '../route.ts';
import { useResource } from '../use-resource.ts';

/** Text, or an element; scripts/page.ts makes them from the Markdown. */
type Node = string | { readonly name: string; readonly value?: string; readonly children: readonly Node[] };

const names = new Set(['p', 'ul', 'ol', 'li', 'code', 'pre', 'b', 'em', 'tr', 'th', 'td', 'h3']);

export function Runbook({ section }: { readonly section: string }): JSX.Element {
  const { value: nodes, problem } = useResource(
    'runbook',
    async (signal) => {
      const answer = await fetch('runbook.json', { signal });
      if (!answer.ok) throw new Problem(answer.status, { detail: 'The run book is missing.' });
      return (await answer.json()) as readonly Node[];
    },
    { everyMs: 3_600_000 },
  );
  useEffect(() => {
    if (nodes && section !== '') document.getElementById(`section-${section}`)?.scrollIntoView();
  }, [nodes, section]);
  return (
    <div class="page">
      <ViewHead title="Run book" />
      <ProblemLine problem={problem} />
      {!nodes && !problem && <Skeleton />}
      <article class="panel runbook">{nodes?.map(draw)}</article>
    </div>
  );
}

function draw(node: Node, index: number): ComponentChildren {
  if (typeof node === 'string') return node;
  const { name, value = '', children } = node;
  const drawn = children.map(draw);
  if (name === 'h2')
    return (
      <h2 key={index} id={`section-${value}`}>
        {drawn}
      </h2>
    );
  if (name === 'a')
    return value.startsWith('#') ? (
      <a key={index} href={href('runbook', value.slice(1))}>
        {drawn}
      </a>
    ) : (
      <span key={index}>{drawn}</span>
    );
  // A table is wider than a phone: it scrolls on its own.
  if (name === 'table')
    return (
      <div key={index} class="scroll" tabIndex={0} role="group" aria-label="Table">
        <table>{drawn}</table>
      </div>
    );
  return h(names.has(name) ? name : 'span', { key: index }, drawn);
}
