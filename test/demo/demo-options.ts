import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** The small image: a kernel and an initramfs, without git. */
  isSmoke: boolean;
  /** Stay after the last job, so that the interface can be tried. */
  isKept: boolean;
  /** The official gitlab-runner to put into the machines. */
  runnerBinaryPath: string | undefined;
  /** Of the interface; 0 takes any free one. */
  port: number;
}

export const demoUsage = `npm run demo -- [--smoke] [--keep] [--runner-binary PATH] [--port N]

  --smoke               use the small image (no git; boots a little quicker)
  --keep                stay after the last job, so that the interface can be tried; Ctrl-C ends it
  --runner-binary PATH  run the jobs with this gitlab-runner instead of the demo's own small one
  --port N              where the interface listens on 127.0.0.1 (default: any free port)
`;

/** @throws Error with one line for the user, for arguments that cannot be taken. */
export function parseDemoOptions(argv: readonly string[]): DemoOptions | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      smoke: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      'runner-binary': { type: 'string' },
      port: { type: 'string', default: '0' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`--port wants a number up to 65535, not ${values.port}`);
  return { isSmoke: values.smoke, isKept: values.keep, runnerBinaryPath: values['runner-binary'], port };
}
