import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BenchError } from '../../electron/contract/errors.ts';
import type { EpochMs } from '../../electron/contract/ids.ts';
import { aBenchState } from '../fakes/bench-state.ts';
import { builtRenderer } from '../fakes/built-renderer.ts';
import { launchChromium } from '../fakes/chromium.ts';
import { ScriptedBench } from '../fakes/scripted-bench.ts';
import { aFinishedRun, buildId, stamped, theBuild } from './scene.ts';
import { drawnRows, openScreen } from './screen.ts';

const gib = 1024 ** 3;
let chromium: Awaited<ReturnType<typeof launchChromium>>;
let browser: Browser;

beforeAll(async () => {
  await builtRenderer();
  chromium = await launchChromium();
  browser = chromium.browser;
}, 120_000);
afterAll(() => chromium?.[Symbol.asyncDispose]());

describe('the lending switch', () => {
  it('asks the core, and says what holds then', async () => {
    await using screen = await openScreen(browser);
    const { page, bench } = screen;
    const lending = page.getByRole('switch', { name: 'Lending this machine' });
    await lending.click();
    await page.getByText('You switched lending off.').waitFor();
    const stopped = page.getByRole('switch', { name: 'Not lending' });
    expect([await stopped.getAttribute('aria-checked'), bench.callsOf('lending.set')]).toEqual([
      'false',
      [{ isEnabled: false }],
    ]);
    await stopped.click();
    await lending.waitFor();
  });

  it('is back where it was when the core refuses, with the reason', async () => {
    await using screen = await openScreen(browser);
    const { page, bench } = screen;
    bench.refuseNext(
      'lending.set',
      new BenchError('config/read-only', 'The config is read-only', { remedy: 'Unlock it.' }),
    );
    const lending = page.getByRole('switch');
    await lending.click();
    await page.getByRole('alert').getByText('The config is read-only').waitFor();
    expect(await lending.getAttribute('aria-checked')).toBe('true');
  });
});

describe('capacity', () => {
  it('is set when a slider is let go, and shown at once', async () => {
    await using screen = await openScreen(browser);
    const { page, bench } = screen;
    await page.getByRole('slider', { name: 'Memory' }).focus();
    await page.keyboard.press('ArrowRight');
    await vi.waitFor(() => expect(bench.callsOf('capacity.set').length).toBe(1));
    expect(bench.callsOf('capacity.set')).toEqual([
      { cpus: 12, memoryBytes: 48.5 * gib, diskBytes: 200 * gib, slotCount: 4 },
    ]);
    await page.getByText('48.5 GiB of 62.6 GiB').waitFor();
  });

  it('is dragged by the mouse, and set once', async () => {
    await using screen = await openScreen(browser);
    const { page, bench } = screen;
    const thumb = page.getByRole('slider', { name: 'CPUs' });
    const box = await thumb.boundingBox();
    if (box === null) throw new Error('The slider has no thumb');
    await page.mouse.move(box.x + 8, box.y + 8);
    await page.mouse.down();
    await page.mouse.move(box.x - 60, box.y + 8, { steps: 5 });
    await page.mouse.move(box.x - 180, box.y + 8, { steps: 5 });
    await page.mouse.up();
    await vi.waitFor(() => expect(bench.callsOf('capacity.set').length).toBe(1));
    const shown = Number(await thumb.getAttribute('aria-valuenow'));
    expect(bench.state.capacity.lent.cpus).toBe(shown);
    expect(shown).toBeLessThan(8);
  });

  it('goes back when the core refuses, with the reason and the remedy', async () => {
    await using screen = await openScreen(browser);
    const { page, bench } = screen;
    bench.refuseNext('capacity.set', new BenchError('config/bad', 'That is too much', { remedy: 'Lend less.' }));
    const disk = page.getByRole('slider', { name: 'Disk' });
    await disk.focus();
    await page.keyboard.press('ArrowLeft');
    await page.getByRole('alert').getByText('That is too much').waitFor();
    await page.getByRole('alert').getByText('Lend less.').waitFor();
    expect(await disk.getAttribute('aria-valuetext')).toBe('200 GiB lent');
  });
});

describe('stopping a run', () => {
  it('is asked for first, and nothing happens when it is not meant', async () => {
    await using screen = await openScreen(browser);
    const { page, bench } = screen;
    await page.getByRole('button', { name: 'Stop build:firmware' }).click();
    const dialog = page.getByRole('alertdialog', { name: 'Stop “build:firmware”?' });
    await dialog.waitFor();
    const focused = await page.evaluate(() => document.activeElement?.textContent);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect([focused, bench.callsOf('run.stop')]).toEqual(['Let it run', []]);
  });

  it('tells the core once it is confirmed, and shows the run ending', async () => {
    await using screen = await openScreen(browser);
    const { page, bench } = screen;
    await page.getByRole('button', { name: 'Stop build:firmware' }).click();
    await page.getByRole('button', { name: 'Stop the job' }).click();
    await page.getByRole('alertdialog').waitFor({ state: 'detached' });
    const stop = page.getByRole('button', { name: 'Stop build:firmware' });
    await vi.waitFor(async () => expect([await stop.textContent(), await stop.isDisabled()]).toEqual(['Ending', true]));
    expect([bench.callsOf('run.stop'), screen.complaints]).toEqual([[{ runId: buildId }], []]);
  });

  it('says in the question why it could not be done', async () => {
    await using screen = await openScreen(browser);
    const { page, bench } = screen;
    bench.refuseNext('run.stop', new BenchError('jobs/busy', 'The run is ending', { remedy: 'Wait a moment.' }));
    await page.getByRole('button', { name: 'Stop build:firmware' }).click();
    await page.getByRole('button', { name: 'Stop the job' }).click();
    await page.getByRole('alertdialog').getByText('The run is ending').waitFor();
  });
});

describe('what changes by itself', () => {
  it('is a run that ends: it goes to the history, and a screen reader is told', async () => {
    await using screen = await openScreen(browser);
    const { page, bench } = screen;
    await page.getByText('error budget').waitFor();
    const { job } = theBuild(0);
    const outcome = { state: 'failed' as const, failureReason: 'script_failure', exitCode: 1, why: 'Exit code 1.' };
    bench.push({ kind: 'run', run: { ...aFinishedRun(buildId, job, outcome, Date.now()), traceBytes: 0 } });
    await page.locator('[aria-live=polite]', { hasText: 'build:firmware: failed.' }).waitFor({ state: 'attached' });
    const history = page.getByRole('region', { name: 'History' });
    expect(await history.getByRole('button').first().textContent()).toContain('Exit code 1.');
  });

  it('is a problem, which comes with its remedy and goes when it is mended', async () => {
    await using screen = await openScreen(browser);
    const { page, bench } = screen;
    await page.getByText('error budget').waitFor();
    const problem = { id: 'disk', since: 1 as EpochMs, code: 'images/disk-floor', message: 'The disk is nearly full' };
    bench.push({ kind: 'problem', problem: { ...problem, remedy: 'Remove old images.' } });
    const shown = page.getByRole('status', { name: 'Problems' });
    await shown.getByText('images/disk-floor').waitFor();
    await shown.getByText('Remove old images.').waitFor();
    bench.push({ kind: 'problem-solved', id: 'disk' });
    await shown.getByText('images/disk-floor').waitFor({ state: 'detached' });
  });

  it('is what a runner does, in words', async () => {
    await using screen = await openScreen(browser);
    const { page } = screen;
    const runners = page.getByRole('region', { name: 'Runners' });
    await runners.getByText('Waiting at GitLab for a job').waitFor();
    await runners.getByText('Idle: no room for 8 GiB of memory.').waitFor();
    await runners.getByText(/gitlab.yard.example does not answer; trying again in \d+ s/).waitFor();
  });
});

describe('the connection', () => {
  const isCut = (complaint: string) => complaint.includes('WebSocket connection to');

  it('says that it is lost, and comes back by itself with all that was missed', async () => {
    await using screen = await openScreen(browser, { isExpected: isCut });
    const { page, bench, server } = screen;
    await page.getByText('error budget').waitFor();
    server.isWelcoming = false;
    server.cutConnections();
    await page.getByText('Disconnected.').waitFor();
    expect(await page.getByRole('button', { name: 'Stop build:firmware' }).isDisabled()).toBe(true);
    expect(await page.getByRole('slider', { name: 'CPUs' }).getAttribute('data-disabled')).toBe('');
    bench.changeUnseen({ kind: 'lending', lending: { isEnabled: false, isLending: false, reasons: ['Missed.'] } });
    bench.appendTrace(buildId, stamped('written meanwhile'));
    server.isWelcoming = true;
    await page.getByText('Missed.').waitFor();
    await page.getByText('written meanwhile').waitFor();
    expect([await page.getByText('Disconnected.').count(), screen.complaints]).toEqual([0, []]);
  });

  it('tries at once when the user asks for it', async () => {
    await using screen = await openScreen(browser, { isExpected: isCut });
    const { page, server } = screen;
    await page.getByText('error budget').waitFor();
    server.isWelcoming = false;
    server.cutConnections();
    const retry = page.getByRole('button', { name: 'Try now' });
    // Late enough that the next try by itself is seconds away.
    await page.getByText(/Trying again in [23] s/).waitFor();
    server.isWelcoming = true;
    await retry.click();
    await page.getByText('Disconnected.').waitFor({ state: 'detached' });
  });

  it('asks again when an event is missing', async () => {
    await using screen = await openScreen(browser);
    const { page, bench } = screen;
    await page.getByText('error budget').waitFor();
    bench.changeUnseen({ kind: 'lending', lending: { isEnabled: true, isLending: false, reasons: ['On battery.'] } });
    bench.appendTrace(buildId, stamped('after the gap'));
    await page.getByText('On battery.').waitFor();
    await vi.waitFor(async () => expect((await drawnRows(page)).at(-1)).toBe('after the gap'));
    expect(bench.listenerCount).toBe(1);
  });
});

describe('the keyboard', () => {
  it('goes through the runs by arrows, and shows one by Enter', async () => {
    await using screen = await openScreen(browser);
    const { page } = screen;
    await page.getByText('error budget').waitFor();
    const focused = () => page.evaluate(() => document.activeElement?.querySelector('.item-title')?.textContent);
    await page.getByRole('region', { name: 'Machines' }).locator('[data-list-item]').first().focus();
    const seen: (string | null | undefined)[] = [await focused()];
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowUp', 'End']) {
      await page.keyboard.press(key);
      seen.push(await focused());
    }
    expect(seen).toEqual([
      'build:firmware',
      'test: [linux, 3.12]',
      'test: [linux, 3.12]',
      'build:firmware',
      'test: [linux, 3.12]',
    ]);
    await page.keyboard.press('Enter');
    await page.getByText(/No output yet/).waitFor();
  });

  it('reaches everything that can be used, one stop a list', async () => {
    await using screen = await openScreen(browser);
    const { page } = screen;
    await page.getByText('error budget').waitFor();
    const stops: string[] = [];
    while (!stops.at(-1)?.startsWith('Trace of') && stops.length < 30) {
      await page.keyboard.press('Tab');
      stops.push(
        await page.evaluate(() => {
          const element = document.activeElement;
          const labelledBy = element?.getAttribute('aria-labelledby') ?? null;
          const label = labelledBy === null ? null : document.getElementById(labelledBy);
          const title = element?.querySelector('.item-title');
          const words = element instanceof HTMLButtonElement ? element.labels[0]?.textContent : null;
          return (
            element?.getAttribute('aria-label') ?? (label ?? title)?.textContent ?? words ?? element?.textContent ?? ''
          );
        }),
      );
    }
    expect(stops).toEqual([
      'KVM',
      'Routed egress',
      'Keyboard help',
      'Lending this machine',
      'build:firmware',
      'Stop build:firmware',
      'Stop test: [linux, 3.12]',
      'CPUs',
      'Memory',
      'Disk',
      'Runs at once',
      'lint',
      'Trace',
      'Times',
      'Follow',
      'Copy the whole trace as text',
      'Download the whole trace',
      'Trace of build:firmware',
    ]);
  });

  it('shows what it can do, and closes that again', async () => {
    await using screen = await openScreen(browser);
    const { page } = screen;
    await page.getByText('error budget').waitFor();
    await page.keyboard.press('?');
    await page.getByText('Follow the end of the trace, or stay').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('Follow the end of the trace, or stay').waitFor({ state: 'detached' });
  });

  it('tells by focus why the machine runs as it does', async () => {
    await using screen = await openScreen(browser);
    const { page } = screen;
    await page.getByRole('button', { name: 'KVM' }).focus();
    expect(await page.getByRole('tooltip').textContent()).toBe(
      '/dev/kvm ran the 512-byte test guest in 3 ms. QEMU 10.1.2.',
    );
  });
});

describe('an empty bench', () => {
  it('explains how to connect a GitLab instance', async () => {
    await using screen = await openScreen(browser, { bench: new ScriptedBench(aBenchState()) });
    const { page } = screen;
    await page.getByText('No GitLab instance is connected yet.').waitFor();
    await page.getByText('~/.config/forrest-bench/config.yaml').waitFor();
    expect(screen.complaints).toEqual([]);
  });
});
