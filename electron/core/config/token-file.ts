import type { PlatformDeps } from '../platform/deps.ts';
import { errorCode, isMissing } from '../platform/files.ts';
import type { RunnerConfig } from './bench-config.ts';
import { ConfigError } from './config-error.ts';

const largestTokenBytes = 256;

/**
 * Reads a runner token from its file: one line, blanks around it ignored.
 * @returns The token. It belongs into the poller and nowhere else; never log it.
 * @throws ConfigError `config/token-missing`, `config/token-file-open`, `config/token-invalid`.
 */
export async function readToken(
  { files }: Pick<PlatformDeps, 'files'>,
  runner: Pick<RunnerConfig, 'id' | 'tokenFile'>,
): Promise<string> {
  const { id, tokenFile } = runner;
  const permissions = await files.permissions(tokenFile);
  if (permissions === undefined) throw missing(id, tokenFile);
  if ((permissions & 0o077) !== 0) {
    const octal = permissions.toString(8).padStart(3, '0');
    throw new ConfigError(
      'config/token-file-open',
      `The token file of ${id} may be used by others: ${tokenFile} has mode ${octal}`,
      { remedy: `Run: chmod 600 ${quoted(tokenFile)}. If others could read it, renew the token at GitLab.` },
    );
  }
  return checked(id, tokenFile, await read(files, id, tokenFile));
}

async function read(files: PlatformDeps['files'], id: string, tokenFile: string): Promise<Uint8Array> {
  try {
    return await files.readRange(tokenFile, 0, largestTokenBytes + 1);
  } catch (cause) {
    if (isMissing(cause)) throw missing(id, tokenFile, cause);
    const why = errorCode(cause) ?? 'unknown error';
    throw new ConfigError('config/unreadable', `The token file of ${id} cannot be read: ${tokenFile} (${why})`, {
      remedy: `Make ${tokenFile} a plain file that you own and can read.`,
      cause,
    });
  }
}

function checked(id: string, tokenFile: string, bytes: Uint8Array): string {
  const refuse = (what: string) =>
    new ConfigError('config/token-invalid', `The token file of ${id} ${what}: ${tokenFile}`, {
      remedy: `Put the runner token that GitLab showed once, such as glrt-..., alone on one line into ${tokenFile}.`,
    });
  if (bytes.length > largestTokenBytes) throw refuse(`is longer than ${largestTokenBytes} bytes`);
  const text = new TextDecoder().decode(bytes).trim();
  if (text === '') throw refuse('is empty');
  if (/[\r\n]/.test(text)) throw refuse('has more than one line');
  // The characters of GitLab's own tokens; a header takes them as they are.
  if (!/^[\w.=-]{8,}$/.test(text)) throw refuse('does not hold a runner token');
  return text;
}

function missing(id: string, tokenFile: string, cause?: unknown): ConfigError {
  return new ConfigError('config/token-missing', `The token file of ${id} does not exist: ${tokenFile}`, {
    remedy: `Create a runner at GitLab, put its token into ${tokenFile} and run: chmod 600 ${quoted(tokenFile)}`,
    cause,
  });
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
