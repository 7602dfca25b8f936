import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';

export interface ProcessResult {
  /** null where a signal ended it. */
  exitCode: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  env?: Record<string, string>;
  cwd?: string;
  /** Ends the program with `stopSignal`; the promise rejects once it is gone. */
  signal?: AbortSignal;
  /** Default SIGKILL; SIGTERM for a program that has to clean up behind itself. */
  stopSignal?: 'SIGTERM' | 'SIGKILL';
  /** Starts a process group of its own, and an abort ends all of it: for a program that leaves signals to its children. */
  isGroup?: boolean;
  /** `stopSignal` after this long; the result then has it as its `signal`. */
  timeoutMs?: number;
  input?: string;
  /** Called with each line of stdout and stderr as it comes. */
  onLine?: (line: string) => void;
}

/** A process that outlives us; its identity is pid and start time together, because pids are used again. */
export interface DetachedProcess {
  pid: number;
  startTime: string;
  /** Resolves when it has ended, as long as we are its parent. */
  exited: Promise<{ exitCode: number | null; signal: string | null }>;
}

/** Child processes. Never a shell. */
export interface Processes {
  /**
   * Runs a program to its end and gathers what it prints (at most 8 MiB of each stream is kept, the last).
   * @throws Node's error with `code: 'ENOENT'` where there is no such program.
   */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<ProcessResult>;
  /** Starts a program that outlives this process; stdout and stderr are appended to `logPath`. */
  startDetached(program: string, args: readonly string[], logPath: string): Promise<DetachedProcess>;
  /** The kernel's start time of a process in clock ticks, or undefined where it does not exist (or is a zombie). */
  startTime(pid: number): Promise<string | undefined>;
  /** The program and its arguments as they were started, or undefined where there is no such process. */
  commandLine(pid: number): Promise<string[] | undefined>;
  /** @returns false where the process was gone already. */
  kill(pid: number, signal: 'SIGTERM' | 'SIGKILL'): boolean;
}

const keptBytes = 8 * 1024 * 1024;
const groupStopIntervalMs = 1000;

export const systemProcesses: Processes = {
  run(program, args, options = {}) {
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, {
        stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
        ...(options.env === undefined ? {} : { env: { ...process.env, ...options.env } }),
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
        ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
        killSignal: options.stopSignal ?? 'SIGKILL',
        detached: options.isGroup ?? false,
      });
      if (options.isGroup === true) stopGroupOnAbort(child, options);
      const stdout = gather(child.stdout, options.onLine);
      const stderr = gather(child.stderr, options.onLine);
      // A program that does not read its input ends the pipe early; its exit code says what happened.
      child.stdin?.on('error', () => {});
      child.stdin?.end(options.input);
      child.once('error', (error) => {
        if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) reject(error);
        else child.once('exit', () => reject(error));
      });
      child.once('close', (exitCode, signal) =>
        resolve({ exitCode, signal, stdout: stdout.text(), stderr: stderr.text() }),
      );
    });
  },
  async startDetached(program, args, logPath) {
    await using log = await open(logPath, 'a', 0o600);
    const child = spawn(program, args, { detached: true, stdio: ['ignore', log.fd, log.fd] });
    const exited = new Promise<{ exitCode: number | null; signal: string | null }>((resolve) => {
      child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    const pid = child.pid as number;
    return { pid, startTime: (await this.startTime(pid)) ?? 'ended', exited };
  },
  async startTime(pid) {
    try {
      // proc(5): the second field may hold blanks and brackets, so count from its closing bracket on.
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
    } catch {
      return undefined;
    }
  },
  async commandLine(pid) {
    try {
      // proc(5): each argument ends with a null byte. A zombie's is empty.
      const text = await readFile(`/proc/${pid}/cmdline`, 'utf8');
      return text === '' ? undefined : text.split('\0').slice(0, -1);
    } catch {
      return undefined;
    }
  },
  kill(pid, signal) {
    try {
      return process.kill(pid, signal);
    } catch {
      return false;
    }
  },
};

/** Again and again until it is gone: some programs hear no signal for a while. */
function stopGroupOnAbort(child: ChildProcess, { signal, stopSignal = 'SIGKILL' }: RunOptions): void {
  let timer: NodeJS.Timeout | undefined;
  const stop = () => {
    const { pid } = child;
    if (pid === undefined) return;
    killGroup(pid, stopSignal);
    timer = setInterval(() => killGroup(pid, stopSignal), groupStopIntervalMs);
  };
  signal?.addEventListener('abort', stop, { once: true });
  child.once('exit', () => {
    signal?.removeEventListener('abort', stop);
    clearInterval(timer);
  });
}

function killGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // All of them are gone already.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function gather(stream: NodeJS.ReadableStream | null, onLine?: (line: string) => void): { text(): string } {
  let kept = '';
  let rest = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (chunk: string) => {
    kept = (kept + chunk).slice(-keptBytes);
    if (onLine === undefined) return;
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  stream?.on('end', () => {
    if (rest !== '') onLine?.(rest);
  });
  return { text: () => kept };
}
