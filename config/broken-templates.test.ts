import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '#src/cli/main.ts';
import { checkConfig } from './lint.ts';

const brokenTemplates = [
  "{{ 'x' | nofilter }}",
  "{{ 'x' | date: '%s' }}",
  "{% include '/etc/passwd' %}",
  "{% render 'x' %}",
  '{% nosuchtag %}',
  '{{ channel.name',
  '{% if true %}open',
  '{% endif %}',
  '{% for %}x{% endfor %}',
  '{% for n in %}x{% endfor %}',
  '{% assign %}',
  '{% case %}{% endcase %}',
  '{{ | upcase }}',
  '{{ channel[ }}',
  '{{ nobody.name }}',
  '{{ channel.nam }}',
  '{% if true %}'.repeat(14),
];

type Path = readonly (string | number)[];

/** Every parameter of an action that takes a template, in an action that is valid without it. */
const actionFields: readonly (readonly [path: Path, action: Record<string, unknown>])[] = [
  [['payload'], { put_metadata: {} }],
  [['payload', 'text'], { put_metadata: { payload: {} } }],
  [['payload', 'list', 1], { put_metadata: { payload: { list: [0] } } }],
  [['key'], { put_metadata: { payload: 'x' } }],
  [['targets', 'tags', 'show', 0], { put_metadata: { payload: 'x', targets: { tags: { show: [] } } } }],
  [['deliver', 'secrets_manager'], { rotate_stream_key: { deliver: {} } }],
  [['deliver', 'ssm_parameter'], { rotate_stream_key: { deliver: {} } }],
  [['deliver', 'file'], { rotate_stream_key: { deliver: {} } }],
  [['configuration'], { set_recording: {} }],
  [['configuration'], { set_ad_configuration: {} }],
  [['policy'], { set_playback_restriction: {} }],
  [['viewers', 0], { revoke_viewers: { viewers: [] } }],
  [['text'], { notify: { receiver: 'noc' } }],
  [['body'], { webhook: { url_file: '/run/secrets/x' } }],
  [['body', 'a', 'b'], { webhook: { url_file: '/run/secrets/x', body: { a: {} } } }],
  [['detail_type'], { emit_event: { detail: {} } }],
  [['detail', 'x'], { emit_event: { detail_type: 'x', detail: {} } }],
  [['set', 'show'], { tag: { set: {} } }],
  [['file'], { report: {} }],
];

const pagerduty = { routing_key_file: '/run/secrets/routing_key' };
const email = { to: 'a@example.com', from: 'b@example.com', smarthost: 'mail.example.com:25' };
const slack = { api_url: 'https://hooks.example.com/x' };
const sns = { topic_arn: 'arn:aws:sns:us-west-2:111122223333:ops' };
const teams = { webhook_url: 'https://hooks.example.com/x' };

const receiverFields: readonly (readonly [list: string, path: Path, config: Record<string, unknown>])[] = [
  ...['title', 'title_link', 'text', 'color'].map((name) => ['slack_configs', [name], slack] as const),
  ...['description', 'severity', 'source', 'component', 'group', 'class', 'client_url'].map(
    (name) => ['pagerduty_configs', [name], pagerduty] as const,
  ),
  ['pagerduty_configs', ['details', 'x'], { ...pagerduty, details: {} }],
  ['pagerduty_configs', ['links', 0, 'href'], { ...pagerduty, links: [{}] }],
  ['pagerduty_configs', ['links', 0, 'text'], { ...pagerduty, links: [{ href: 'https://example.com' }] }],
  ['msteamsv2_configs', ['title'], teams],
  ['msteamsv2_configs', ['text'], teams],
  ['email_configs', ['headers', 'Subject'], { ...email, headers: {} }],
  ['email_configs', ['text'], email],
  ['email_configs', ['html'], email],
  ['sns_configs', ['subject'], sns],
  ['sns_configs', ['message'], sns],
];

function withValue(object: Record<string, unknown>, path: Path, value: unknown): Record<string, unknown> {
  const copy = structuredClone(object);
  let at: Record<string | number, unknown> = copy;
  for (const part of path.slice(0, -1)) at = at[part] as Record<string | number, unknown>;
  at[path.at(-1)!] = value;
  return copy;
}

function shown(path: Path): string {
  return path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('');
}

const rules = actionFields.map(([path, wrapped]) => {
  const [[name, params]] = Object.entries(wrapped) as [[string, Record<string, unknown>]];
  return { path, name, params };
});

/** A file that has the text in every field that takes a template, and after those a mistake of another kind. */
function fileOf(text: string): string {
  return JSON.stringify({
    version: 1,
    defaults: { guards: { max_per_hour: 5 } },
    receivers: [
      { name: 'noc', webhook_configs: [{ url_file: '/run/secrets/noc_url' }] },
      ...receiverFields.map(([list, path, config], index) => ({
        name: `r${index}`,
        [list]: [withValue(config, path, text)],
      })),
    ],
    rules: [
      ...rules.map(({ path, name, params }, index) => ({
        name: `r${index}`,
        trigger: { event: { source: ['aws.ivs'] } },
        match: { type: ['BASIC'] },
        actions: [{ [name]: withValue(params, path, text) }],
      })),
      { name: 'last', trigger: { state: { live: ['no'] } }, actions: [{ notify: { receiver: 'noc', text: 'x' } }] },
    ],
  });
}

const everyPlace = [
  ...receiverFields.map(([list, path], index) => `receivers[${index + 1}].${list}[0]${shown(path)}`),
  ...rules.map(({ path, name }, index) => `rules[${index}].actions[0].${name}${shown(path)}`),
  `rules[${rules.length}].trigger.state.live[0]`,
];

describe('a mistake in a template', () => {
  it.each(brokenTemplates)('is reported in every field, and hides no other mistake: %s', (text) => {
    const { problems } = checkConfig(fileOf(text), 'f.yaml');
    const errors = problems.filter(({ severity }) => severity === 'error');

    expect(errors.map(({ path }) => path)).toEqual(everyPlace);
  });
});

const event = {
  version: '0',
  id: '00000000-0000-4000-8000-000000000001',
  'detail-type': 'IVS Stream State Change',
  source: 'aws.ivs',
  account: '111122223333',
  time: '2026-11-20T10:15:04Z',
  region: 'us-west-2',
  resources: ['arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl'],
  detail: { event_name: 'Stream Start', channel_name: 'studio', stream_id: 'st-1A2b3c4D5e6F78ghij9Klmn' },
};

describe('every command that reads rules', () => {
  let folder: string;
  let file: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'autopilot-templates-'));
    file = join(folder, 'autopilot.yaml');
    await writeFile(file, fileOf("{{ 'x' | nofilter }}"));
    await writeFile(join(folder, 'autopilot.test.yaml'), 'tests: []\n');
    await writeFile(join(folder, 'recording.jsonl'), `${JSON.stringify(event)}\n`);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each<[string, (paths: { file: string; folder: string }) => string[]]>([
    ['validate', ({ file: path }) => ['validate', path]],
    ['test', ({ file: path }) => ['test', path]],
    ['iam', ({ file: path }) => ['iam', path]],
    ['replay', (at) => ['replay', join(at.folder, 'recording.jsonl'), '--config', at.file]],
    ['doctor --offline', ({ file: path }) => ['doctor', '--offline', path]],
    ['bootstrap', ({ file: path }) => ['bootstrap', '--dry-run', path]],
  ])('names every place and prints no bug: %s', async (_, lineOf) => {
    const lines: string[] = [];
    const exitCode = await runCli(['node', 'ivs-autopilot', ...lineOf({ file, folder })], {
      print: (line) => void lines.push(line),
      printError: (line) => void lines.push(line),
      env: { AUTOPILOT_CONFIG: file },
      signal: new AbortController().signal,
    });
    const printed = lines.join('\n');

    expect(exitCode).toBe(1);
    expect(printed).not.toContain('This is a bug');
    expect(everyPlace.filter((place) => !printed.includes(`${place}: `))).toEqual([]);
    expect(printed).toContain('template: unknown filter nofilter');
  });
});
