// What a person types is checked before it is sent: a silence that matches nothing, a tag that nobody has, a file that does not exist, a
// misspelt name; and the person's name is recorded with what they did.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { broadcast } from '#test/support/broadcast.ts';
import { commandLine } from '#test/support/command-line.ts';
import { eventually } from '#test/support/quiet.ts';

const rules = `receivers: [{name: noc, webhook_configs: [{url: "http://127.0.0.1:9/hook"}]}]
rules:
  - {name: starving-slate, trigger: {state: {health: [STARVING]}}, actions: [{put_metadata: {payload: slate}}]}
`;

test('mistakes are refused with what was meant, before anything is done, and each action has the name of a person', async () => {
  await using platform = await broadcast();
  const { control } = platform.simulator;
  const [channel] = await control.createChannels(1, { tags: { tier: 'platinum' }, namePrefix: 'studio-' });
  await control.goLive([channel!.arn], { viewers: 7 });
  await using daemon = await platform.daemon({ rules });
  await eventually(async () => (await daemon.ask('GET', '/v1/channels')).body.channels.length === 1);
  const folder = await mkdtemp(join(tmpdir(), 'typed-'));
  const asked: string[] = [];
  const cli = async (args: readonly string[], more: { answer?: string; input?: string } = {}) => {
    const { code, text: out } = await commandLine(args, {
      env: { AUTOPILOT_URL: daemon.url },
      readInput: async () => more.input ?? '',
      ...(more.answer === undefined
        ? {}
        : {
            ask: async (question: string) => {
              asked.push(question);
              return more.answer!;
            },
          }),
    });
    return { code, out };
  };
  const silences = async () => (await daemon.ask('GET', '/v1/silences')).body.silences;
  try {
    // Silences
    const typo = await cli(['silence', 'rule="starving-slat"', '--for', '1h', '--reason', 'finals']);
    expect(typo).toMatchObject({ code: 1, out: expect.stringContaining('did you mean rule="starving-slate"') });
    expect((await cli(['silence', 'rule="…"', '--for', '1h'])).code).toBe(1);
    expect(await cli(['silence', 'tag_tier="platnum"', '--for', '1h'])).toMatchObject({
      code: 1,
      out: expect.stringContaining('tag_tier="platinum"'),
    });
    expect(await silences()).toEqual([]);
    const placed = await cli([
      '--as',
      'Ann Lee',
      'silence',
      'rule="starving-slate"',
      '--for',
      '1h',
      '--reason',
      'finals',
    ]);
    expect(placed).toMatchObject({ code: 0, out: expect.stringContaining('1 rule (starving-slate) on 1 channel') });
    expect((await cli(['silence', 'rule="to-come"', '--for', '1h', '--force', '--as', 'ann'])).code).toBe(0);
    expect((await silences()).map(({ author }: { author: string }) => author).sort()).toEqual(['Ann Lee', 'ann']);
    const accepted = await daemon.ask('POST', '/v1/silences', {
      matchers: ['rule="none"'],
      reason: 'later',
      duration: '1h',
    });
    expect(accepted).toMatchObject({ status: 201, body: { matches: { rules: 0, channels: 1 }, matchesNothing: true } });

    // Metadata
    const nobody = await cli(['metadata', 'send', '--tag', 'tier=platnum', '--payload', 'hello']);
    expect(nobody).toMatchObject({ code: 1, out: expect.stringContaining('did you mean tier=platinum?') });
    const send = (...args: string[]) => ['metadata', 'send', '--live', '--wait', ...args];
    expect((await cli(send('--payload', '@/nope'))).out).toContain('/nope cannot be read');
    expect(await cli(send('--payload', '{"score": 2'))).toMatchObject({
      code: 2,
      out: expect.stringContaining('--payload-text'),
    });
    expect((await cli(send('--payload', '[1, 2'))).code).toBe(2);
    const file = join(folder, 'cue.json');
    await writeFile(file, '{"from":"file"}');
    expect((await cli(send('--payload', `@${file}`))).code).toBe(0);
    expect((await cli(send('--payload', '-'), { input: '{"from":"input"}' })).code).toBe(0);
    expect((await cli(send('--payload-text', '@{as it is'))).code).toBe(0);
    const sent = JSON.stringify(await control.cues());
    for (const text of ['file', 'input', '@{as it is']) expect(sent).toContain(text);
    expect(sent).not.toContain('nope');
    expect((await cli(['recording', 'set', '--tag', 'tier=platnum', '--configuration', 'none'])).code).toBe(1);

    // Names in requests, dry run or not
    const act = (action: object) =>
      daemon.ask('POST', '/v1/actions', { action, channelArn: channel!.arn, reason: 'a test', dryRun: true });
    expect(await act({ notify: { receiver: 'nok', text: 'x' } })).toMatchObject({
      status: 422,
      body: { code: 'RECEIVER_UNKNOWN' },
    });
    expect(await act({ set_recording: { configuration: 'prod-s33' } })).toMatchObject({
      status: 404,
      body: { code: 'RECORDING_CONFIGURATION_UNKNOWN' },
    });
    for (const [action, code] of [
      [{ set_ad_configuration: { configuration: 'show' } }, 'AD_CONFIGURATION_UNKNOWN'],
      [{ set_playback_restriction: { policy: 'europe' } }, 'PLAYBACK_RESTRICTION_UNKNOWN'],
      [{ edit_playback_restriction: { policy: 'europe', allowed_countries: [] } }, 'PLAYBACK_RESTRICTION_UNKNOWN'],
    ] as const)
      expect(await act(action)).toMatchObject({ status: 404, body: { code } });
    expect(await act({ provision_channel: { name: 'cup', recording: 'prod-s33' } })).toMatchObject({
      status: 404,
      body: { code: 'RECORDING_CONFIGURATION_UNKNOWN', detail: expect.stringContaining('provision_channel.recording') },
    });
    for (const [action, text] of [
      [{ edit_playback_restriction: { policy: 'europe', allowed_countries: ['UK'] } }, 'is no country'],
      [{ edit_playback_restriction: { policy: 'x', allowed_origins: ['https://a.example/x'] } }, 'without a path'],
      [{ revoke_viewers: { viewers: ['v'.repeat(41)] } }, '1 to 40 characters'],
    ] as const) {
      const { status, body } = await act(action);
      expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining(text)]);
    }
    expect((await daemon.ask('GET', '/v1/alerts')).body.alerts).toEqual([]);

    // Viewers
    expect((await cli(['viewers', 'revoke', channel!.arn])).code).toBe(2);
    const revoked = await cli(['viewers', 'revoke', channel!.arn, 'ann', '--from', '-'], { input: 'ben\n\ncyd\n' });
    expect(revoked).toMatchObject({ code: 0, out: expect.stringContaining('done') });
    expect((await control.revocations()).map(({ viewerId }) => viewerId)).toEqual(['ann', 'ben', 'cyd']);
    const refused = {
      errors: [{ channelArn: channel!.arn, viewerId: 'ben', code: 'ValidationException', message: 'no' }],
    };
    const operation = 'BatchStartViewerSessionRevocation';
    await control.addFault({ operation, answer: { members: refused }, times: 1 });
    const failed = await cli(['viewers', 'revoke', channel!.arn, 'ann', 'ben']);
    expect(failed).toMatchObject({
      code: 1,
      out: expect.stringMatching(/1 of 2 viewers.*\n {2}ben: ValidationException no/),
    });

    // Stopping
    const no = await cli(['stream', 'stop', channel!.arn], { answer: 'n' });
    expect(no).toMatchObject({ code: 1, out: expect.stringContaining('Nothing was stopped') });
    expect(asked).toEqual([expect.stringMatching(/studio-.*live, 7 viewers/)]);
    expect(await control.calls({ operation: 'StopStream' })).toHaveLength(0);
    const yes = await cli(['stream', 'stop', channel!.arn, '--reason', 'rights ended', '--as', 'ann'], { answer: 'y' });
    expect(yes.code).toBe(0);
    expect(await control.calls({ operation: 'StopStream' })).toHaveLength(1);
    const { body } = await daemon.ask('GET', '/v1/audit?what=stop_stream&who=ann');
    expect(body.entries.at(-1)).toMatchObject({ who: 'ann', why: 'rights ended' });
    for (const name of ['token mara', 'rule x', 'loopback', ''])
      expect((await cli(['pause', '--as', name])).out, name).toContain('REQUEST_INVALID');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
