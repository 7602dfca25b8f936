import { describe } from 'vitest';
import { createDirectTransport } from '../../fakes/direct-transport.ts';
import { FakeBench } from '../../fakes/fake-bench.ts';
import { controlOf, itCarriesTheContract } from './conformance.ts';

describe('the contract within one process', () => {
  itCarriesTheContract(async () => {
    const bench = new FakeBench();
    const transport = createDirectTransport(bench.handlers);
    return {
      bench: controlOf(bench),
      transport,
      cut: async () => transport[Symbol.dispose](),
      async [Symbol.asyncDispose]() {
        transport[Symbol.dispose]();
        await bench[Symbol.asyncDispose]();
      },
    };
  });
});
