/** Where a guest wants to go, in one spelling. */
export interface EgressTarget {
  /** A name in lower case without a final dot, or an address without brackets. */
  host: string;
  port: number;
}

/** Mail is handed in on 465 and 587, with a password; open relaying on 25 is what strangers misuse machines for. */
const closedPorts = [25];
/** Names that mean this host or its network. Asking for them could tell a guest what stands there. */
const closedNames = [
  'localhost',
  'localdomain',
  'local',
  'internal',
  'lan',
  'home.arpa',
  'ip6-localhost',
  'ip6-loopback',
];

/**
 * Reads the `host:port` of a CONNECT. Spellings that a resolver would take for an address (`2130706433`, `0x7f.1`,
 * `017700000001`) come out as that address.
 * @returns undefined where it is none.
 */
export function parseAuthority(text: string): EgressTarget | undefined {
  const match = /^(\[[0-9a-f:.]{2,45}\]|[^\s:/?#@[\]\\]{1,253}):(\d{1,5})$/i.exec(text);
  const [, host, digits] = match ?? [];
  const port = Number(digits);
  if (host === undefined || port < 1 || port > 65_535) return undefined;
  // The parser of URLs knows every spelling of an IPv4 address.
  const url = `http://${host}/`;
  const plain = URL.canParse(url) ? plainHost(new URL(url)) : '';
  return plain === '' ? undefined : { host: plain, port };
}

/** Reads an absolute `http://` address of a request. */
export function parseAbsolute(text: string): { target: EgressTarget; url: URL } | undefined {
  if (!/^http:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const host = plainHost(url);
  return host === '' ? undefined : { target: { host, port: url.port === '' ? 80 : Number(url.port) }, url };
}

/** Why a target is refused whatever it resolves to, as a sentence; undefined where that remains to be seen. */
export function refusalOf({ host, port }: EgressTarget): string | undefined {
  if (closedPorts.includes(port)) return `Port ${port} is closed for machines of this bench.`;
  if (closedNames.some((name) => host === name || host.endsWith(`.${name}`))) return noPublicAddress(host);
  return undefined;
}

/**
 * The one sentence for names that do not resolve and names that resolve to something private: a guest must not learn
 * which names exist in the owner's network.
 */
export function noPublicAddress(host: string): string {
  return `${host} has no public address. What else machines may reach is listed under "reach:" in the config of this bench.`;
}

function plainHost(url: URL): string {
  return url.hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.+$/, '')
    .toLowerCase();
}
