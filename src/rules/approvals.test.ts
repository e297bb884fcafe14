import { describe, expect, test } from 'vitest';
import type { Approval } from '#domain/approval.ts';
import { kinds } from '#domain/state-registry.ts';
import { type AuditFilter, type AuditRow, auditEntries } from '#journal/audit.ts';
import { arnOf, Engine, rulesetOf } from '#test/support/engine.ts';
import { hold, pause, release, resume, silence } from './controls.ts';

const ann = 'token ann';
const bob = 'token bob';

/** A rule that stops starving channels once somebody says yes. */
const rules = ({ approval = '{}', more = '', actions = '', guards = 'cooldown: 0s, max_per_hour: 50' } = {}) => `
receivers: [{name: noc, webhook_configs: [{url: "https://noc.example/hook", send_resolved: false}]}]
rules:
  - name: stop
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    actions: [${actions}{stop_stream: {}, approval: ${approval}}]
    guards: {${guards}}
    ${more}
`;

async function starvingUnder(text: string, ...names: readonly string[]): Promise<Engine> {
  const engine = new Engine(text);
  for (const name of names.length > 0 ? names : ['a']) {
    await engine.goLive(name);
    await engine.health(name, 'STARVING');
  }
  return engine;
}

const deeds = (engine: Engine) => engine.log.filter((line) => !line.includes('notify'));
const told = (engine: Engine) =>
  engine.jobs.flatMap(({ name, payload }) => (name === 'notify' ? [(payload.params as { text: string }).text] : []));
const approvals = (engine: Engine): Approval[] =>
  Array.from(engine.state.view.entries(kinds.approval), ([, approval]) => approval);
const ask = { who: 'bob', reason: 'test' };

/** The newest first. */
async function auditedOf(engine: Engine, filter: AuditFilter): Promise<AuditRow[]> {
  const rows: AuditRow[] = [];
  for await (const row of auditEntries(engine.state, filter)) rows.push(row);
  return rows;
}

describe('an action with approval', () => {
  test('waits for approval, runs for the session in which it was requested, and records who, when, from where and with which values', async () => {
    const engine = await starvingUnder(rules());
    await engine.stream('a', { viewerCount: 12 });
    await engine.goTo(30);
    expect(deeds(engine)).toEqual([]);
    expect(approvals(engine)).toMatchObject([{ state: 'waiting', action: 'stop_stream', channelArn: arnOf('a') }]);

    expect(await engine.answer('approve')).toMatchObject({ ok: true, approval: { state: 'approved' } });

    expect(deeds(engine)).toEqual(['30 stop_stream a']);
    const job = engine.jobs.at(-1)!;
    expect(job.payload.streamId).toBe(approvals(engine)[0]?.streamId);
    expect(engine.story.slice(-2)).toEqual(['0 pending awaiting_approval a', '30 acted approved a']);
    const decision = engine.decisions.at(-1)!;
    expect(job.payload.cause).toMatchObject({ decisionId: decision.id });
    expect(decision.trigger.values).toMatchObject({
      approvedBy: ann,
      from: '198.51.100.7',
      'shown viewerCount': 12,
      'shown health': 'STARVING',
    });
    const [audited] = await auditedOf(engine, { what: 'approve' });
    expect(audited).toMatchObject({
      who: ann,
      outcome: 'done',
      why: 'looked at it',
      channelArn: arnOf('a'),
      jobId: job.jobId,
      decisionId: decision.id,
      params: { from: '198.51.100.7', shown: { viewerCount: 12, health: 'STARVING' } },
    });
  });

  test('requests none in dry run, and does not affect the other actions of its rule', async () => {
    const dry = await starvingUnder(rules().replace('mode: enforce', 'mode: dry_run'));
    expect(approvals(dry)).toEqual([]);
    expect(dry.story).toEqual(['0 would_act fired a']);

    const engine = await starvingUnder(rules({ actions: '{put_metadata: {payload: slate}}, ' }));
    expect(deeds(engine)).toEqual(['0 put_metadata a']);
    expect(engine.story).toEqual(['0 acted fired a']);
    expect(engine.decisions.at(-1)?.withheld).toMatchObject([{ action: 'stop_stream', reason: 'awaiting_approval' }]);
  });

  test('requests it when its `after` is over', async () => {
    const engine = await starvingUnder(rules({ approval: '{timeout: 20s}' }).replace('{stop', '{after: 1m, stop'));
    await engine.goTo(59);
    expect(approvals(engine)).toEqual([]);
    await engine.goTo(60);
    expect(engine.story.at(-1)).toBe('60 pending awaiting_approval a');
    await engine.goTo(70);
    await engine.answer('approve');
    expect(deeds(engine)).toEqual(['70 stop_stream a']);
  });

  test('never runs after its timeout, even if nobody has noticed the timeout yet', async () => {
    const engine = await starvingUnder(rules({ approval: '{timeout: 1m}' }));
    await engine.goTo(59.999);
    engine.nowMs += 1;
    expect(await engine.answer('approve')).toMatchObject({ ok: false, code: 'APPROVAL_OVER' });
    await engine.goTo(600);

    expect(deeds(engine)).toEqual([]);
    expect(engine.story.at(-1)).toBe('60 not_fired approval_timed_out a');
    expect(approvals(engine)).toMatchObject([{ state: 'timed_out' }]);
    expect(told(engine)).toEqual([
      expect.stringContaining('Approval needed: stop_stream on a'),
      expect.stringContaining('Not approved in time and not done: stop_stream on a'),
    ]);
    expect(await engine.answer('approve', { id: approvals(engine)[0]!.id })).toMatchObject({ code: 'APPROVAL_OVER' });
  });

  test('stays rejected, whoever approves it afterwards', async () => {
    const engine = await starvingUnder(rules());
    expect(await engine.answer('reject')).toMatchObject({ ok: true, approval: { state: 'rejected' } });
    const { id } = approvals(engine)[0]!;
    expect(await engine.answer('approve', { id, who: bob })).toMatchObject({ ok: false, code: 'APPROVAL_OVER' });
    await engine.goTo(3_600);
    expect(deeds(engine)).toEqual([]);
    expect(engine.story.at(-1)).toBe('0 not_fired approval_rejected a');
  });

  test('that is approved twice runs once, and the second answer returns how it ended', async () => {
    const engine = await starvingUnder(rules());
    const { id } = approvals(engine)[0]!;
    await engine.answer('approve', { id });
    expect(await engine.answer('approve', { id })).toMatchObject({ ok: true, repeated: true });
    expect(await engine.answer('approve', { id, who: bob })).toMatchObject({ ok: false, code: 'APPROVAL_OVER' });
    expect(deeds(engine)).toHaveLength(1);
  });

  test('with two approvers needs two different people', async () => {
    const engine = await starvingUnder(rules({ approval: '{count: 2}' }));
    const { id } = approvals(engine)[0]!;
    await engine.answer('approve', { id });
    expect(await engine.answer('approve', { id })).toMatchObject({ ok: true, repeated: true });
    expect(deeds(engine)).toEqual([]);
    await engine.answer('approve', { id, who: bob });
    expect(deeds(engine)).toEqual(['0 stop_stream a']);
    expect(approvals(engine)[0]?.answers.map(({ who }) => who)).toEqual([ann, bob]);
  });

  test('requires the role that `by` names', async () => {
    const engine = await starvingUnder(rules({ approval: '{by: admin}' }));
    for (const kind of ['approve', 'reject'] as const)
      expect(await engine.answer(kind)).toMatchObject({ ok: false, code: 'APPROVAL_NOT_ALLOWED' });
    expect(await engine.answer('approve', { role: 'admin' })).toMatchObject({ ok: true });
    const audited = await auditedOf(engine, { who: ann });
    expect(audited.map(({ what, outcome }) => `${what} ${outcome}`)).toEqual([
      'approve done',
      'reject refused',
      'approve refused',
    ]);
  });

  test('is not approved by the person who caused it, unless the rule allows it', async () => {
    const text = (approval: string) => `
rules:
  - name: stop
    mode: enforce
    trigger: {http: {name: panic}}
    actions: [{stop_stream: {}, approval: ${approval}}]
    guards: {cooldown: 0s, max_per_hour: 50}
`;
    const ofAnn = async (approval: string) => {
      const engine = new Engine(text(approval));
      await engine.goLive('a');
      const observation = { kind: 'http', requestId: 'r1', name: 'panic', channelArn: arnOf('a'), body: null } as const;
      await engine.decide({
        kind: 'http',
        observation: { ...observation, author: ann, atMs: engine.nowMs },
        atMs: engine.nowMs,
      });
      return engine;
    };
    const engine = await ofAnn('{}');
    expect(await engine.answer('approve')).toMatchObject({ ok: false, code: 'APPROVAL_NOT_ALLOWED' });
    // Another way to sign in does not make another person.
    for (const who of ['user ann', 'user ANN'])
      expect(await engine.answer('approve', { who })).toMatchObject({ ok: false, code: 'APPROVAL_NOT_ALLOWED' });
    expect(await engine.answer('approve', { who: bob })).toMatchObject({ ok: true });
    expect(await (await ofAnn('{not_by_author: false}')).answer('approve')).toMatchObject({ ok: true });
    expect(await (await ofAnn('{}')).answer('reject')).toMatchObject({ ok: true });
  });
});

test('counts a yes by token and a yes by proxy of one person once', async () => {
  const engine = await starvingUnder(rules({ approval: '{count: 2}' }));
  expect(await engine.answer('approve', { who: ann })).toMatchObject({ ok: true, repeated: false });
  expect(await engine.answer('approve', { who: 'user Ann' })).toMatchObject({ ok: true, repeated: true });
  expect(deeds(engine)).toEqual([]);
  expect(await engine.answer('approve', { who: 'user bob' })).toMatchObject({ ok: true, repeated: false });
  expect(deeds(engine)).toEqual(['0 stop_stream a']);
});

describe('a yes checks everything again', () => {
  test('the condition: when it is over, its approval requests are over too', async () => {
    const engine = await starvingUnder(rules());
    await engine.goTo(10);
    await engine.health('a', 'HEALTHY');
    expect(approvals(engine)).toMatchObject([{ state: 'cancelled', note: expect.stringContaining('condition') }]);
    expect(await engine.answer('approve', { id: approvals(engine)[0]!.id })).toMatchObject({ code: 'APPROVAL_OVER' });
    expect(engine.story).toContain('10 not_fired step_cancelled a');
    expect(deeds(engine)).toEqual([]);
  });

  test('the session: another one is never affected, even if there was none before', async () => {
    const ended = (approval: string) => `
rules:
  - name: retire
    mode: enforce
    trigger: {event: {detail: {event_name: [Stream End]}}}
    actions: [{retire_channel: {confirm: true}, approval: ${approval}}]
    guards: {cooldown: 0s, max_per_hour: 50}
`;
    for (const hadSession of [true, false]) {
      const engine = new Engine(ended('{}'));
      if (hadSession) {
        await engine.goLive('a');
        await engine.endStream('a');
      }
      await engine.event('a', 'IVS Stream State Change', { event_name: 'Stream End' });
      const { id } = approvals(engine)[0]!;
      await engine.goLive('a');
      expect(await engine.answer('approve', { id })).toMatchObject({ ok: false, code: 'APPROVAL_OVER' });
      expect(deeds(engine)).toEqual([]);
      expect(engine.story.at(-1)).toBe('0 not_fired session_over a');
    }
    const engine = new Engine(ended('{}'));
    await engine.goLive('a');
    await engine.endStream('a');
    await engine.event('a', 'IVS Stream State Change', { event_name: 'Stream End' });
    await engine.goLive('a');
    await engine.goTo(1);
    expect(approvals(engine)).toMatchObject([{ state: 'cancelled', note: 'another stream session has begun' }]);
  });

  test.each([
    ['a pause', (engine: Engine) => engine.commit((tx) => (pause(tx, ask), [])), 'paused'],
    ['a hold', (engine: Engine) => engine.commit((tx) => (hold(tx, { ...ask, channelArn: arnOf('a') }), [])), 'held'],
    ['the tag ops-hold', (engine: Engine) => engine.channel('a', { 'ops-hold': 'x' }), 'held'],
    [
      'a silence',
      (engine: Engine) =>
        engine.commit((tx) => (silence(tx, { ...ask, matchers: ['rule="stop"'], endsMs: tx.nowMs + 60_000 }), [])),
      'silenced',
    ],
    ['missing data', (engine: Engine) => engine.gap('began'), 'data_gap'],
  ])('%s holds it back; it still waits', async (_what, comes, reason) => {
    const engine = await starvingUnder(rules());
    await comes(engine);
    expect(await engine.answer('approve')).toMatchObject({ ok: false, code: 'APPROVAL_HELD_BACK' });
    expect(engine.story.at(-1)).toBe(`0 suppressed ${reason} a`);
    expect(deeds(engine)).toEqual([]);
    expect(approvals(engine)).toMatchObject([{ state: 'waiting', answers: [] }]);
    expect(await engine.answer('reject')).toMatchObject({ ok: true });
  });

  test('a release or a resume lets a later yes count', async () => {
    const engine = await starvingUnder(rules());
    await engine.commit((tx) => (pause(tx, ask), []));
    await engine.commit((tx) => (hold(tx, { ...ask, channelArn: arnOf('a') }), []));
    await engine.commit((tx) => (resume(tx, ask), []));
    await engine.commit((tx) => (release(tx, { ...ask, channelArn: arnOf('a') }), []));
    await engine.answer('approve');
    expect(deeds(engine)).toEqual(['0 stop_stream a']);
  });

  test('keep_firing_for: a yes does not count while it is uncertain whether the condition is over', async () => {
    const engine = await starvingUnder(rules({ more: 'keep_firing_for: 30s' }));
    await engine.goTo(10);
    await engine.health('a', 'HEALTHY');
    expect(await engine.answer('approve')).toMatchObject({ code: 'APPROVAL_HELD_BACK' });
    await engine.health('a', 'STARVING');
    expect(await engine.answer('approve')).toMatchObject({ ok: true });
  });

  test('the caps: many answers act on no more channels, and no more often, than the rule may', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `c${index}`);
    const wide = await starvingUnder(
      rules({ approval: '{timeout: 3h}', guards: 'cooldown: 0s, max_live_percent: 30' }),
    );
    for (const name of names) await wide.goLive(name);
    // One after the other, slowly enough that no wave is detected; all wait.
    for (const name of names) {
      await wide.goTo(wide.seconds + 600);
      await wide.health(name, 'STARVING');
    }
    await wide.goTo(wide.seconds + 600);
    for (const { id } of approvals(wide)) await wide.answer('approve', { id });
    expect(deeds(wide).length).toBeLessThanOrEqual(3);

    const often = new Engine(rules({ approval: '{timeout: 7d}', guards: 'cooldown: 0s, max_per_hour: 2' }));
    for (const name of names.slice(0, 6)) {
      await often.goLive(name);
      await often.health(name, 'STARVING');
      await often.goTo(often.seconds + 3_600);
    }
    for (const { id } of approvals(often)) await often.answer('approve', { id });
    expect(deeds(often)).toHaveLength(2);
    await often.goTo(often.seconds + 3_600);
    for (const { id, state } of approvals(often)) if (state === 'waiting') await often.answer('approve', { id });
    expect(deeds(often)).toHaveLength(4);
  });

  test('the rule: requests of a changed, disabled or removed rule end; a change of another rule does not matter', async () => {
    const other = '\n  - {name: other, trigger: {state: {health: [HEALTHY]}}, actions: [{capture_session: {}}]}';
    const variants = [
      rules({ approval: '{count: 2}' }),
      rules().replace('mode: enforce', 'mode: off'),
      rules().replace('mode: enforce', 'mode: dry_run'),
      rules().replace('name: stop', 'name: renamed'),
      rules({ guards: 'cooldown: 1s, max_per_hour: 50' }),
    ];
    for (const text of variants)
      for (const when of ['at once', 'later']) {
        const engine = await starvingUnder(rules());
        engine.ruleset = rulesetOf(text);
        const { id } = approvals(engine)[0]!;
        if (when === 'later') await engine.goTo(1);
        expect(await engine.answer('approve', { id })).toMatchObject({ ok: false, code: 'APPROVAL_OVER' });
        expect(approvals(engine)[0]).toMatchObject({
          id,
          state: 'cancelled',
          note: expect.stringMatching(/^the rule/),
        });
        expect(deeds(engine)).toEqual([]);
        const audited = await auditedOf(engine, { what: 'approval' });
        expect(audited).toMatchObject([{ who: 'rule stop', outcome: 'cancelled' }]);
      }
    const engine = await starvingUnder(rules());
    engine.ruleset = rulesetOf(rules() + other);
    await engine.goTo(1);
    expect(await engine.answer('approve')).toMatchObject({ ok: true });
    expect(deeds(engine)).toEqual(['1 stop_stream a']);
  });
});

test('what on_resolve requests is over when the condition is true again', async () => {
  const text = rules().replace(
    'guards:',
    'on_resolve: [{put_metadata: {payload: gone}, approval: {timeout: 1h}}]\n    guards:',
  );
  const engine = await starvingUnder(text);
  await engine.answer('approve');
  await engine.health('a', 'HEALTHY');
  const asked = approvals(engine).find(({ list }) => list === 'on_resolve')!;
  await engine.goTo(10);
  await engine.health('a', 'STARVING');
  expect(await engine.answer('approve', { id: asked.id })).toMatchObject({ ok: false, code: 'APPROVAL_OVER' });
  await engine.health('a', 'HEALTHY');
  const again = approvals(engine).find(({ list, state }) => list === 'on_resolve' && state === 'waiting');
  if (again) await engine.answer('approve', { id: again.id });
  expect(deeds(engine).filter((line) => line.includes('put_metadata'))).toHaveLength(again ? 1 : 0);
});

test('many simultaneous requests are one message, and no more wait than a person could judge', async () => {
  const engine = new Engine(rules({ guards: 'cooldown: 0s, max_per_hour: 5000' }));
  engine.options = { externalUrl: 'https://autopilot.example' };
  const names = Array.from({ length: 520 }, (_, index) => `c${index}`);
  await engine.streams(
    names.map((name) => [name, { streamId: `st-${name}` as never, state: 'live', health: 'STARVING' }]),
  );
  await engine.goTo(0);
  expect(approvals(engine).filter(({ state }) => state === 'waiting')).toHaveLength(500);
  expect(engine.story.filter((line) => line.includes('too_many_approvals')).length).toBeGreaterThanOrEqual(20);
  const [message] = told(engine);
  expect(message).toMatch(/^Approval needed: stop_stream on 500 channels: c0, c1, .* and 490 more\n/);
  expect(message).toContain('https://autopilot.example/#/approvals?rule=stop');
  expect(told(engine)).toHaveLength(1);

  // When there is room, requests are made for those that found none.
  for (const { id } of approvals(engine).slice(0, 30)) await engine.answer('reject', { id });
  await engine.goTo(30);
  expect(approvals(engine).filter(({ state }) => state === 'waiting')).toHaveLength(490);
});

test('a message about one has a link and the live values, but no address or id of a viewer', async () => {
  const text = `
receivers: [{name: noc, webhook_configs: [{url: "https://noc.example/hook"}]}]
rules:
  - name: tell
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    actions:
      - {webhook: {url: "https://hooks.example/services/T0/B0/aVeryLongSecretPart1"}, approval: {show: [viewerCount, tags.tier]}}
      - {revoke_viewers: {viewers: [viewer-7]}, approval: {}}
    guards: {cooldown: 0s, max_per_hour: 50}
`;
  const engine = new Engine(text);
  engine.options = { externalUrl: 'https://autopilot.example' };
  await engine.channel('a', { tier: 'gold' });
  await engine.goLive('a');
  await engine.stream('a', { health: 'STARVING', viewerCount: 40 });
  const [first, second] = told(engine);
  expect(first).toContain('Now: viewerCount 40, tags.tier gold');
  expect(first).toContain(`https://autopilot.example/#/approval/${approvals(engine)[0]?.id}`);
  expect(`${first}${second}`).not.toMatch(/aVeryLongSecret|viewer-7/);
});

test('values shown in a message cannot pass for a line of it', async () => {
  const engine = new Engine(rules({ approval: '{show: [tags.tier]}' }));
  await engine.channel('a', { tier: 'gold\nWho may approve: anybody' });
  await engine.goLive('a');
  await engine.health('a', 'STARVING');
  const [text = ''] = told(engine);
  expect(text).toContain(String.raw`tags.tier gold\u000aWho may approve: anybody`);
  expect(text.match(/^Who may approve/gm)).toHaveLength(1);
});

test('ended ones are deleted after a day, and at most 1,000 are kept', async () => {
  const engine = new Engine(rules({ guards: 'cooldown: 0s, max_per_hour: 100000', approval: '{timeout: 10s}' }));
  for (let round = 0; round < 3; round += 1) {
    const names = Array.from({ length: 450 }, (_, index) => `c${index}`);
    await engine.streams(
      names.map((name) => [
        name,
        { streamId: `st-${name}-${round}` as never, state: 'live', health: 'STARVING', startedAtMs: engine.nowMs },
      ]),
    );
    await engine.goTo(engine.seconds + 20);
    await engine.streams(names.map((name) => [name, { state: 'ended', endedAtMs: engine.nowMs }]));
    expect(engine.state.view.count(kinds.approval)).toBeLessThanOrEqual(1_000);
  }
  await engine.goTo(engine.seconds + 2 * 86_400);
  expect(engine.state.view.count(kinds.approval)).toBe(0);
});
