// One long step of a command: says what it does, that it is alive, and how long it took. Plain JavaScript for Node 20.
import { spawn } from 'node:child_process';

const everyMs = process.stderr.isTTY ? 500 : 10_000;

/**
 * Runs a program to its end and shows progress; its output is kept and shown only when it fails.
 * @param {string} title
 * @param {string} program
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 * @returns {Promise<boolean>} whether it ended well
 */
export function quietStep(title, program, args, env = {}) {
  return new Promise((resolve) => {
    const startedAt = Date.now();
    const seconds = () => `${((Date.now() - startedAt) / 1000).toFixed(0)} s`;
    const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let lastLine = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output = (output + text).slice(-200_000);
        lastLine = text.trim().split('\n').at(-1)?.slice(0, 60) || lastLine;
      });
    }
    show(title, '');
    const timer = setInterval(() => show(title, `${seconds()}  ${lastLine}`), everyMs);
    const end = (isWell, why) => {
      clearInterval(timer);
      show(title, isWell ? `done in ${seconds()}` : `failed after ${seconds()}`, true);
      if (!isWell) process.stderr.write(`${output}\n${program} ${args.join(' ')}: ${why}\n`);
      resolve(isWell);
    };
    child.once('error', (error) => end(false, error.message));
    child.once('close', (code, signal) => end(code === 0, `exit ${code ?? signal}`));
  });
}

/**
 * Runs a program to its end with this terminal; an interrupt reaches it as well as us, and it decides.
 * @returns {Promise<number>} its exit code; 128 and the signal's number where a signal ended it
 */
export function openStep(program, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: 'inherit' });
    const pass = (signal) => child.kill(signal);
    const ignore = () => {};
    process.on('SIGINT', ignore);
    process.on('SIGTERM', pass);
    child.once('error', (error) => {
      process.stderr.write(`${program}: ${error.message}\n`);
      resolve(127);
    });
    child.once('close', (code, signal) => {
      process.off('SIGINT', ignore);
      process.off('SIGTERM', pass);
      resolve(code ?? (signal === 'SIGINT' ? 130 : 143));
    });
  });
}

function show(title, text, isLast = false) {
  const line = `${title.padEnd(22)} ${text}`;
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${line}${isLast ? '\n' : ''}`);
  else if (text !== '') process.stderr.write(`${line}\n`);
}
