import { afterAll, beforeAll, describe, vi } from 'vitest';
import { createWebSocketTransport } from '../../../renderer/client/web-socket-transport.ts';
import { accessToken, servedBench } from '../headless/served-bench.ts';
import { controlOf, itCarriesTheContract } from './conformance.ts';

/** Node's own WebSocket, which takes headers: it authenticates as the cookie does in a browser. */
class AuthorizedWebSocket extends WebSocket {
  constructor(url: string, protocol: string) {
    const options = { protocols: [protocol], headers: { authorization: `Bearer ${accessToken}` } };
    super(url, options as unknown as string[]);
  }
}

describe('the contract over a WebSocket, from the client of the renderer to the server of the headless shell', () => {
  beforeAll(() => {
    vi.stubGlobal('WebSocket', AuthorizedWebSocket);
  });
  afterAll(() => {
    vi.unstubAllGlobals();
  });

  itCarriesTheContract(async () => {
    const served = await servedBench();
    const transport = createWebSocketTransport(served.webSocketUrl);
    return {
      bench: controlOf(served.bench),
      transport,
      cut: async () => served.server[Symbol.asyncDispose](),
      async [Symbol.asyncDispose]() {
        transport[Symbol.dispose]();
        await served[Symbol.asyncDispose]();
      },
    };
  });
});
