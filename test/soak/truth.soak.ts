// An incident of 13 of 31 channels, as a person on call sees it: what the page and the command line say is compared with what the simulator
// recorded.
import { expect, test } from 'vitest';
import { broadcast } from '#test/support/broadcast.ts';
import { commandLine } from '#test/support/command-line.ts';
import { guardMs, launchChromium, show } from '#test/support/page-visit.ts';
import { eventually } from '#test/support/quiet.ts';

const rules = `defaults: {mode: enforce, guards: {cooldown: 30s, max_live_percent: 100}}
inhibit_rules:
  - {source_matchers: ['rule="mass-starvation"'], target_matchers: ['action="stop_stream"']}
rules:
  - name: mass-starvation
    trigger: {aggregate: {health: [STARVING], percent_of_live: [{numeric: [">=", 30]}], min_live: 10}}
    actions: [{emit_event: {detail_type: mass, detail: {}}}]
  - name: starving-slate
    trigger: {state: {health: [STARVING]}}
    for: 2s
    actions:
      - put_metadata: {payload: {type: slate, show: true}, expires: 20s, key: slate}
      - after: 2s
        only_if: {viewerCount: [{numeric: ["<", 50]}]}
        stop_stream: {}
    on_resolve:
      - put_metadata: {payload: {type: slate, show: false}, expires: 20s, key: slate}
  - name: capped
    trigger: {state: {health: [STARVING]}}
    for: 3s
    actions: [{tag: {set: {seen: starving}}}]
    guards: {max_live_percent: 5}
  - name: watched
    mode: dry_run
    trigger: {state: {health: [STARVING]}}
    actions: [{tag: {set: {seen: starving}}}]
`;

test('every figure of an incident matches the record: on the page, in the API and on the command line', async () => {
  await using platform = await broadcast();
  const { control } = platform.simulator;
  const channels = await control.createChannels(31, { namePrefix: 'event-' });
  const arns = channels.map(({ arn }) => arn);
  await control.goLive(arns, { viewers: 200 });
  await using daemon = await platform.daemon({ rules });
  const get = async (path: string) => (await daemon.ask('GET', path)).body;
  const browser = await launchChromium();
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.setDefaultTimeout(guardMs);
    const main = page.locator('main');
    await page.goto(daemon.url);
    await page.getByText(/^31 channels$/).waitFor();
    const cli = async (...args: string[]) => (await commandLine(args, { env: { AUTOPILOT_URL: daemon.url } })).text;

    const [held, refused, few] = [arns[2]!, arns[3]!, arns[4]!];
    await daemon.ask('PUT', `/v1/holds/${encodeURIComponent(held)}`, { reason: 'sponsor on air' });
    await control.addFault({
      operation: 'PutMetadata',
      channelArn: refused,
      error: 'AccessDeniedException',
      status: 403,
    });
    await control.starve(arns.slice(0, 13));
    await control.setViewers([few], 12);

    // During the incident: twelve channels have a slate, one is on hold, and every stop waits.
    await eventually(async () => (await get('/v1/incidents')).incidents.some((each: any) => each.withheld === 12));
    await eventually(async () => (await get('/v1/rules/capped')).heldBack === 13);
    expect(await control.calls({ operation: 'StopStream' })).toEqual([]);
    expect(await get('/v1/rules/starving-slate')).toMatchObject({ firing: 12, heldBack: 1 });
    await page.getByText('Incident: 13 of 31 channels').waitFor();
    await page.getByText('mass-starvation: 13 of 31 channels. 12 actions were held back').waitFor();
    const rows = page.locator('.row.starving');
    await expect.poll(() => rows.count()).toBe(13);
    await expect
      .poll(async () => (await rows.locator('.what').allInnerTexts()).toSorted())
      .toEqual([
        expect.stringMatching(/held back: on hold by somebody on this machine who gave no name: sponsor on air/),
        ...Array<unknown>(12).fill(
          expect.stringMatching(/^stop stream, held back: inhibited by mass-starvation \(and 1 more\)/),
        ),
      ]);
    await show(page, '#/rules');
    const slate = main.getByRole('region', { name: 'Rule starving-slate' });
    await slate.getByText('Firing for 12').waitFor();
    await slate.getByText('Held back on 1').waitFor();
    const status = await cli('status');
    expect(status).toContain('31 live of 31 channels: 13 starving, 0 unknown, 1 on hold');
    expect(status).toMatch(/starving-slate +enforce +12 firing, 1 held back/);
    expect(status).toMatch(/capped +enforce +stopped by its cap, 13 held back/);
    expect(await cli('explain', 'starving-slate', channels[0]!.name)).toMatch(
      /due: stop_stream at \S+, held back: inhibited/,
    );
    expect(await cli('explain', 'watched', channels[0]!.name)).toContain('tag not requested: the rule only watches');

    // Afterwards: all recover but two, one of which almost nobody watches.
    await control.recover(arns.slice(0, 13).filter((arn) => arn !== few && arn !== arns[5]));
    await control.waitForCall({ operation: 'StopStream', outcome: 'ok' });
    const over = (rule: string) => `/v1/decisions?rule=${rule}&limit=1000`;
    await eventually(async () => {
      const { decisions } = await get(over('starving-slate'));
      const jobs = decisions.filter(({ mode }: any) => mode === 'enforce').flatMap((each: any) => each.jobs);
      const resolved = decisions.filter(({ outcome }: any) => outcome === 'resolved');
      return resolved.length >= 11 && jobs.every(({ outcome }: any) => outcome !== undefined);
    });

    // Stops: as many as in the record, each with its name, and the one that was skipped says so.
    const { decisions } = await get(over('starving-slate'));
    const stops = decisions.flatMap(({ channelArn, jobs }: any) =>
      jobs.filter(({ action }: any) => action === 'stop_stream').map(({ outcome }: any) => [channelArn, outcome]),
    );
    const stopped = (await control.calls({ operation: 'StopStream' })).map(({ channelArn }) => channelArn);
    expect(stopped).toEqual([few]);
    // Others may have become due while the channels recovered one by one: each was checked, and skipped.
    const of = (wanted: string) => stops.filter(([, outcome]: any) => outcome === wanted).map(([arn]: any) => arn);
    expect(of('done')).toEqual([few]);
    expect(of('skipped')).toContain(arns[5]);
    expect(of('done').length + of('skipped').length).toBe(stops.length);
    await show(page, '#/decisions?rule=starving-slate&outcome=acted');
    await main.getByText('stop stream skipped: only if false').first().waitFor();
    // Metadata: every reported delivery is a cue that IVS accepted, and no other.
    const sum = async (of: (delivery: any) => number) =>
      (await get('/v1/metadata/batches')).batches.reduce((total: number, { counts }: any) => total + of(counts), 0);
    const cues = await control.cues();
    await expect.poll(() => sum(({ delivered }) => delivered)).toBe(cues.length);
    expect(cues.map(({ channelArn }) => channelArn)).not.toContain(held);
    const told = async () =>
      (await get(over('starving-slate'))).decisions
        .flatMap(({ jobs }: any) => jobs)
        .flatMap(({ delivery }: any) => delivery ?? []);
    await expect
      .poll(async () => (await told()).reduce((total: number, { delivered }: any) => total + delivered, 0))
      .toBe(cues.length);
    expect((await told()).filter(({ failed }: any) => failed > 0).length).toBeGreaterThan(0);
    // A rule in dry run did nothing, and has no job anywhere.
    expect(await control.calls({ operation: 'TagResource' })).toEqual([]);
    // The session that was stopped is over, with who stopped it.
    await eventually(async () =>
      (await get('/v1/streams?state=over')).streams.some((each: any) => each.channelArn === few),
    );
    await show(page, `#/stream/${encodeURIComponent(few)}`);
    await main
      .getByText(/stopped by rule starving-slate/)
      .first()
      .waitFor();
    await show(page, '#/');
    await expect.poll(() => page.locator('.stat').first().innerText()).toMatch(/^30\s/);
    expect((await control.health()).live).toBe(30);
  } finally {
    await browser.close();
  }
});
