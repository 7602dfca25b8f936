// `npm run bench`: what docs/benchmarks.md shows. `--write` replaces the tables there, `--quick` takes fewer runs and
// smaller transfers, `--only relay|machines` leaves the other part out.
import { readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { benchMachines } from './machines.ts';
import { benchRelay } from './relay.ts';
import type { Row } from './row.ts';

const mark = '<!-- measured -->';
const documentPath = 'docs/benchmarks.md';

const { values } = parseArgs({
  options: {
    write: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
const parts: Record<string, () => Promise<Row[]>> = {
  machines: () => benchMachines(values.quick ? 2 : 7),
  relay: () => benchRelay(values.quick ? { sizeBytes: 128 * 2 ** 20 } : {}),
};
if (values.only !== undefined && !Object.hasOwn(parts, values.only)) {
  process.stderr.write(`--only takes one of: ${Object.keys(parts).join(', ')}\n`);
  process.exit(2);
}

const sections: string[] = [`Measured ${new Date().toISOString().slice(0, 10)} on ${await machineWords()}.`];
for (const [name, run] of Object.entries(parts)) {
  if (values.only !== undefined && values.only !== name) continue;
  process.stderr.write(`measuring ${name} ...\n`);
  const section = `## ${name}\n\n${table(await run())}`;
  process.stdout.write(`\n${section}\n`);
  sections.push(section);
}
if (values.write) {
  const document = await readFile(documentPath, 'utf8');
  await writeFile(documentPath, `${document.split(mark, 1)[0]}${mark}\n\n${sections.join('\n\n')}\n`);
}

async function machineWords(): Promise<string> {
  const [first] = cpus();
  const release = /^PRETTY_NAME="(.*)"$/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1] ?? process.platform;
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${cpus().length} shared cores (${first?.model.trim() ?? 'unknown'}), ${memory}, ${release}, Node ${process.version}`;
}

function table(rows: readonly Row[]): string {
  const lines = rows.map((row) => `| ${row.what} | ${number(row.value)} ${row.unit} | ${row.note ?? ''} |`);
  return ['| what | value | note |', '|---|---|---|', ...lines].join('\n');
}

/** Three digits that matter; whole numbers as they are. */
function number(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(3)));
}
