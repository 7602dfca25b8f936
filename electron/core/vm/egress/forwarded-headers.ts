/** Headers that concern one connection and are never passed on (RFC 9110, 7.6.1), and Host, which the target decides. */
const ofOneConnection = [
  'connection',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/**
 * What a proxy passes on of a message's headers, in their order and spelling.
 * @param rawHeaders As Node has them: name, value, name, value.
 */
export function forwardedHeaders(rawHeaders: readonly string[]): string[] {
  const pairs = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? '']] : []));
  const named = pairs
    .filter(([name = '']) => name.toLowerCase() === 'connection')
    .flatMap(([, value = '']) => value.toLowerCase().split(','))
    .map((word) => word.trim());
  const dropped = new Set([...ofOneConnection, ...named]);
  return pairs.filter(([name = '']) => !dropped.has(name.toLowerCase())).flat();
}
