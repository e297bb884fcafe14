// Where the demo's messages arrive: stand-ins of Slack's incoming webhooks and of PagerDuty's Events API v2, and a page that shows both as
// people would see them. The content of a message is text: it is escaped wherever it is shown.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';

/** A message in the chat room. */
export interface ChatMessage {
  readonly atMs: number;
  readonly title: string;
  readonly link: string | undefined;
  readonly text: string;
  /** `good`, `warning`, `danger`, `#rrggbb`; undefined: none. */
  readonly color: string | undefined;
}

/** An incident for the person on call. */
export interface PagedIncident {
  readonly dedupKey: string;
  readonly openedAtMs: number;
  readonly resolvedAtMs: number | undefined;
  readonly summary: string;
  readonly severity: string;
  readonly details: string;
  readonly links: readonly { readonly href: string; readonly text: string }[];
  /** Messages about it so far. */
  readonly events: number;
}

export interface Messages extends AsyncDisposable {
  /** The page. */
  readonly url: string;
  readonly chat: readonly ChatMessage[];
  readonly incidents: readonly PagedIncident[];
}

export interface MessagesOptions {
  /** Called with each message as it arrives: a line for the narration. */
  readonly onMessage?: (where: 'chat' | 'pager', line: string) => void;
  /** The operator's page, for the link to it. */
  readonly operatorsPage?: () => string | undefined;
}

/** How many of the newest are shown; older ones are dropped. */
const mostShown = 100;

/** Starts both on one port: `/slack`, `/pagerduty`, and the page at `/`. */
export async function startMessages({ onMessage, operatorsPage }: MessagesOptions = {}): Promise<Messages> {
  const chat: ChatMessage[] = [];
  const incidents: PagedIncident[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? '';
    if (request.method === 'GET' && path === '/') {
      response.writeHead(200, headers).end(pageOf({ chat, incidents, operatorsPage: operatorsPage?.() }));
    } else if (request.method === 'POST' && path === '/slack') {
      const message = chatMessage(parsed(await textOf(request)));
      if (!message) return void response.writeHead(400).end('invalid_payload');
      chat.unshift(message);
      chat.length = Math.min(chat.length, mostShown);
      onMessage?.('chat', [message.title, ...message.text.split('\n')].filter((line) => line !== '').join(' · '));
      response.writeHead(200).end('ok');
    } else if (request.method === 'POST' && path === '/pagerduty') {
      const incident = takeEvent(incidents, parsed(await textOf(request)));
      if (!incident) return void response.writeHead(400).end('{"status":"invalid event"}');
      onMessage?.('pager', `${incident.resolvedAtMs === undefined ? 'triggered' : 'resolved'}: ${incident.summary}`);
      response.writeHead(202).end('{"status":"success","message":"Event processed"}');
    } else response.writeHead(404).end();
  };
  const server = createServer((request, response) => {
    take(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    chat,
    incidents,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}

type Json = Readonly<Record<string, unknown>>;

function parsed(body: string): Json {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Json) : {};
  } catch {
    return {};
  }
}

/** What Slack makes of a body; undefined: it would refuse it. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
function chatMessage(body: Json): ChatMessage | undefined {
  const [attachment = {}] = (Array.isArray(body['attachments']) ? body['attachments'] : []) as Json[];
  const text = stringIn(attachment, 'text') ?? stringIn(body, 'text');
  if (text === undefined) return undefined;
  return {
    atMs: Date.now(),
    title: unescaped(stringIn(attachment, 'title') ?? ''),
    link: stringIn(attachment, 'title_link'),
    text: unescaped(text),
    color: stringIn(attachment, 'color'),
  };
}

/** Slack's three entities. https://docs.slack.dev/messaging/formatting-message-text#escaping */
function unescaped(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

/**
 * Opens, updates or resolves an incident by its dedup key; undefined: PagerDuty would refuse the event.
 * https://developer.pagerduty.com/docs/send-alert-event
 */
function takeEvent(incidents: PagedIncident[], event: Json): PagedIncident | undefined {
  const [dedupKey, action] = [stringIn(event, 'dedup_key'), stringIn(event, 'event_action')];
  if (dedupKey === undefined || stringIn(event, 'routing_key')?.length !== 32) return undefined;
  const place = incidents.findIndex((each) => each.dedupKey === dedupKey && each.resolvedAtMs === undefined);
  const open = incidents[place];
  if (action === 'resolve') {
    if (!open) return closed(dedupKey);
    return (incidents[place] = { ...open, resolvedAtMs: Date.now(), events: open.events + 1 });
  }
  const payload = (event['payload'] ?? {}) as Json;
  const [summary, severity] = [stringIn(payload, 'summary'), stringIn(payload, 'severity')];
  if (action !== 'trigger' || summary === undefined || severity === undefined) return undefined;
  const links = (Array.isArray(event['links']) ? event['links'] : []) as Json[];
  const told: PagedIncident = {
    dedupKey,
    openedAtMs: open?.openedAtMs ?? Date.now(),
    resolvedAtMs: undefined,
    summary,
    severity,
    details: stringIn((payload['custom_details'] ?? {}) as Json, 'text') ?? '',
    links: links.flatMap((link) => {
      const href = stringIn(link, 'href');
      return href === undefined ? [] : [{ href, text: stringIn(link, 'text') ?? href }];
    }),
    events: (open?.events ?? 0) + 1,
  };
  if (open) incidents[place] = told;
  else {
    incidents.unshift(told);
    incidents.length = Math.min(incidents.length, mostShown);
  }
  return told;
}

/** The end of an incident whose beginning was never received: PagerDuty accepts it and shows nothing. */
function closed(dedupKey: string): PagedIncident {
  const atMs = Date.now();
  return {
    dedupKey,
    openedAtMs: atMs,
    resolvedAtMs: atMs,
    summary: 'an incident that is not open',
    severity: 'info',
    details: '',
    links: [],
    events: 1,
  };
}

function stringIn(from: Json, name: string): string | undefined {
  const value = from[name];
  return typeof value === 'string' ? value : undefined;
}

const headers = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  // Nothing from elsewhere, and no script but the page's own.
  'content-security-policy': `default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-demo'; connect-src 'self'`,
};

/** The page: the newest first, refreshed every second. */
export function pageOf({
  chat,
  incidents,
  operatorsPage,
}: Pick<Messages, 'chat' | 'incidents'> & { readonly operatorsPage: string | undefined }): string {
  const open = incidents.filter(({ resolvedAtMs }) => resolvedAtMs === undefined).length;
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>What people are told</title>
<style>${style}</style></head>
<body>
<header><h1>What people are told</h1>
<p>Stand-ins of Slack and PagerDuty: the demo's rules send to them as they would to the real ones.${
    operatorsPage === undefined ? '' : ` ${linkTo(operatorsPage, "The operator's page")}`
  }</p></header>
<main id="told">
<section aria-labelledby="chat"><h2 id="chat"># live-operations <small>as in Slack</small></h2>
${chat.length === 0 ? '<p class="none">No message yet.</p>' : `<ol>${chat.map(chatItem).join('')}</ol>`}
</section>
<section aria-labelledby="pager"><h2 id="pager">On call: ${open} open <small>as in PagerDuty</small></h2>
${incidents.length === 0 ? '<p class="none">No incident yet.</p>' : `<ol>${incidents.map(incidentItem).join('')}</ol>`}
</section>
</main>
<script nonce="demo">
const renew = async () => {
  const answer = await fetch('/').catch(() => undefined);
  if (!answer) return;
  const next = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('told');
  const now = document.getElementById('told');
  if (next.innerHTML !== now.innerHTML) now.replaceWith(next);
};
setInterval(renew, 1000);
</script>
</body></html>
`;
}

function chatItem({ atMs, title, link, text, color }: ChatMessage): string {
  const heading = title === '' ? '' : `<h3>${link === undefined ? escaped(title) : linkTo(link, title)}</h3>`;
  return `<li class="message ${toneOf(color)}"><p class="who"><b>ivs-autopilot</b> <time>${timeText(atMs)}</time></p>
<div>${heading}<p class="text">${withLinks(text)}</p></div></li>`;
}

function incidentItem({ openedAtMs, resolvedAtMs, summary, severity, details, links, events }: PagedIncident): string {
  const state = resolvedAtMs === undefined ? 'triggered' : 'resolved';
  const until = resolvedAtMs === undefined ? '' : `, resolved ${timeText(resolvedAtMs)}`;
  const lines = details === '' || summary.endsWith(details) ? '' : `<p class="text">${withLinks(details)}</p>`;
  return `<li class="incident ${state}"><p class="who"><b class="state">${state}</b> <span>${escaped(severity)}</span>
<time>${timeText(openedAtMs)}${until}</time></p>
<h3>${escaped(summary)}</h3>${lines}
<p class="links">${links.map(({ href, text }) => linkTo(href, text)).join(' · ')}${
    links.length > 0 ? ' · ' : ''
  }${events} event${events === 1 ? '' : 's'}</p></li>`;
}

const tones: Readonly<Record<string, string>> = { good: 'good', warning: 'warning', danger: 'danger' };

function toneOf(color: string | undefined): string {
  return Object.hasOwn(tones, color ?? '') ? tones[color!]! : 'plain';
}

function timeText(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 19);
}

/** Text with the addresses in it as links, as chat programs show them. */
function withLinks(text: string): string {
  return text
    .split(/(https?:\/\/[^\s<>"]+)/)
    .map((part, index) => (index % 2 === 1 ? linkTo(part, part) : escaped(part)))
    .join('');
}

/** A link if it is a web address; anything else is text. */
function linkTo(href: string, text: string): string {
  const url = URL.parse(href);
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') return escaped(text);
  return `<a href="${escaped(url.href)}" rel="noreferrer">${escaped(text)}</a>`;
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replaceAll(/[&<>"']/g, (character) => entities[character]!);
}

const style = `
:root { color-scheme: light dark; --line: light-dark(#d6d6dc, #3c3f47); --soft: light-dark(#595d66, #a9adb8); --card: light-dark(#fff, #1d1f24) }
body { margin: 0; font: 15px/1.45 system-ui, sans-serif; background: light-dark(#f4f4f6, #121317); color: light-dark(#1b1c20, #e8e9ec) }
header { padding: 16px 24px 0 } h1 { font-size: 20px; margin: 0 } header p { margin: 4px 0 0; color: var(--soft) }
main { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 24px; padding: 16px 24px 32px; align-items: start }
h2 { font-size: 16px; margin: 0 0 8px } small { font-weight: 400; color: var(--soft) }
ol { list-style: none; margin: 0; padding: 0; display: grid; gap: 8px }
li { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 8px 12px }
.who { margin: 0; color: var(--soft); font-size: 13px } .who b { color: light-dark(#1b1c20, #e8e9ec) }
.message div { border-left: 4px solid var(--line); padding-left: 10px; margin-top: 4px }
.message.good div { border-color: light-dark(#1a7f4b, #3fbf7f) } .message.danger div { border-color: light-dark(#c02626, #ff6b6b) }
.message.warning div { border-color: light-dark(#a86500, #f0b040) }
h3 { font-size: 15px; margin: 2px 0 } .text { margin: 2px 0; white-space: pre-line; overflow-wrap: anywhere } .links { margin: 4px 0 0; font-size: 13px; color: var(--soft) }
.incident { border-left-width: 4px } .incident.triggered { border-left-color: light-dark(#c02626, #ff6b6b) } .incident.resolved { border-left-color: light-dark(#1a7f4b, #3fbf7f) }
.triggered .state { color: light-dark(#b42020, #ff8080) } .resolved .state { color: light-dark(#146b3e, #5fd39a) }
a { color: light-dark(#0b57c4, #8ab8ff) } .none { color: var(--soft) }
`;
