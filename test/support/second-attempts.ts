// Reports which tests passed only at their second attempt. Each of them has a race: find and fix it.
import type { Reporter, TestCase, TestModule } from 'vitest/node';

export class SecondAttempts implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()].filter(neededTwo));
    if (tests.length === 0) return;
    console.log(`\n${tests.length} of the tests failed once and passed at their second attempt. To be mended:`);
    for (const test of tests) console.log(sentence(test));
  }
}

function neededTwo(test: TestCase): boolean {
  return test.diagnostic()?.flaky ?? false;
}

function sentence(test: TestCase): string {
  const [error] = test.result().errors ?? [];
  return `  ${test.module.relativeModuleId}: ${test.fullName}\n    ${error?.message ?? 'no error was kept'}`;
}
