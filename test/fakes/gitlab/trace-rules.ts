import type { FakeJob } from './fake-job.ts';

export type AppendResult =
  | { kind: 'appended'; sizeBytes: number }
  | { kind: 'wrong-offset'; sizeBytes: number }
  | { kind: 'too-large' };

/**
 * The first byte a `Content-Range` of the runner API names: `<start>-<end>`, without a unit. GitLab itself never looks
 * at the end.
 * @returns undefined where it is no such range. GitLab would read that as 0; refusing it finds faults sooner.
 */
export function rangeStart(header: string): number | undefined {
  const match = /^([0-9]{1,15})-[0-9]{1,15}$/.exec(header);
  return match === null ? undefined : Number(match[1]);
}

/** GitLab compares in whole mebibytes, and a trace that reaches the limit is too large. */
export function isTraceTooLarge(endByte: number, limitMebibytes: number): boolean {
  return Math.floor(endByte / 1024 ** 2) >= limitMebibytes;
}

/** Stores the next slice of a trace, or says why not; a trace that grows too large fails its job. */
export function appendTrace(job: FakeJob, fromByte: number, bytes: Buffer, limitMebibytes: number): AppendResult {
  if (isTraceTooLarge(fromByte + bytes.length, limitMebibytes)) {
    job.finish('failed', 'trace_size_exceeded');
    return { kind: 'too-large' };
  }
  if (fromByte !== job.traceSizeBytes) return { kind: 'wrong-offset', sizeBytes: job.traceSizeBytes };
  job.appendTrace(maskSecret(bytes, job.token));
  return { kind: 'appended', sizeBytes: job.traceSizeBytes };
}

/** Replaces a secret without changing any offset. One that lies across two slices is missed, as by GitLab. */
export function maskSecret(bytes: Buffer, secret: string): Buffer {
  const needle = Buffer.from(secret);
  let at = bytes.indexOf(needle);
  if (at < 0) return bytes;
  const masked = Buffer.from(bytes);
  while (at >= 0) {
    masked.fill('x', at, at + needle.length);
    masked.write('[MASKED]'.slice(0, needle.length), at);
    at = masked.indexOf(needle, at + needle.length);
  }
  return masked;
}
