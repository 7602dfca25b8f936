import { isDeepStrictEqual } from 'node:util';
import { defaultTimeoutSeconds } from '../gitlab/job-payload.ts';
import { findMember, isEmptyObjectAt, isObjectAt, rootAt } from './json-ranges.ts';
import { ProxyError } from './proxy-error.ts';

/** Less would not even let a runner say that it has no time left. */
const floorSeconds = 60;

/**
 * The job as the machine gets it: GitLab's bytes with one number changed. GitLab counts the timeout from its 201, the
 * runner from now, so what has passed in between is taken off `runner_info.timeout` (protocol document 2.4).
 * @param elapsedSeconds Since GitLab's 201 had arrived; less than 0 counts as 0.
 * @throws ProxyError `proxy/unusable-job` where the payload is no JSON object.
 */
export function payloadForHandOver(payload: Uint8Array, elapsedSeconds: number): Uint8Array {
  const before = parseObject(payload);
  const timeout = remainingSeconds(before['runner_info'], elapsedSeconds);
  const edited = setTimeoutField(payload, timeout);
  const expected = { ...before, runner_info: { ...asObject(before['runner_info']), timeout } };
  if (!isDeepStrictEqual(parseObject(edited), expected)) throw unusable('editing its timeout changed something else');
  return edited;
}

function remainingSeconds(runnerInfo: unknown, elapsedSeconds: number): number {
  const sent = asObject(runnerInfo)?.['timeout'];
  const seconds = typeof sent === 'number' ? Math.trunc(sent) : 0;
  const timeout = Number.isSafeInteger(seconds) && seconds > 0 ? seconds : defaultTimeoutSeconds;
  return Math.max(floorSeconds, timeout - Math.max(0, Math.round(elapsedSeconds)));
}

function setTimeoutField(payload: Uint8Array, timeout: number): Uint8Array {
  const root = rootAt(payload);
  const runnerInfo = findMember(payload, root, 'runner_info');
  if (runnerInfo === undefined) return insertMember(payload, root, `"runner_info":{"timeout":${timeout}}`);
  if (!isObjectAt(payload, runnerInfo.from)) {
    return replace(payload, runnerInfo.from, runnerInfo.to, `{"timeout":${timeout}}`);
  }
  const field = findMember(payload, runnerInfo.from, 'timeout');
  if (field === undefined) return insertMember(payload, runnerInfo.from, `"timeout":${timeout}`);
  return replace(payload, field.from, field.to, String(timeout));
}

/** As the first member of the object at `objectAt`. */
function insertMember(payload: Uint8Array, objectAt: number, member: string): Uint8Array {
  const text = isEmptyObjectAt(payload, objectAt) ? member : `${member},`;
  return replace(payload, objectAt + 1, objectAt + 1, text);
}

function replace(payload: Uint8Array, from: number, to: number, text: string): Uint8Array {
  return Buffer.concat([payload.subarray(0, from), Buffer.from(text), payload.subarray(to)]);
}

function parseObject(payload: Uint8Array): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(payload));
  } catch {
    // The message of a SyntaxError quotes the text, which holds secrets.
    throw unusable('it is no JSON');
  }
  const object = asObject(parsed);
  if (object === undefined) throw unusable('it is no object');
  return object;
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

function unusable(why: string): ProxyError {
  return new ProxyError('proxy/unusable-job', `The job cannot be handed over: ${why}.`, {
    remedy: 'Retry the job. If it comes again, report it with the version of your GitLab.',
    blame: 'gitlab',
  });
}
