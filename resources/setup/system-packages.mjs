// What the commands need of the operating system, and how to get it. Plain JavaScript for Node 20: it runs before
// anything is installed.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * A program or file that must be there, and the package that brings it, by package manager.
 * @typedef {{ program?: string, file?: string, apt: string, dnf: string, pacman: string }} Need
 */

/** @type {Need[]} */
const compiler = [
  { program: 'python3', apt: 'python3', dnf: 'python3', pacman: 'python' },
  { program: 'make', apt: 'make', dnf: 'make', pacman: 'make' },
  { program: 'g++', apt: 'g++', dnf: 'gcc-c++', pacman: 'gcc' },
];
/** @type {Need[]} */
const machines = [
  { program: 'qemu-system-x86_64', apt: 'qemu-system-x86', dnf: 'qemu-system-x86-core', pacman: 'qemu-system-x86' },
  { program: 'qemu-img', apt: 'qemu-utils', dnf: 'qemu-img', pacman: 'qemu-img' },
  { program: 'socat', apt: 'socat', dnf: 'socat', pacman: 'socat' },
  { program: 'mmdebstrap', apt: 'mmdebstrap', dnf: 'mmdebstrap', pacman: 'mmdebstrap' },
  { program: 'mke2fs', apt: 'e2fsprogs', dnf: 'e2fsprogs', pacman: 'e2fsprogs' },
  { program: 'cpio', apt: 'cpio', dnf: 'cpio', pacman: 'cpio' },
  { program: 'busybox', apt: 'busybox-static', dnf: 'busybox', pacman: 'busybox' },
  { program: 'newuidmap', apt: 'uidmap', dnf: 'shadow-utils', pacman: 'shadow' },
];
/** @type {Need[]} */
const standIn = [{ program: 'git', apt: 'git', dnf: 'git', pacman: 'git' }];
/** @type {Need[]} */
const browser = [
  { program: 'chromium', apt: 'chromium', dnf: 'chromium', pacman: 'chromium' },
  {
    file: '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf',
    apt: 'fonts-dejavu-core',
    dnf: 'dejavu-sans-fonts',
    pacman: 'ttf-dejavu',
  },
];
/** @type {Need[]} */
const checks = [
  {
    program: 'desktop-file-validate',
    apt: 'desktop-file-utils',
    dnf: 'desktop-file-utils',
    pacman: 'desktop-file-utils',
  },
  { program: 'nasm', apt: 'nasm', dnf: 'nasm', pacman: 'nasm' },
  { program: 'openssl', apt: 'openssl', dnf: 'openssl', pacman: 'openssl' },
];
/** @type {Need[]} */
const comparison = [{ program: 'nginx', apt: 'nginx-light', dnf: 'nginx', pacman: 'nginx' }];

/** What each command needs besides Node and npm. */
export const needsByCommand = {
  check: compiler,
  build: compiler,
  start: [...compiler, ...machines],
  demo: [...compiler, ...machines, ...standIn],
  test: [...compiler, ...machines, ...standIn, ...browser, ...checks],
  bench: [...compiler, ...machines, ...standIn, ...comparison],
};

const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @param {Need} need */
function isThere(need) {
  if (need.file !== undefined) return existsSync(need.file);
  return folders.some((folder) => isExecutable(join(folder, need.program)));
}

/** @param {Need[]} needs */
export function missing(needs) {
  return needs.filter((need) => !isThere(need));
}

/** The one command that installs `needs` here, or undefined where no known package manager is. */
export function installCommand(needs) {
  const names = (manager) => [...new Set(needs.map((need) => need[manager]))].join(' ');
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
  if (isThere({ program: 'apt-get' })) return `${sudo}apt-get install -y --no-install-recommends ${names('apt')}`;
  if (isThere({ program: 'dnf' })) return `${sudo}dnf install -y ${names('dnf')}`;
  if (isThere({ program: 'pacman' })) return `${sudo}pacman -S --needed ${names('pacman')}`;
  return undefined;
}

/** True where we may install packages ourselves: root on Debian, Ubuntu and their kin. */
export function canInstall() {
  return process.getuid?.() === 0 && isThere({ program: 'apt-get' });
}

/** apt-get needs package lists once on a fresh machine; `policy` says whether it has any for these. */
export function hasPackageLists(needs) {
  const names = needs.map((need) => need.apt);
  const { stdout } = spawnSync('apt-cache', ['policy', ...names], { encoding: 'utf8' });
  return names.every((name) => stdout.includes(`${name}:`)) && !stdout.includes('Candidate: (none)');
}
