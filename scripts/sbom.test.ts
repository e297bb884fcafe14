import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bundledPackageIds } from './page.ts';
import { productionPackageIds, sbom } from './sbom.ts';

test('the bill of materials names every package that is shipped and no other, and links only what it names', async () => {
  const { dependencies } = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };

  const made = await sbom();
  const bundled = await bundledPackageIds();

  const named = made.components.map(({ name, version }) => `${name}@${version}`);
  expect([made.bomFormat, made.metadata.component.name]).toEqual(['CycloneDX', 'ivs-autopilot']);
  expect(named).toEqual(expect.arrayContaining(Object.entries(dependencies).map((entry) => entry.join('@'))));
  expect(named.filter((name) => /^(vitest|typescript|playwright-core)@/.test(name))).toEqual([]);
  // The page is one script: its libraries are development packages that reach every browser.
  expect([...bundled].map((id) => id.slice(0, id.lastIndexOf('@')))).toEqual(
    expect.arrayContaining(['preact', '@preact/signals', 'uplot', '@tanstack/virtual-core']),
  );
  expect(named.toSorted()).toEqual([...new Set([...productionPackageIds(), ...bundled])].toSorted());
  // npm installs at most one of the Node builds.
  const builds = made.components.filter(({ name }) => /^node-(?:linux|darwin|win)-/.test(name));
  expect(builds.map(({ scope }) => scope)).toEqual(builds.map(() => 'optional'));
  const refs = new Set([made.metadata.component, ...made.components].map((component) => component['bom-ref']));
  const linked = made.dependencies.flatMap(({ ref, dependsOn = [] }) => [ref, ...dependsOn]);
  expect(linked.length).toBeGreaterThan(named.length);
  expect(linked.filter((ref) => !refs.has(ref))).toEqual([]);
});
