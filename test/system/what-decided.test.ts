// The reasons of a decision are recorded, and its results: one daemon, and the simulator's own record compared with what the daemon says.
import { expect, test } from 'vitest';
import { broadcast, type Daemon } from '#test/support/broadcast.ts';
import { commandLine } from '#test/support/command-line.ts';
import { eventually } from '#test/support/quiet.ts';

const rules = `defaults: {mode: enforce}
rules:
  - name: last-viewers
    trigger: {state: {health: [STARVING]}}
    actions:
      - after: 500ms
        only_if: {viewerCount: [{numeric: ["<", 50]}]}
        stop_stream: {}
    guards: {cooldown: 0s, max_live_percent: 100}
  - name: slate
    trigger: {http: {name: slate}}
    actions:
      - put_metadata: {payload: {type: slate}, expires: 5m}
    guards: {cooldown: 0s}
`;

interface Check {
  readonly check: string;
  readonly verdict: string;
  readonly asked: Record<string, unknown>;
  readonly found: Record<string, unknown>;
  readonly at: string;
}

/** What the command line prints and how it ends. */
async function cli(daemon: Daemon, ...args: string[]) {
  const { code, text: out } = await commandLine(args, { env: { AUTOPILOT_URL: daemon.url } });
  return { code, out };
}

test('the value that stopped a stream, or kept it, is in decision, job, audit and explain, under the right decision', async () => {
  await using platform = await broadcast();
  const { control } = platform.simulator;
  const [few, many] = await control.createChannels(2);
  await control.goLive([few!.arn, many!.arn], { viewers: 271 });
  await using daemon = await platform.daemon({ rules });
  await control.setViewers([few!.arn], 12);
  await control.starve([few!.arn, many!.arn]);
  const jobsOf = async (arn: string) => {
    const { body } = await daemon.ask(
      'GET',
      `/v1/decisions?rule=last-viewers&reason=step_due&channelArn=${encodeURIComponent(arn)}`,
    );
    const [decision] = body.decisions;
    return decision?.jobs[0]?.outcome ? decision : undefined;
  };
  for (const [channel, verdict, viewers, outcome] of [
    [few!, 'passed', 12, 'done'],
    [many!, 'failed', 271, 'skipped'],
  ] as const) {
    const decision = await eventually(() => jobsOf(channel.arn), 30_000);
    const [{ jobId }] = decision.jobs;
    expect(decision.jobs).toMatchObject([{ action: 'stop_stream', outcome }]);
    const { body: one } = await daemon.ask('GET', `/v1/decisions/${decision.id}`);
    expect(one.jobs).toMatchObject([{ jobId }]);
    const { body: job } = await daemon.ask('GET', `/v1/jobs/${jobId}`);
    // The step's own decision, not the one that fired before.
    expect(job).toMatchObject({ decisionId: decision.id, cause: { decisionId: decision.id } });
    const { body: audit } = await daemon.ask(
      'GET',
      `/v1/audit?channelArn=${encodeURIComponent(channel.arn)}&what=stop_stream`,
    );
    expect(audit.entries).toMatchObject([{ decisionId: decision.id, why: decision.id, outcome }]);
    const { body: told } = await daemon.ask('GET', `/v1/rules/last-viewers/explain/${encodeURIComponent(channel.arn)}`);
    const explained = told.decisions.find(({ id }: { id: string }) => id === decision.id);
    for (const [place, checks] of Object.entries({
      decision: one.checks,
      job: job.checks,
      audit: audit.entries[0].checks,
      explain: explained.checks,
    })) {
      const fresh = (checks as Check[]).find(({ check }) => check === 'only_if');
      expect(fresh, place).toMatchObject({
        verdict,
        asked: { viewerCount: [{ numeric: ['<', 50] }] },
        found: { viewerCount: viewers },
      });
      expect(Date.parse(fresh!.at), place).toBeGreaterThan(0);
      expect(
        (checks as Check[]).map(({ check }) => check),
        place,
      ).toEqual(expect.arrayContaining(['pause', 'hold', 'session']));
    }
    expect((one.checks as Check[]).find(({ check }) => check === 'max_live_percent')).toMatchObject({
      asked: { percent: 100 },
    });
    const printed = await cli(daemon, 'explain', 'last-viewers', channel.arn);
    expect(printed.out).toContain(`"viewerCount":${viewers}`);
    expect(printed.out).toContain(outcome === 'done' ? `${jobId}: done\n` : `${jobId}: skipped: only_if_false`);
    // What a rule in dry run would need is only said of such a rule.
    expect(printed.out).not.toContain('A rule in dry run');
  }
  const stopped = (await control.calls()).filter(({ operation }) => operation === 'StopStream');
  expect(stopped).toHaveLength(1);
});

test('refused metadata is not a finished job: job, decision, rule, log, alert and metric report it, until a person dismisses it', async () => {
  await using platform = await broadcast();
  const { control } = platform.simulator;
  const [channel] = await control.createChannels(1);
  await control.goLive([channel!.arn]);
  await using daemon = await platform.daemon({ rules });
  await control.addFault({ operation: 'PutMetadata', error: 'AccessDeniedException', status: 403, times: 2 });
  const fire = () => daemon.ask('POST', '/v1/triggers/slate', { channelArn: channel!.arn });
  const decided = () =>
    eventually(async () => {
      const { body } = await daemon.ask('GET', '/v1/decisions?rule=slate&outcome=acted&limit=1');
      return body.decisions[0]?.jobs[0]?.delivery ? body.decisions[0] : undefined;
    });
  expect((await fire()).status).toBeLessThan(300);
  const decision = await decided();
  expect(decision.jobs).toMatchObject([
    { action: 'put_metadata', outcome: 'failed', delivery: { delivered: 0, failed: 1, reason: 'IVS_ACCESS_DENIED' } },
  ]);
  const { body: job } = await daemon.ask('GET', `/v1/jobs/${decision.jobs[0].jobId}`);
  expect(job).toMatchObject({
    result: { outcome: 'failed' },
    delivery: { delivered: 0, failed: 1, expired: 0, pending: 0, reason: 'IVS_ACCESS_DENIED' },
  });
  expect((await daemon.ask('GET', '/v1/rules/slate')).body.items).toMatchObject({ delivered: 0, failed: 1 });
  const alert = await eventually(async () => {
    const { body } = await daemon.ask('GET', '/v1/alerts?kind=delivery_failed');
    return body.alerts[0];
  });
  expect(alert).toMatchObject({ kind: 'delivery_failed', channelArn: channel!.arn, end: null });
  expect(alert.cause).toContain('IVS_ACCESS_DENIED');
  await fire();
  await eventually(async () => (await decided()).id !== decision.id);
  const lines = daemon.log.filter((line) => line.includes('metadata is refused, and a retry cannot help'));
  expect(lines).toHaveLength(1);
  const metrics = await (await fetch(`${daemon.url}/metrics`)).text();
  expect(metrics).toMatch(/autopilot_metadata_refused_total\{[^}]*code="IVS_ACCESS_DENIED"[^}]*\} 2/);
  expect(metrics).toMatch(/autopilot_rule_items_total\{rule="slate",outcome="failed"\} 2/);
  await eventually(async () =>
    /autopilot_alerts\{[^}]*kind="delivery_failed"\} 1/.test(await (await fetch(`${daemon.url}/metrics`)).text()),
  );
  const listed = await cli(daemon, 'alert', 'list');
  expect(listed.out).toContain(alert.id);
  expect((await cli(daemon, 'alert', 'acknowledge', alert.id, '--note', 'the role is mended')).out).toContain(
    'Dismissed',
  );
  expect((await cli(daemon, 'alert', 'list')).out).toBe('All clear.');
  // The third one arrives.
  await fire();
  await eventually(async () => (await decided()).jobs[0].delivery.delivered === 1);
  expect((await decided()).jobs).toMatchObject([{ outcome: 'done', detail: 'delivered 1' }]);
});
