/** Where a machine sees its listener: a fixed address, whatever socket it really is. */
export const guestUrl = 'http://10.0.2.100/';

/** What the agent in a machine needs to start its runner; nothing of it is in the machine before it asks. */
export interface GuestSetup {
  runnerName: string;
  /** For `--clone-url`; null leaves the flag away. */
  cloneUrl: string | null;
  /** `shell` or `docker`: the executor the image is made for. */
  executor: string;
  shell: string;
  buildsDirectory: string;
  /** For `--output-limit`, in KiB. */
  outputLimitKib: number;
  /** For the machine's hosts file: names that only the egress knows. */
  hosts: readonly { address: string; name: string }[];
  httpProxy: string | null;
  noProxy: readonly string[];
  /** GitLab's CA where it is none of the public ones. */
  caPem: string | null;
  /** For `--wait-timeout`. */
  waitTimeoutSeconds: number;
}

export interface GuestSetupAnswer extends GuestSetup {
  url: string;
  /** The run's own token, which gets the job once and opens nothing else. */
  token: string;
  /** The host's time, for machines whose clock starts wrong. */
  epochSeconds: number;
}

export function setupJson(setup: GuestSetupAnswer): string {
  return `${JSON.stringify(setup)}\n`;
}

/** The same as assignments for a POSIX shell, to be read with `.` or `eval`: every value is single-quoted. */
export function setupShell(setup: GuestSetupAnswer): string {
  const values: Record<string, string> = {
    BENCH_URL: setup.url,
    BENCH_TOKEN: setup.token,
    BENCH_RUNNER_NAME: setup.runnerName,
    BENCH_CLONE_URL: setup.cloneUrl ?? '',
    BENCH_EXECUTOR: setup.executor,
    BENCH_SHELL: setup.shell,
    BENCH_BUILDS_DIR: setup.buildsDirectory,
    BENCH_OUTPUT_LIMIT: String(setup.outputLimitKib),
    BENCH_HOSTS: setup.hosts.map(({ address, name }) => `${address} ${name}`).join('\n'),
    BENCH_HTTP_PROXY: setup.httpProxy ?? '',
    BENCH_NO_PROXY: setup.noProxy.join(','),
    BENCH_CA_PEM: setup.caPem ?? '',
    BENCH_WAIT_TIMEOUT: String(setup.waitTimeoutSeconds),
    BENCH_EPOCH: String(setup.epochSeconds),
  };
  return Object.entries(values)
    .map(([name, value]) => `${name}=${shellQuoted(value)}\n`)
    .join('');
}

/** Within single quotes a shell reads everything as it is, but for the quote itself. */
function shellQuoted(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}
