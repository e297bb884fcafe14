// The workflows run only on GitHub, so what can be checked without it is checked here: their form, the scripts and files they name, their
// pins and their rights. Whether a commit is the one of its tag is checked by `npm run pins`, which needs the network.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { pinsOf, unpinned } from '../scripts/pins.ts';

const root = join(import.meta.dirname, '..');
const folder = join(root, '.github', 'workflows');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

interface Step {
  readonly id?: string;
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}
interface Job {
  readonly 'runs-on': string;
  readonly 'timeout-minutes': number;
  readonly needs?: string | readonly string[];
  readonly permissions?: Readonly<Record<string, string>>;
  readonly strategy?: { readonly matrix: Readonly<Record<string, readonly unknown[]>> };
  readonly outputs?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly name: string;
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const names = readdirSync(folder);
const workflows = names.map((name) => {
  const text = readFileSync(join(folder, name), 'utf8');
  return { name, text, workflow: parse(text, { uniqueKeys: true }) as Workflow };
});
const jobs = workflows.flatMap(({ name, workflow }) =>
  Object.entries(workflow.jobs).map(([id, job]) => ({ place: `${name} ${id}`, job, workflow })),
);
const runs = jobs.flatMap(({ place, job }) =>
  job.steps.flatMap(({ run }) => (run === undefined ? [] : [{ place, run }])),
);
const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> };

test('there is one workflow for each purpose', () => {
  expect(names.toSorted()).toEqual(['ci.yml', 'codeql.yml', 'nightly.yml', 'release.yml']);
  expect(runs.length).toBeGreaterThan(10);
});

describe.each(workflows)('$name', ({ text, workflow }) => {
  test('pins every action by commit, with its tag next to it', () => {
    expect(unpinned(text)).toEqual([]);
    expect(pinsOf(text).length).toBeGreaterThan(0);
  });

  test('may only read unless a job allows more', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' });
    expect(Object.keys(workflow.on).length).toBeGreaterThan(0);
    expect(Object.keys(workflow.on)).not.toContain('pull_request_target');
  });
});

test('uses the same commit everywhere for the same tag of an action', () => {
  const commits = Map.groupBy(
    workflows.flatMap(({ text }) => pinsOf(text)),
    ({ action, tag }) => `${action.split('/').slice(0, 2).join('/')} ${tag}`,
  );

  for (const [name, pins] of commits) expect([name, new Set(pins.map(({ commit }) => commit)).size]).toEqual([name, 1]);
});

describe.each(jobs)('$place', ({ job, workflow }) => {
  test('has a machine with a version, a time limit, and steps that do something', () => {
    expect(job['runs-on']).toMatch(/^(ubuntu|macos)-\d+/);
    expect(job['timeout-minutes']).toBeGreaterThan(0);
    for (const step of job.steps) expect([step.uses, step.run].filter(Boolean)).toHaveLength(1);
  });

  test('waits for existing jobs, and reads only existing matrix values, steps and variables', () => {
    expect([job.needs ?? []].flat().filter((name) => !(name in workflow.jobs))).toEqual([]);
    const text = JSON.stringify(job);
    const matrix = job.strategy?.matrix ?? {};
    const keys = [...Object.keys(matrix), ...((matrix['include'] ?? []) as object[]).flatMap(Object.keys)];
    const asked = (pattern: RegExp) => Array.from(text.matchAll(pattern), ([, name]) => name!);
    expect(asked(/matrix\.(\w+)/g).filter((name) => !keys.includes(name))).toEqual([]);
    const ids = job.steps.flatMap(({ id }) => id ?? []);
    expect(asked(/steps\.(\w+)\./g).filter((name) => !ids.includes(name))).toEqual([]);
    const documented = read('docs/releasing.md');
    const given = [...asked(/\bvars\.(\w+)/g), ...asked(/\bsecrets\.(\w+)/g)].filter((name) => name !== 'GITHUB_TOKEN');
    expect(given.filter((name) => !documented.includes(`\`${name}\``))).toEqual([]);
  });

  test('puts nothing from outside into a shell: expressions are passed as variables', () => {
    expect(job.steps.flatMap(({ run }) => (run?.includes('${{') ? run : []))).toEqual([]);
  });
});

describe('what the steps run', () => {
  test.each(runs)('$place: $run', ({ run }) => {
    const named = Array.from(run.matchAll(/npm run (?:--silent )?([\w:-]+)/g), ([, name]) => name!);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
    const made = ['deploy/secrets/'];
    const paths = Array.from(
      run.matchAll(/(?<![\w/.-])((?:\.ci|scripts|deploy|test|bench)\/[\w./-]+)/g),
      ([, path]) => path!,
    );
    expect(paths.filter((path) => !made.some((one) => path.startsWith(one)) && !existsSync(join(root, path)))).toEqual(
      [],
    );
  });

  test('tests and checks are those of .ci/run', () => {
    const whole = runs.filter(({ run }) => run.trim() === 'bash .ci/run').map(({ place }) => place);

    expect(whole).toEqual(['ci.yml debian', 'ci.yml macos', 'release.yml test']);
    expect(read('.ci/run')).toMatch(/^npm test$/m);
  });

  test('the certificate for Redis is made as compose.redis-tls.yaml says', () => {
    const said = read('deploy/compose.redis-tls.yaml').split('\n');
    const [step] = runs.filter(({ run }) => run.includes('compose.redis-tls.yaml'));
    const lines = step!.run.trim().split('\n').slice(0, 3);

    expect(lines).toHaveLength(3);
    expect(lines.filter((line) => !said.some((one) => one.startsWith(`#   ${line}`)))).toEqual([]);
  });

  test('the nightly benches exist, and write figures', () => {
    const { matrix } = workflows.find(({ name }) => name === 'nightly.yml')!.workflow.jobs['bench']!.strategy!;

    expect(matrix['name']!.length).toBeGreaterThan(3);
    for (const name of matrix['name']!) expect(read(`bench/${String(name)}.ts`)).toContain('writeResult(');
  });
});

describe('the release', () => {
  const { jobs } = workflows.find(({ name }) => name === 'release.yml')!.workflow;
  const all = (id: string) => JSON.stringify(jobs[id]);

  test('publishes nothing before the tests, and the release itself last', () => {
    for (const [id, { needs }] of Object.entries(jobs)) expect([id, needs === undefined]).toEqual([id, id === 'test']);
    expect(new Set([jobs['release']!.needs].flat())).toEqual(
      new Set(Object.keys(jobs).filter((id) => id !== 'release')),
    );
  });

  test('is tested as it was checked out: notes and other files are written afterwards', () => {
    const { steps } = jobs['test']!;
    const tested = steps.findIndex(({ run }) => run === 'bash .ci/run');
    const writes = (step: Step) => /(?<!>)>\s*(?!"?\$GITHUB_OUTPUT)[^\s>]/.test(step.run?.replaceAll('>>', '>') ?? '');

    expect(steps.slice(0, tested).filter(writes)).toEqual([]);
    expect(steps.slice(tested).some(writes)).toBe(true);
  });

  test('publishes nothing before the pins were compared with GitHub and nodejs.org', () => {
    const runs = jobs['test']!.steps.map(({ run }) => run ?? '');
    const [tests, pins] = ['bash .ci/run', 'npm run pins -- --node'].map((command) => runs.indexOf(command));
    expect(tests).toBeGreaterThan(-1);
    expect(pins).toBeGreaterThan(tests!);
    for (const [id, { needs }] of Object.entries(jobs))
      if (id !== 'test')
        expect([needs].flat(), id).toEqual(expect.arrayContaining([id === 'chart' ? 'image' : 'test']));
  });

  test('publishes a prerelease as `next` on npm, and marks it as one on GitHub', () => {
    const tag = jobs['test']!.steps.find(({ id }) => id === 'npm')!;
    expect(tag.run).toBe('echo "tag=$(node scripts/release.ts npm-tag)" >> "$GITHUB_OUTPUT"');
    expect(jobs['test']!.outputs).toEqual({ npm_tag: '${{ steps.npm.outputs.tag }}' });
    const publish = jobs['npm']!.steps.find(({ run }) => run?.startsWith('npm publish'))!;
    const words = (step: Step, tag: string) =>
      execFileSync('sh', ['-c', `set -- ${step.run!.replace('"$GITHUB_REF_NAME"', 'v1')}; printf '%s\\n' "$@"`], {
        encoding: 'utf8',
        env: Object.fromEntries(
          Object.entries(step.env!).map(([name, value]) => [name, value.includes('npm_tag') ? tag : 'x']),
        ),
      }).split('\n');
    expect(words(publish, 'next').join(' ')).toContain('--tag next');
    expect(words(publish, '')).not.toContain('--tag');
    const release = jobs['release']!.steps.at(-1)!;
    expect([words(release, 'next').includes('--prerelease'), words(release, '').includes('--prerelease')]).toEqual([
      true,
      false,
    ]);
  });

  test('signs what it built, for both architectures, with SBOM and provenance, and npm with provenance', () => {
    expect(all('npm')).toContain('npm publish --provenance');
    expect(jobs['npm']!.permissions).toEqual({ contents: 'read', 'id-token': 'write' });
    const build = jobs['image']!.steps.find(({ id }) => id === 'build')!;
    expect(build.with).toMatchObject({ platforms: 'linux/amd64,linux/arm64', sbom: true, provenance: 'mode=max' });
    expect(all('image')).toContain('cosign sign --yes');
  });

  test('builds targets that the Dockerfile has', () => {
    const targets = Array.from(read('Dockerfile').matchAll(/^FROM .* AS (\w+)$/gm), ([, name]) => name);

    for (const { target } of jobs['image']!.strategy!.matrix['include'] as { target: string }[])
      expect(targets).toContain(target);
  });
});

test('updates are proposed for every existing ecosystem', () => {
  const { version, updates } = parse(read('.github/dependabot.yml')) as {
    version: number;
    updates: { 'package-ecosystem': string; directory: string; schedule: { interval: string } }[];
  };

  expect(version).toBe(2);
  expect(updates.map((each) => each['package-ecosystem'])).toEqual(
    expect.arrayContaining(['npm', 'github-actions', 'docker']),
  );
  for (const { directory, schedule } of updates) {
    expect(existsSync(join(root, directory))).toBe(true);
    expect(['daily', 'weekly', 'monthly']).toContain(schedule.interval);
  }
});
