import type { PreloadBench } from '../../electron/contract/preload.ts';
import type { Transport } from '../../electron/contract/transport.ts';
import { webSocketPath } from '../../electron/contract/wire-messages.ts';
import { createPreloadTransport } from './preload-transport.ts';
import { createWebSocketTransport } from './web-socket-transport.ts';

/** What of the window matters here. */
export interface Place {
  /** Put there by the preload; missing in a browser. */
  bench?: PreloadBench;
  location: { protocol: string; host: string };
}

declare global {
  interface Window {
    bench?: PreloadBench;
  }
}

/** Electron's preload where there is one, else a WebSocket to the origin the page came from. */
export function createTransport(place: Place): Transport {
  if (place.bench !== undefined) return createPreloadTransport(place.bench);
  return createWebSocketTransport(webSocketUrl(place.location));
}

export function webSocketUrl(location: Place['location']): string {
  return `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}${webSocketPath}`;
}
