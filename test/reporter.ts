import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';

/** Prints each file as it ends, every failure whole, every skip by name with its reason; the last line is the count. */
class BenchReporter implements Reporter {
  #passed = 0;
  #failed = 0;
  readonly #skips: string[] = [];
  readonly #failures: string[] = [];

  onTestModuleEnd(module: TestModule): void {
    const cases = [...module.children.allTests()];
    const failed = cases.filter((test) => test.result().state === 'failed');
    const took = `${(module.diagnostic().duration / 1000).toFixed(1)} s`;
    const mark = module.ok() ? 'ok  ' : 'FAIL';
    console.log(`${mark} ${module.relativeModuleId} (${cases.length} tests, ${took})`);
    for (const test of cases) this.#count(test);
    // An error while a file is loaded, or in its hooks, belongs to no test and must not pass unseen.
    const errors = [...module.errors(), ...[...module.children.allSuites()].flatMap((suite) => suite.errors())];
    for (const error of errors) this.#fail(module.relativeModuleId, [error]);
    if (!module.ok() && failed.length === 0 && errors.length === 0) this.#fail(module.relativeModuleId, []);
  }

  onTestRunEnd(_modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    if (unhandled.length > 0) this.#fail('outside any test', unhandled);
    for (const text of this.#failures) console.log(`\n${text}`);
    if (this.#skips.length > 0) console.log(`\nskipped:\n${this.#skips.map((skip) => `  ${skip}`).join('\n')}`);
    console.log(`\n${this.#passed} passed, ${this.#failed} failed, ${this.#skips.length} skipped`);
  }

  #count(test: TestCase): void {
    const result = test.result();
    const name = `${test.module.relativeModuleId} > ${test.fullName}`;
    switch (result.state) {
      case 'passed':
        this.#passed += 1;
        break;
      case 'failed':
        this.#fail(name, result.errors);
        break;
      case 'skipped':
        this.#skips.push(`${name}: ${result.note ?? 'no reason given'}`);
        break;
      case 'pending':
        this.#fail(name, [{ message: 'the test never ran' }]);
        break;
    }
  }

  #fail(name: string, errors: readonly { message: string; stack?: string; diff?: string }[]): void {
    this.#failed += 1;
    const details = errors.map((error) => [error.stack ?? error.message, error.diff].filter(Boolean).join('\n'));
    this.#failures.push([`FAIL ${name}`, ...details].join('\n'));
  }
}

export default BenchReporter;
