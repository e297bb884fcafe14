// Grouping and repetition in virtual time, with the routes and times from Alertmanager's documentation.
import { describe, expect, test } from 'vitest';
import { parseConfig } from '#config/load.ts';
import type { Alert, GroupMessage } from '#domain/notification.ts';
import type { Receiver, Route } from '#domain/receiver.ts';
import { kinds } from '#domain/state-registry.ts';
import { MemoryState } from '#store/memory-state.ts';
import { receiverOf } from '#test/support/receivers.ts';
import { documentOf, textOf, titleOf } from './document.ts';
import {
  flushDue,
  type Gathered,
  gather,
  hasRoom,
  noteMissed,
  noteSent,
  overflowOf,
  routesOf,
  type Target,
} from './groups.ts';

const seconds = 1_000;
const minutes = 60 * seconds;
const hours = 60 * minutes;
const startMs = Date.parse('2026-11-30T20:00:00Z');

const pager = receiverOf({ name: 'pager', webhook_configs: [{ url: 'https://pager.example/' }] });
/** `group_wait: 30s`, `group_interval: 5m`, `repeat_interval: 3h`: the example of Alertmanager's own README. */
const documented: Target & { grouping: NonNullable<Target['grouping']> } = {
  receiver: 'pager',
  routeKey: '{}',
  grouping: { by: ['alertname'], waitMs: 30 * seconds, intervalMs: 5 * minutes, repeatMs: 3 * hours },
};

/** A group that alerts come to, and a clock that moves from one evaluation of the group to the next. */
function stage({ receiver = pager, target = documented }: { receiver?: Receiver; target?: typeof documented } = {}) {
  let nowMs = startMs;
  const state = new MemoryState({ now: () => nowMs });
  const said: string[] = [];
  const messages: GroupMessage[] = [];
  const shown = ({ sendResolved, notification }: GroupMessage) => {
    const { firing, resolved, alerts } = notification;
    const names = alerts.map(({ labels, endsAtMs }) => `${endsAtMs === undefined ? '' : '-'}${labels['channel_name']}`);
    const who = sendResolved ? '' : ' (no resolved)';
    return `${(nowMs - startMs) / seconds}s ${firing}/${resolved} ${names.toSorted().join(' ')}${who}`;
  };
  const silenced = new Set<string>();
  const flush = () =>
    state.transact((tx) =>
      flushDue(tx, {
        receiver: (name) => (name === receiver.name ? receiver : undefined),
        isSilenced: (_view, _nowMs, labels) => silenced.has(labels['channel_name'] ?? ''),
      }),
    );
  const alertOf = (channel: string, more: Partial<Alert> = {}): Alert => ({
    fingerprint: `fp-${channel}`,
    labels: { alertname: 'starving', channel_name: channel },
    startsAtMs: nowMs,
    text: `${channel} starves`,
    firing: { rule: 'starving', subject: channel, causeId: `c-${channel}` },
    ...more,
  });
  const remember = (channel: string, isFiring: boolean) =>
    state.transact((tx) => {
      const evidence = { kind: 'state' as const, sinceMs: nowMs, text: '', values: {} };
      const firing = {
        cause: { id: `c-${channel}`, evidence },
        firedAtMs: nowMs,
        acted: true,
        mode: 'enforce' as const,
        decisionId: 'd',
      };
      const base = { rule: 'starving', subject: channel, conditionHash: 'h', acted: [], touchedMs: nowMs };
      tx.set(kinds.ruleMemory.of('starving', channel), isFiring ? { ...base, firing } : base);
    });
  const put = (alert: Alert, decidedAtMs = nowMs): Promise<Gathered> =>
    state.transact((tx) => gather(tx, target, { alert, decidedAtMs }));
  return {
    state,
    said,
    messages,
    silenced,
    flush,
    alertOf,
    put,
    remember,
    /** Advances to this long after the start, evaluating every second, as the daemon does. */
    async until(ms: number) {
      for (; nowMs < startMs + ms; nowMs += seconds) {
        for (const message of await flush()) {
          said.push(shown(message));
          messages.push(message);
        }
      }
    },
    async fire(channel: string, more: Partial<Alert> = {}) {
      await remember(channel, true);
      return put(alertOf(channel, more));
    },
    async resolve(channel: string, more: Partial<Alert> = {}) {
      await remember(channel, false);
      return put(alertOf(channel, { endsAtMs: nowMs, isAutomatic: true, ...more }));
    },
    counts: () => ({ groups: state.view.count(kinds.alertGroup), alerts: state.view.count(kinds.groupAlert) }),
  };
}

describe('a group', () => {
  test('sends after group_wait, sends what is new after group_interval, and repeats after repeat_interval', async () => {
    const t = stage();
    await t.fire('a');
    await t.until(10 * seconds);
    await t.fire('b');
    await t.until(60 * seconds);
    await t.fire('c');
    await t.until(7 * hours);

    // 30 s after the first; 5 min after that; then 3 h after that, checked every 5 min, and again.
    expect(t.said).toEqual(['30s 2/0 a b', '330s 3/0 a b c', '11130s 3/0 a b c', '21930s 3/0 a b c']);
  });

  test('repeats at the first group_interval after a repeat_interval that is not a multiple of it', async () => {
    const t = stage({ target: { ...documented, grouping: { ...documented.grouping, repeatMs: 7 * minutes } } });
    await t.fire('a');
    await t.until(25 * minutes);

    expect(t.said).toEqual(['30s 1/0 a', '630s 1/0 a', '1230s 1/0 a']);
  });

  test('reports a resolved alert in the next message and the last one as resolved; an alert that fires again waits again', async () => {
    const t = stage();
    await t.fire('a');
    await t.fire('b');
    await t.until(40 * seconds);
    await t.resolve('a');
    await t.until(400 * seconds);
    await t.resolve('b');
    await t.until(640 * seconds);
    expect(t.said).toEqual(['30s 2/0 a b', '330s 1/1 -a b', '630s 0/1 -b']);
    await t.fire('a');
    await t.until(700 * seconds);

    expect(t.said.at(-1)).toBe('670s 1/0 a');
  });

  test('sends nothing about an alert that resolves within group_wait, and leaves nothing behind', async () => {
    const t = stage();
    await t.fire('a');
    await t.until(20 * seconds);
    await t.resolve('a');
    await t.until(10 * minutes);

    expect(t.said).toEqual([]);
    expect(t.counts()).toEqual({ groups: 0, alerts: 0 });
  });

  test('does not make an alert wait again that was decided long ago, when nobody could send', async () => {
    const t = stage();
    await t.remember('a', true);
    await t.put(t.alertOf('a'), startMs - minutes);
    await t.until(2 * seconds);

    expect(t.said).toEqual(['0s 1/0 a']);
  });

  test('sends only what fires to integrations without send_resolved', async () => {
    const receiver = receiverOf({
      name: 'pager',
      webhook_configs: [{ url: 'https://pager.example/' }, { url: 'https://quiet.example/', send_resolved: false }],
    });
    const t = stage({ receiver });
    await t.fire('a');
    await t.fire('b');
    await t.until(40 * seconds);
    await t.resolve('a');
    await t.until(400 * seconds);
    await t.resolve('b');
    await t.until(20 * minutes);

    expect(t.said).toEqual(['30s 2/0 a b', '30s 2/0 a b (no resolved)', '330s 1/1 -a b', '630s 0/1 -b']);
  });

  test('repeats a message that some integrations missed to those alone, once each group_interval, until they have it', async () => {
    const t = stage();
    await t.fire('a');
    await t.until(31 * seconds);
    const miss = (message: GroupMessage) => t.state.transact((tx) => noteMissed(tx, message, ['webhook-x']));
    await miss(t.messages[0]!);
    await t.until(331 * seconds);
    expect(t.messages).toHaveLength(2);
    expect(t.messages[1]).toMatchObject({ only: ['webhook-x'], notification: { firing: 1 } });
    await miss(t.messages[1]!);
    await t.until(631 * seconds);
    expect(t.messages[2]?.only).toEqual(['webhook-x']);
    // The integration has it now, and later changes go to all again.
    await t.until(20 * minutes);
    await t.fire('b');
    await t.until(40 * minutes);
    expect(t.said).toEqual(['30s 1/0 a', '330s 1/0 a', '630s 1/0 a', '1230s 2/0 a b']);
    expect(t.messages[3]?.only).toBeUndefined();
    // A message that was given up long ago says nothing about later messages.
    await miss(t.messages[0]!);
    await t.until(60 * minutes);
    expect(t.messages).toHaveLength(4);
  });

  test('does not repeat a missed message when all its alerts are over', async () => {
    const t = stage();
    await t.fire('a');
    await t.until(31 * seconds);
    await t.state.transact((tx) => noteMissed(tx, t.messages[0]!, ['webhook-x']));
    await t.resolve('a');
    await t.until(20 * minutes);
    expect(t.said).toEqual(['30s 1/0 a', '330s 0/1 -a']);
    expect(t.counts()).toEqual({ groups: 0, alerts: 0 });
  });

  test('sends one message, however many replicas evaluate it', async () => {
    const t = stage();
    await t.fire('a');
    await t.until(30 * seconds);

    const [first, second] = [await t.flush(), await t.flush()];
    expect([first.length, second.length]).toEqual([1, 0]);
  });

  test('leaves nothing firing that the rule no longer remembers, even if nobody reported the end', async () => {
    const t = stage();
    await t.fire('a');
    await t.until(40 * seconds);
    await t.remember('a', false);
    await t.until(20 * minutes);

    expect(t.said).toEqual(['30s 1/0 a', '330s 0/1 -a']);
    expect(t.counts()).toEqual({ groups: 0, alerts: 0 });
  });

  test('keeps the later of two reports about an alert, in whichever order they arrive', async () => {
    const t = stage();
    await t.fire('a');
    await t.until(40 * seconds);
    await t.resolve('a');
    const late = await t.put(t.alertOf('a'), startMs);

    expect(late.kind).toBe('older');
    await t.until(20 * minutes);
    expect(t.said).toEqual(['30s 1/0 a', '330s 0/1 -a']);
  });

  test('reports an event without a duration once, and no end', async () => {
    const t = stage();
    await t.put(t.alertOf('a', { firing: undefined }));
    await t.until(10 * hours);

    expect(t.said).toEqual(['30s 1/0 a']);
    expect(t.counts()).toEqual({ groups: 0, alerts: 0 });
  });

  test('reports an end that the rule names although the beginning went elsewhere, but no end that was already sent', async () => {
    const t = stage();
    await t.resolve('a', { isAutomatic: undefined });
    await t.until(40 * seconds);
    expect(t.said).toEqual(['30s 1/0 a']);
    await t.fire('b');
    await t.until(80 * seconds);
    await t.remember('b', false);
    await t.until(380 * seconds);
    const late = await t.resolve('b', { isAutomatic: undefined });

    expect(late.kind).toBe('over');
    expect(t.said.slice(1)).toEqual(['70s 1/0 b', '370s 0/1 -b']);
  });

  test('leaves out silenced alerts, reports no end for them, and reports them again when the silence ends', async () => {
    const t = stage();
    await t.fire('a');
    await t.fire('b');
    await t.until(40 * seconds);
    t.silenced.add('a').add('b');
    await t.resolve('b');
    await t.until(10 * hours);
    expect(t.said).toEqual(['30s 2/0 a b']);
    t.silenced.clear();
    await t.until(10 * hours + 10 * minutes);

    expect(t.said.slice(1)).toEqual(['36030s 1/0 a']);
  });

  test('disappears when its receiver is no longer in the configuration', async () => {
    const t = stage({ receiver: { ...pager, name: 'other' } });
    await t.fire('a');
    await t.until(minutes);

    expect([t.said, t.counts()]).toEqual([[], { groups: 0, alerts: 0 }]);
  });
});

test('a flood is one message with counts and the ten worst alerts, resolved as one; alerts that do not fit are counted', async () => {
  const t = stage();
  for (let index = 0; index < 1_005; index += 1) {
    const severity = index === 700 ? 'critical' : 'warning';
    await t.fire(`ch-${index}`, { labels: { alertname: 'starving', channel_name: `ch-${index}`, severity } });
  }
  await t.until(minutes);
  const [message] = t.messages;
  const { notification } = message!;
  const document = documentOf(notification, '');

  expect(t.messages).toHaveLength(1);
  expect(notification).toMatchObject({ firing: 1_005, resolved: 0 });
  expect(notification.alerts).toHaveLength(100);
  expect(document.truncatedAlerts).toBe(905);
  expect(titleOf(document, notification)).toBe('[FIRING:1005] starving');
  const lines = textOf(document, notification).split('\n');
  expect(lines[0]).toBe('1005 firing, 0 resolved. The 10 worst:');
  expect(lines[1]).toContain('ch-700 starves');
  expect(lines).toHaveLength(12);
  expect(lines[11]).toBe('and 995 more');

  for (let index = 0; index < 1_005; index += 1) await t.remember(`ch-${index}`, false);
  await t.until(10 * minutes);
  expect(t.messages).toHaveLength(2);
  expect(documentOf(t.messages[1]!.notification, '').status).toBe('resolved');
  await t.until(20 * minutes);
  expect(t.counts()).toEqual({ groups: 0, alerts: 0 });
});

test('a receiver with max_per_hour gets the excess as one message as soon as there is room', async () => {
  const receiver = receiverOf({ name: 'pager', max_per_hour: 2, webhook_configs: [{ url: 'https://pager.example/' }] });
  const t = stage({ receiver, target: overflowOf(receiver) });
  const atOnce = () =>
    t.state.transact((tx) => {
      const isOpen = hasRoom(tx, receiver, tx.nowMs);
      if (isOpen) noteSent(tx, receiver);
      return isOpen;
    });
  expect([await atOnce(), await atOnce(), await atOnce()]).toEqual([true, true, false]);
  for (const channel of ['a', 'b', 'c']) await t.fire(channel);
  await t.until(2 * hours);

  expect(t.said).toEqual(['3600s 3/0 a b c']);
});

/** https://github.com/prometheus/alertmanager#example , with tags instead of its labels. */
const readme = `
version: 1
receivers:
  - {name: team-x-mails, webhook_configs: [{url: "https://x-mails.example/"}]}
  - {name: team-x-pager, webhook_configs: [{url: "https://x-pager.example/"}]}
  - {name: team-y-mails, webhook_configs: [{url: "https://y-mails.example/"}]}
  - {name: team-y-pager, webhook_configs: [{url: "https://y-pager.example/"}]}
  - {name: team-db-pager, webhook_configs: [{url: "https://db-pager.example/"}]}
route:
  group_by: [alertname, tag_cluster]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 3h
  receiver: team-x-mails
  routes:
    - matchers: ['tag_service=~"^(foo1|foo2|baz)$"']
      receiver: team-x-mails
      routes: [{matchers: ['severity="critical"'], receiver: team-x-pager}]
    - matchers: ['tag_service="files"']
      receiver: team-y-mails
      routes: [{matchers: ['severity="critical"'], receiver: team-y-pager}]
    - matchers: ['tag_service="database"']
      receiver: team-db-pager
      group_by: [alertname, tag_cluster, tag_database]
      routes:
        - {matchers: ['tag_owner="team-x"'], receiver: team-x-pager, continue: true}
        - {matchers: ['tag_owner="team-y"'], receiver: team-y-pager}
`;

describe('the routes of Alertmanager’s own example', () => {
  const parsed = parseConfig(readme, 'f.yaml');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const route: Route = parsed.config.ruleset.route!;

  test.each<[Record<string, string>, string[]]>([
    [{}, ['team-x-mails']],
    [{ tag_service: 'other', severity: 'critical' }, ['team-x-mails']],
    [{ tag_service: 'foo2' }, ['team-x-mails']],
    [{ tag_service: 'foo2', severity: 'critical' }, ['team-x-pager']],
    [{ tag_service: 'files', severity: 'critical' }, ['team-y-pager']],
    [{ tag_service: 'database' }, ['team-db-pager']],
    [{ tag_service: 'database', tag_owner: 'team-x' }, ['team-x-pager']],
    [{ tag_service: 'database', tag_owner: 'team-y' }, ['team-y-pager']],
  ])('%j goes to %j', (labels, receivers) => {
    expect(routesOf(route, labels).map(({ receiver }) => receiver)).toEqual(receivers);
  });

  test('inherit from the parent route what they do not set', () => {
    const [target] = routesOf(route, { tag_service: 'database', tag_owner: 'team-y' });

    expect(target).toMatchObject({
      routeKey: '{}/{tag_service="database"}/{tag_owner="team-y"}',
      grouping: {
        by: ['alertname', 'tag_cluster', 'tag_database'],
        waitMs: 30_000,
        intervalMs: 300_000,
        repeatMs: 10_800_000,
      },
    });
  });

  test('continue to later siblings after `continue`', () => {
    const again = parseConfig(readme.replace('tag_owner="team-y"', 'tag_owner!="team-z"'), 'f.yaml');
    if (!again.ok) throw new Error(JSON.stringify(again.problems));

    expect(
      routesOf(again.config.ruleset.route!, { tag_service: 'database', tag_owner: 'team-x' }).map(
        ({ receiver }) => receiver,
      ),
    ).toEqual(['team-x-pager', 'team-y-pager']);
  });
});
