import { isIP } from 'node:net';
import type { ReachRule } from './bench-config.ts';

export type ParsedReach = { ok: true; rule: ReachRule } | { ok: false; expected: string };

/**
 * A door in its short form, `registry.lab:5000`, or in full, `{name, port, to: "127.0.0.1:8929"}`. Names are host names:
 * an address cannot be given a meaning of its own in the guest.
 */
export function parseReachRule(value: string | { name: string; port: number; to: string }): ParsedReach {
  if (typeof value !== 'string') {
    const refusal = refuseName(value.name);
    if (refusal !== null) return { ok: false, expected: refusal };
    const to = parseHostAndPort(value.to);
    if (to === undefined) return { ok: false, expected: '`to` as host:port, such as 127.0.0.1:8929 or [::1]:8929' };
    const name = value.name.toLowerCase();
    return { ok: true, rule: { name, port: value.port, toHost: to.host, toPort: to.port } };
  }
  const target = parseHostAndPort(value);
  if (target === undefined) return { ok: false, expected: 'host:port, such as registry.lab:5000' };
  const refusal = refuseName(target.host);
  if (refusal !== null) return { ok: false, expected: refusal };
  return { ok: true, rule: { name: target.host, port: target.port, toHost: target.host, toPort: target.port } };
}

/** RFC 1123: labels of letters, digits and hyphens, 63 characters each, 253 in all; the last is not a number. */
export function isHostName(name: string): boolean {
  const labels = name.split('.');
  return (
    name.length <= 253 &&
    labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(label)) &&
    !/^(\d+|0x[0-9a-f]*)$/i.test(labels.at(-1) ?? '')
  );
}

function refuseName(name: string): string | null {
  if (isIP(name) !== 0)
    return 'a host name; give an address a name: {name: registry.lab, port: 5000, to: "ADDRESS:5000"}';
  if (!isHostName(name)) return 'a host name of letters, digits, hyphens and dots';
  if (/^localhost$|\.localhost$/i.test(name)) return 'a name of its own: in the machine, localhost is the machine';
  return null;
}

function parseHostAndPort(text: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]\s/]+)):(\d{1,5})$/i.exec(text);
  const [, bracketed, plain, digits] = match ?? [];
  const host = (bracketed ?? plain)?.toLowerCase();
  const port = Number(digits);
  if (host === undefined || port < 1 || port > 65_535) return undefined;
  if (bracketed !== undefined) return isIP(host) === 6 ? { host, port } : undefined;
  return isIP(host) === 4 || isHostName(host) ? { host, port } : undefined;
}
