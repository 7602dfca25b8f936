import { ArgumentError, readArguments, splitArguments } from './arguments.ts';
import { type Behaviour, currentBehaviour } from './behaviour.ts';
import { FakeMachine } from './machine.ts';

const program = 'qemu-system-x86_64';

async function main(args: readonly string[]): Promise<void> {
  const behaviour = currentBehaviour(process.env);
  try {
    if (answerQuestion(args, behaviour)) return;
    const machine = readArguments(args);
    if (machine.isProbe) {
      await playProbe(behaviour.probe[machine.accelerator === 'kvm' ? 'kvm' : 'tcg']);
      return;
    }
    if (behaviour.diesAtOnce !== null) {
      process.stderr.write(`${behaviour.diesAtOnce.stderr}\n`);
      process.exitCode = behaviour.diesAtOnce.exitCode;
      return;
    }
    await new FakeMachine(machine, () => currentBehaviour(process.env)).start();
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    process.stderr.write(`${error.prefix}: ${error.message}\n`);
    process.exitCode = 1;
  }
}

/** Options are read from left to right; a question ends that. */
function answerQuestion(args: readonly string[], behaviour: Behaviour): boolean {
  for (const { option, value } of splitArguments(args)) {
    if (option === '-sandbox' && !behaviour.hasSandbox) {
      throw new ArgumentError(`-sandbox ${value}: -sandbox support is not enabled in this QEMU binary`);
    }
    if (option === '-netdev' && value === 'help') {
      process.stdout.write(`Available netdev backend types:\n${behaviour.netdevs.join('\n')}\n`);
      return true;
    }
    if (option === '--version' || option === '-version') {
      process.stdout.write(`QEMU emulator version ${behaviour.version}\n`);
      return true;
    }
  }
  return false;
}

async function playProbe(result: Behaviour['probe']['kvm']): Promise<void> {
  switch (result) {
    case 'passes':
      process.stdout.write('WXFBPROBE64\n');
      process.exitCode = 33;
      break;
    case 'hangs':
      process.stdout.write('W');
      await new Promise<void>(() => setInterval(() => {}, 60_000));
      break;
    case 'denied':
      process.stderr.write(`${program}: -accel kvm: failed to initialize kvm: Permission denied\n`);
      process.exitCode = 1;
      break;
    case 'aborts':
      process.stderr.write(`${program}: error: failed to set MSR 0x10a to 0x69\n`);
      process.kill(process.pid, 'SIGABRT');
      break;
  }
}

await main(process.argv.slice(2));
