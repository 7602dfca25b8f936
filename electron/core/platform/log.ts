import pino from 'pino';

type Fields = Record<string, unknown>;

/** A log line is a fixed message plus fields. Tokens never go in; `redactedFields` is the second line of defence. */
export interface Log {
  debug(fields: Fields, message: string): void;
  info(fields: Fields, message: string): void;
  warn(fields: Fields, message: string): void;
  error(fields: Fields, message: string): void;
  /** A log whose lines all carry `fields`. */
  child(fields: Fields): Log;
}

const secretNames = ['token', 'jobToken', 'runnerToken', 'vmToken', 'password', 'authorization', 'payload'];
const redactedFields = secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

/** JSON lines to `destination` (stderr by default). */
export function createLog(options: { level?: string; destination?: { write(line: string): void } } = {}): Log {
  return pino(
    {
      level: options.level ?? 'info',
      redact: { paths: redactedFields, censor: '[secret]' },
      serializers: { error: pino.stdSerializers.err },
    },
    options.destination ?? pino.destination({ fd: 2, sync: true }),
  );
}

export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
};
