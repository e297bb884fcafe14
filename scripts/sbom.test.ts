import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { productionPackageIds, sbom } from './sbom.ts';

test('the bill of materials names every production package and no other, and links only what it names', () => {
  const { dependencies } = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };

  const made = sbom();

  const named = made.components.map(({ name, version }) => `${name}@${version}`);
  expect([made.bomFormat, made.metadata.component.name]).toEqual(['CycloneDX', 'ivs-autopilot']);
  expect(named).toEqual(expect.arrayContaining(Object.entries(dependencies).map((entry) => entry.join('@'))));
  expect(named.filter((name) => /^(vitest|typescript|playwright-core)@/.test(name))).toEqual([]);
  expect(named.toSorted()).toEqual([...productionPackageIds()].toSorted());
  const refs = new Set([made.metadata.component, ...made.components].map((component) => component['bom-ref']));
  const linked = made.dependencies.flatMap(({ ref, dependsOn = [] }) => [ref, ...dependsOn]);
  expect(linked.length).toBeGreaterThan(named.length);
  expect(linked.filter((ref) => !refs.has(ref))).toEqual([]);
});
