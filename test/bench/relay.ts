import { createHash } from 'node:crypto';
import { Agent, type ClientRequest, type IncomingMessage, request as send } from 'node:http';
import { type Address, jobToken, openPaths, type Path, runCount, type Usage } from './relay-paths.ts';
import type { Row } from './row.ts';

const mib = 2 ** 20;
const patchBytes = 4096;
/** Nothing here takes minutes; what does is stuck. */
const stuckMs = 300_000;

export interface RelayBenchOptions {
  /** Of one artifact. */
  sizeBytes?: number;
  /** Each round takes every path once, so that a busy minute falls on all of them. */
  rounds?: number;
  /** Trace patches per path and round. */
  patchCount?: number;
}

interface Bulk {
  mibPerSecond: number;
  cpuSecondsPerGib: number | undefined;
  rssBytes: number | undefined;
}
interface Patches {
  /** One runner after the other, one patch at a time. */
  latenciesMs: number[];
  /** With all runs patching at once: a process that sleeps between two patches pays for waking up. */
  cpuUs: number | undefined;
}
type Measured = Record<'up' | 'down', Bulk[]> & { patches: Patches[] };

/**
 * The relay against no relay and against nginx on the same path, all in one run: throughput of an artifact up and
 * down, latency and CPU time of small trace patches, memory. Both ends hash what they get, as GitLab and a careful
 * machine do, and the hashes are compared. Loopback and unix sockets only.
 */
export async function benchRelay(options: RelayBenchOptions = {}): Promise<Row[]> {
  const { sizeBytes = 1024 * mib, rounds = 3, patchCount = 2_000 } = options;
  await using opened = await openPaths();
  const { paths } = opened;
  const measured = new Map(paths.map(({ name }): [string, Measured] => [name, { up: [], down: [], patches: [] }]));
  const before = await paths.find(({ name }) => name === 'relay')?.usage();
  // Compiled and connected before it counts.
  for (const path of paths) {
    await bulk(path, 'up', artifactOf(Math.min(sizeBytes, 64 * mib)));
    await bulk(path, 'down', artifactOf(Math.min(sizeBytes, 64 * mib)));
    await patch(path, 400);
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const path of paths) measured.get(path.name)?.patches.push(await patch(path, patchCount));
  }
  const artifact = artifactOf(sizeBytes);
  for (let round = 0; round < rounds; round += 1) {
    for (const direction of ['up', 'down'] as const) {
      for (const path of paths) measured.get(path.name)?.[direction].push(await bulk(path, direction, artifact));
    }
  }
  const size = `${Math.round(sizeBytes / mib)} MiB`;
  return [
    ...bulkRows(measured, 'up', `upload of ${size}, chunked`),
    ...bulkRows(measured, 'down', `download of ${size}`),
    ...patchRows(measured),
    ...memoryRows(measured, before),
  ];
}

function bulkRows(measured: Map<string, Measured>, direction: 'up' | 'down', what: string): Row[] {
  const best = (name: string) => Math.max(...(measured.get(name)?.[direction].map((one) => one.mibPerSecond) ?? []));
  const rows = [...measured.keys()].map(
    (name): Row => ({ what: `${what}: ${name}`, value: best(name), unit: 'MiB/s' }),
  );
  const ratio = (name: string, budget: string): Row => ({
    what: `${what}: relay to ${name}`,
    value: best('relay') / best(name),
    unit: 'times',
    note: `budget at least ${budget}`,
  });
  const cpu = (name: string, note: string): Row => {
    const all = measured.get(name)?.[direction].flatMap((one) => one.cpuSecondsPerGib ?? []) ?? [];
    return { what: `${what}: CPU of ${name}`, value: median(all), unit: 's/GiB', note };
  };
  const nginx = measured.has('nginx') ? [ratio('nginx', '0.7'), cpu('nginx', 'to compare')] : [];
  return [...rows, ratio('direct', '0.5'), cpu('relay', 'budget under 2'), ...nginx];
}

function patchRows(measured: Map<string, Measured>): Row[] {
  // The median of the rounds' own figures: one busy second spoils one round.
  const latency = (name: string, share: number) =>
    median(measured.get(name)?.patches.map(({ latenciesMs }) => quantile(latenciesMs, share)) ?? []);
  const cpuUs = (name: string) => median(measured.get(name)?.patches.flatMap((one) => one.cpuUs ?? []) ?? []);
  const rows = [...measured.keys()].flatMap((name): Row[] => [
    { what: `trace patch of 4 KiB: p50 ${name}`, value: latency(name, 0.5), unit: 'ms' },
    { what: `trace patch of 4 KiB: p99 ${name}`, value: latency(name, 0.99), unit: 'ms' },
  ]);
  const added = latency('relay', 0.5) - latency('direct', 0.5);
  rows.push({ what: 'trace patch of 4 KiB: p50 the relay adds', value: added, unit: 'ms', note: 'budget under 0.5' });
  rows.push({
    what: 'trace patch of 4 KiB: CPU of relay',
    value: cpuUs('relay'),
    unit: 'us',
    note: 'budget under 150',
  });
  if (measured.has('nginx')) {
    const ratio = latency('relay', 0.99) / latency('nginx', 0.99);
    rows.push({
      what: 'trace patch of 4 KiB: p99 relay to nginx',
      value: ratio,
      unit: 'times',
      note: 'budget within 2',
    });
    rows.push({
      what: `trace patch of 4 KiB: CPU of nginx, ${runCount} runs at once`,
      value: cpuUs('nginx'),
      unit: 'us',
      note: 'to compare',
    });
  }
  return rows;
}

function memoryRows(measured: Map<string, Measured>, before: Usage | undefined): Row[] {
  const relay = measured.get('relay');
  const all = [...(relay?.up ?? []), ...(relay?.down ?? [])].flatMap((one) => one.rssBytes ?? []);
  return [
    {
      what: 'RSS of relay, before',
      value: Math.round((before?.rssBytes ?? 0) / mib),
      unit: 'MiB',
      note: `${runCount} listeners`,
    },
    { what: 'RSS of relay, after the first artifact', value: Math.round((all[0] ?? 0) / mib), unit: 'MiB' },
    { what: 'RSS of relay, most after any', value: Math.round(Math.max(...all) / mib), unit: 'MiB' },
  ];
}

interface Artifact {
  sizeBytes: number;
  sha256: string;
}

const piece = Buffer.alloc(64 * 1024, 0x61);

function artifactOf(sizeBytes: number): Artifact {
  const hash = createHash('sha256');
  for (const part of partsOf(sizeBytes)) hash.update(part);
  return { sizeBytes, sha256: hash.digest('hex') };
}

function* partsOf(sizeBytes: number): Generator<Buffer> {
  for (let leftBytes = sizeBytes; leftBytes > 0; leftBytes -= piece.length) {
    yield leftBytes >= piece.length ? piece : piece.subarray(0, leftBytes);
  }
}

/** One artifact through one path. */
async function bulk(path: Path, direction: 'up' | 'down', { sizeBytes, sha256 }: Artifact): Promise<Bulk> {
  const [address] = path.addresses;
  if (address === undefined) throw new Error('a path without an address');
  const before = await path.usage();
  const startedMs = performance.now();
  const arrived = await (direction === 'up' ? upload : download)(address, sizeBytes);
  const seconds = (performance.now() - startedMs) / 1000;
  if (arrived !== sha256) throw new Error(`${path.name} changed the bytes of an artifact going ${direction}`);
  const after = await path.usage();
  const gib = sizeBytes / (1024 * mib);
  return {
    mibPerSecond: sizeBytes / mib / seconds,
    cpuSecondsPerGib: after && before && (after.cpuMs - before.cpuMs) / 1000 / gib,
    rssBytes: after?.rssBytes,
  };
}

/** @returns The SHA-256 of what the upstream got. */
async function upload(address: Address, sizeBytes: number): Promise<string> {
  const request = send({
    ...address,
    agent: false,
    method: 'POST',
    path: '/api/v4/jobs/1/artifacts?artifact_format=zip&artifact_type=archive',
    headers: {
      'job-token': jobToken,
      'content-type': 'multipart/form-data; boundary=b',
      'transfer-encoding': 'chunked',
    },
    signal: AbortSignal.timeout(stuckMs),
  });
  const answer = answerTo(request);
  for (const part of partsOf(sizeBytes)) {
    if (!request.write(part)) await Promise.race([new Promise((resolve) => request.once('drain', resolve)), answer]);
  }
  request.end();
  const response = await answer;
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  if (response.statusCode !== 201) throw new Error(`upload: ${response.statusCode} ${text}`);
  return text;
}

/** @returns The SHA-256 of what came. */
async function download(address: Address, sizeBytes: number): Promise<string> {
  const request = send({
    ...address,
    agent: false,
    path: '/api/v4/jobs/1/artifacts',
    headers: { 'job-token': jobToken, range: `bytes=0-${sizeBytes - 1}` },
    signal: AbortSignal.timeout(stuckMs),
  });
  const answer = answerTo(request);
  request.end();
  const response = await answer;
  const hash = createHash('sha256');
  response.on('data', (chunk: Buffer) => hash.update(chunk));
  await new Promise((resolve, reject) => response.once('end', resolve).once('error', reject));
  return hash.digest('hex');
}

function answerTo(request: ClientRequest): Promise<IncomingMessage> {
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject);
  });
  // Awaited once the request is written; a failure before that must not count as unhandled.
  answer.catch(() => {});
  return answer;
}

/** Trace patches of all runs: first one after the other, for their latency, then all runs at once, for their cost. */
async function patch(path: Path, count: number): Promise<Patches> {
  using held = new DisposableStack();
  const runners = path.addresses.map((address) => held.use(new PatchingRunner(address)));
  const latenciesMs: number[] = [];
  for (let index = 0; index < count; index += runners.length) {
    for (const runner of runners) latenciesMs.push(await runner.patch());
  }
  const before = await path.usage();
  await Promise.all(
    runners.map(async (runner) => {
      for (let index = 0; index < count; index += runners.length) await runner.patch();
    }),
  );
  const after = await path.usage();
  return { latenciesMs, cpuUs: after && before && ((after.cpuMs - before.cpuMs) * 1000) / count };
}

/** A runner that sends its trace over one connection. */
class PatchingRunner implements Disposable {
  readonly #address: Address;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #body = Buffer.alloc(patchBytes, 0x62);
  #fromByte = 0;

  constructor(address: Address) {
    this.#address = address;
  }

  /** @returns How long it took, in milliseconds. */
  patch(): Promise<number> {
    const fromByte = this.#fromByte;
    this.#fromByte += patchBytes;
    const startedMs = performance.now();
    return new Promise((resolve, reject) => {
      const request = send({
        ...this.#address,
        agent: this.#agent,
        method: 'PATCH',
        path: '/api/v4/jobs/1/trace?debug_trace=false',
        headers: {
          'job-token': jobToken,
          'content-type': 'text/plain',
          'content-range': `${fromByte}-${fromByte + patchBytes - 1}`,
          'content-length': patchBytes,
        },
      });
      request.once('error', reject).once('response', (response) => {
        response.resume().once('end', () => {
          if (response.statusCode === 202) resolve(performance.now() - startedMs);
          else reject(new Error(`a patch was answered ${response.statusCode}`));
        });
      });
      request.end(this.#body);
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** @param share 0 to 1 */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
