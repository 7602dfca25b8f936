import { expect, it } from 'vitest';
import { forwardedHeaders } from '../../../electron/core/vm/egress/forwarded-headers.ts';

it('passes headers on in order and spelling, without those of one connection and those that Connection names', () => {
  const raw = [
    ...['Host', 'evil.example', 'Accept', '*/*', 'Proxy-Connection', 'keep-alive', 'Proxy-Authorization', 'Basic eA=='],
    ...[
      'Connection',
      'close, X-Hop',
      'x-hop',
      '1',
      'Set-Cookie',
      'a=1',
      'Set-Cookie',
      'b=2',
      'Transfer-Encoding',
      'chunked',
    ],
    ...['Upgrade', 'websocket', 'TE', 'trailers', 'Content-Length', '5'],
  ];
  expect(forwardedHeaders(raw)).toEqual([
    ...['Accept', '*/*', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Content-Length', '5'],
  ]);
});
