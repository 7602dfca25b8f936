import { createReadStream } from 'node:fs';
import { systemRandom } from '../../../electron/core/platform/random.ts';
import {
  type ArtifactMeta,
  type ArtifactStore,
  ArtifactTooLargeError,
  type ReceivedFile,
  type StoredArtifact,
} from './artifact-store.ts';
import { byteRange } from './byte-range.ts';
import { type Exchange, Refusal } from './exchange.ts';
import type { FakeJob } from './fake-job.ts';
import type { JobQueue } from './job-queue.ts';
import { executingJob } from './job-routes.ts';
import { limits } from './limits.ts';
import { MultipartError, multipartBoundary, multipartParts } from './multipart.ts';
import type { Route } from './routes.ts';
import type { GitLabSettings } from './settings.ts';

export interface ArtifactRouteDeps {
  queue: JobQueue;
  store: ArtifactStore;
  settings: GitLabSettings;
}

const artifactTypes: ReadonlySet<string> = new Set([
  'archive',
  'accessibility',
  'annotations',
  'api_fuzzing',
  'browser_performance',
  'cobertura',
  'codequality',
  'container_scanning',
  'cyclonedx',
  'dast',
  'dependency_scanning',
  'dotenv',
  'jacoco',
  'junit',
  'license_scanning',
  'load_performance',
  'metrics',
  'performance',
  'requirements',
  'sast',
  'secret_detection',
  'terraform',
]);
const artifactFormats: ReadonlySet<string> = new Set(['zip', 'gzip', 'raw']);

/** Uploads and downloads of artifacts, and the place that stands for object storage. */
export function artifactRoutes(deps: ArtifactRouteDeps): Route[] {
  const redirected = new Set<string>();
  const signed = new Map<string, StoredArtifact>();
  return [
    {
      name: 'artifacts-upload',
      method: 'POST',
      path: /^\/api\/v4\/jobs\/([1-9][0-9]{0,14})\/artifacts$/,
      handle: (exchange, [id]) => upload(deps, exchange, Number(id), redirected),
    },
    {
      name: 'artifacts-download',
      method: 'GET',
      path: /^\/api\/v4\/jobs\/([1-9][0-9]{0,14})\/artifacts$/,
      handle: (exchange, [id]) => download(deps, exchange, Number(id), signed),
    },
    {
      name: 'artifacts-authorize',
      method: 'POST',
      path: /^\/api\/v4\/jobs\/([1-9][0-9]{0,14})\/artifacts\/authorize$/,
      // Only GitLab's own front end may ask this, with a signature that no client has.
      handle: async () => {
        throw new Refusal(403, '403 Forbidden');
      },
    },
    {
      name: 'storage',
      method: 'GET',
      path: /^\/-\/storage\/([0-9A-Za-z]{32})\/[^/]+$/,
      handle: async (exchange, [key = '']) => {
        const artifact = signed.get(key);
        if (artifact === undefined) throw new Refusal(403, 'AccessDenied');
        await sendFile(exchange, artifact);
      },
    },
  ];
}

async function upload(deps: ArtifactRouteDeps, exchange: Exchange, id: number, redirected: Set<string>): Promise<void> {
  const { queue, settings, store } = deps;
  // All of this is decided before the body is read, as GitLab's front end does.
  const job = executingJob(queue, exchange, id, exchange.header('job-token'), { kind: 'upload' });
  const search = exchange.entry.query;
  if (settings.redirectsUploads && !redirected.has(`${id}?${search}`)) {
    redirected.add(`${id}?${search}`);
    await exchange.reply(307, { headers: { Location: `${settings.publicUrl}${exchange.path}?${search}` } });
    return;
  }
  const limitBytes = settings.artifactLimitBytes;
  if (Number(exchange.header('content-length') ?? 0) > limitBytes + limits.multipartHeaderBytes) throw tooLarge();
  const boundary = multipartBoundary(exchange.header('content-type') ?? '');
  if (boundary === undefined) throw new Refusal(400, '400 Bad request - no multipart body');
  const form = await readForm(store, exchange, boundary, limitBytes);
  await using file = form.file;
  if (!job.isExecuting) {
    throw new Refusal(403, '403 Forbidden - Job is not processing on runner', { 'Job-Status': job.state });
  }
  const meta = uploadMeta(exchange, form.fields, form.filename);
  const known = job.artifacts.find((artifact) => artifact.type === meta.type);
  if (known !== undefined && known.sha256 !== file.sha256) {
    throw new Refusal(400, 'another artifact of the same type already exists');
  }
  if (known === undefined) job.addArtifact(file.keep(job.id, meta));
  await exchange.reply(201, { headers: { 'Content-Type': 'application/json' }, body: '"201"' });
}

interface UploadForm {
  file: ReceivedFile;
  filename: string;
  fields: ReadonlyMap<string, string>;
}

async function readForm(
  store: ArtifactStore,
  exchange: Exchange,
  boundary: string,
  limitBytes: number,
): Promise<UploadForm> {
  const fields = new Map<string, string>();
  let found: { file: ReceivedFile; filename: string } | undefined;
  try {
    for await (const part of multipartParts(exchange.chunks(), boundary)) {
      if (part.name === 'file' && part.filename !== null) {
        if (found !== undefined) throw new MultipartError('two files');
        found = { file: await store.receive(part.bytes, limitBytes), filename: part.filename };
      } else {
        fields.set(part.name, await readField(part.bytes));
      }
    }
    if (found === undefined) throw new MultipartError('file is missing');
    return { ...found, fields };
  } catch (error) {
    await found?.file[Symbol.asyncDispose]();
    if (error instanceof ArtifactTooLargeError) throw tooLarge();
    if (error instanceof MultipartError) throw new Refusal(400, `400 Bad request - ${error.message}`);
    throw error;
  }
}

async function readField(bytes: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of bytes) {
    sizeBytes += chunk.length;
    if (sizeBytes > limits.multipartFieldBytes) throw new MultipartError('a field is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Official runners put these into the query, other clients into the form. */
function uploadMeta(exchange: Exchange, fields: ReadonlyMap<string, string>, filename: string): ArtifactMeta {
  const given = (name: string) => exchange.query.get(name) ?? fields.get(name);
  const type = given('artifact_type') ?? 'archive';
  const format = given('artifact_format') ?? 'zip';
  if (!artifactTypes.has(type)) throw new Refusal(400, 'artifact_type does not have a valid value');
  if (!artifactFormats.has(format)) throw new Refusal(400, 'artifact_format does not have a valid value');
  const name = filename.replace(/^.*[/\\]/, '').replace(/[^\w.-]/g, '_');
  return { type, format, filename: name === '' ? 'artifacts.zip' : name, expireIn: given('expire_in') ?? null };
}

async function download(
  deps: ArtifactRouteDeps,
  exchange: Exchange,
  id: number,
  signed: Map<string, StoredArtifact>,
): Promise<void> {
  const { settings } = deps;
  const job = readableJob(deps, exchange, id);
  const artifact = job.archive;
  if (artifact === undefined) throw new Refusal(404, '404 Not found');
  if (settings.hasObjectStorage && exchange.query.get('direct_download') === 'true') {
    const key = systemRandom.base62(32);
    signed.set(key, artifact);
    const location = `${settings.publicUrl}/-/storage/${key}/${artifact.filename}`;
    await exchange.reply(302, { headers: { Location: location } });
    return;
  }
  await sendFile(exchange, artifact);
}

/** The job whose artifacts this token may have: its own, or one its running job depends on. */
function readableJob(deps: ArtifactRouteDeps, exchange: Exchange, id: number): FakeJob {
  const { queue, settings } = deps;
  const caller = queue.byToken(exchange.header('job-token') ?? '');
  const isTokenAlive =
    caller !== undefined && !caller.isErased && (caller.isExecuting || settings.dependencyTokens === 'dependency');
  if (caller === undefined || !isTokenAlive) throw new Refusal(401, '401 Unauthorized');
  exchange.concerns(caller, 'download');
  const job = queue.byId(id);
  const isDependency = caller.isExecuting && caller.spec.dependencies.some((dependency) => dependency.id === id);
  if (job === undefined || (job !== caller && !isDependency)) throw new Refusal(403, '403 Forbidden');
  return job;
}

async function sendFile(exchange: Exchange, artifact: StoredArtifact): Promise<void> {
  const range = byteRange(exchange.header('range'), artifact.sizeBytes);
  const headers = {
    'Content-Type': artifact.format === 'zip' ? 'application/zip' : 'application/octet-stream',
    'Content-Disposition': `attachment; filename="${artifact.filename}"`,
    'Accept-Ranges': 'bytes',
    ETag: `"${artifact.sha256}"`,
  };
  switch (range.kind) {
    case 'unsatisfiable':
      await exchange.reply(416, { headers: { 'Content-Range': `bytes */${artifact.sizeBytes}` } });
      return;
    case 'whole':
      await exchange.replyStream(
        200,
        { ...headers, 'Content-Length': artifact.sizeBytes },
        createReadStream(artifact.path),
      );
      return;
    case 'part': {
      const { first, last } = range;
      await exchange.replyStream(
        206,
        {
          ...headers,
          'Content-Length': last - first + 1,
          'Content-Range': `bytes ${first}-${last}/${artifact.sizeBytes}`,
        },
        createReadStream(artifact.path, { start: first, end: last }),
      );
    }
  }
}

function tooLarge(): Refusal {
  return new Refusal(413, '413 Request Entity Too Large');
}
