// The order of the files: those that take long start first, so that none of them runs alone at the end.
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Seconds on two quiet cores, of the files that take more than about four. */
export const longFiles: Readonly<Record<string, number>> = {
  'test/integration/limiter-behaviour.test.ts': 43,
  'test/system/page-in-chromium.test.ts': 34,
  'test/system/state-lost.test.ts': 28,
  'test/system/noticing-gaps.test.ts': 26,
  'test/system/process.test.ts': 22,
  'test/system/noticing-deliveries.test.ts': 20,
  'test/system/redis-refuses.test.ts': 18,
  'test/system/redis-moves.test.ts': 14,
  'test/system/fleet.test.ts': 12,
  'test/system/noticing-scenario.test.ts': 18,
  'test/system/ends.test.ts': 17,
  'test/system/acting-crashes.test.ts': 16,
  'test/system/package.test.ts': 16,
  'test/system/clocks.test.ts': 14,
  'test/integration/limiter-ordeal.test.ts': 14,
  'test/system/page-facts.test.ts': 13,
  'test/system/page-with-daemon.test.ts': 19,
  'test/system/redis-away.test.ts': 14,
  'test/system/metadata-crash.test.ts': 10,
  'test/integration/workers-actions.test.ts': 10,
  'test/system/standby.test.ts': 10,
  'test/system/false-answers.test.ts': 10,
  'test/system/compose.test.ts': 9,
  'test/system/bootstrap-doctor.test.ts': 9,
  'test/system/page-walk.test.ts': 9,
  'test/system/authority.test.ts': 9,
  'test/system/bootstrap-event-path.test.ts': 9,
  'test/system/roles-fuzz.test.ts': 9,
  'test/integration/redis-silence.test.ts': 8,
  'config/load.test.ts': 8,
  'config/fuzz.test.ts': 8,
  'test/integration/metadata-drain.test.ts': 8,
  'test/system/acting-daemon.test.ts': 7,
  'test/system/stopping.test.ts': 7,
  'test/system/tracing.test.ts': 7,
  'test/system/dripping-peers.test.ts': 7,
  'test/integration/rules-engine.test.ts': 6,
  'test/system/strangers.test.ts': 6,
  'test/integration/state-loss.test.ts': 6,
  'test/system/receivers.test.ts': 8,
  'test/system/http-fuzz.test.ts': 6,
  'test/integration/intake-queue.test.ts': 5,
  'test/integration/ledger-model.test.ts': 5,
  'test/integration/workers-rotate-key.test.ts': 5,
  'test/integration/jobs.test.ts': 5,
  'test/system/what-decided.test.ts': 5,
  'src/streams/reconcile.test.ts': 5,
  'test/system/troubles.test.ts': 4,
  'test/system/warm-up.test.ts': 4,
  'test/integration/metadata-outbox-model.test.ts': 4,
  'test/integration/poll-pace.test.ts': 4,
  'test/system/replicas.test.ts': 4,
  'test/system/unlisted-channels.test.ts': 4,
  'test/integration/ivs-client.test.ts': 4,
  'test/integration/telemetry.test.ts': 4,
};

/** Files that mostly wait come before those that mostly compute: the latter fill the gaps, and no core is idle at the end. */
const projects = ['system', 'integration', 'unit'];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root } = this.ctx.config;
    const seconds = ({ moduleId }: TestSpecification) => longFiles[relative(root, moduleId)] ?? 0;
    const project = (file: TestSpecification) => projects.indexOf(file.project.name);
    return files.toSorted(
      (a, b) => project(a) - project(b) || seconds(b) - seconds(a) || a.moduleId.localeCompare(b.moduleId),
    );
  }
}
