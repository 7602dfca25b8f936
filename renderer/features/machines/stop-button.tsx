import { Square } from 'lucide-react';
import { AlertDialog } from 'radix-ui';
import { useState } from 'react';
import { toWireError, type WireError } from '../../../electron/contract/errors.ts';
import type { RunView } from '../../../electron/contract/state.ts';
import { useBench, useIsLive } from '../../mirror/bench-context.tsx';
import { ErrorNote } from '../../ui/error-note.tsx';

type Stopping = { kind: 'no' } | { kind: 'asked' } | { kind: 'refused'; error: WireError };

/** Ends a run, after asking whether that is meant. */
export function StopButton({ run }: { run: RunView }) {
  const { client } = useBench();
  const isLive = useIsLive();
  const [isOpen, setOpen] = useState(false);
  const [stopping, setStopping] = useState<Stopping>({ kind: 'no' });
  const isEnding = run.phase === 'finishing' || (run.phase === 'running' && run.isCanceling);

  async function stop() {
    setStopping({ kind: 'asked' });
    try {
      await client.call('run.stop', { runId: run.id });
      setOpen(false);
    } catch (error) {
      setStopping({ kind: 'refused', error: toWireError(error) });
    }
  }

  return (
    <AlertDialog.Root
      open={isOpen}
      onOpenChange={(open) => {
        setOpen(open);
        if (open) setStopping({ kind: 'no' });
      }}
    >
      <AlertDialog.Trigger asChild>
        <button
          type="button"
          className="button button-quiet"
          disabled={!isLive || isEnding}
          aria-label={`Stop ${run.job.name}`}
        >
          <Square size={12} aria-hidden="true" />
          {isEnding ? 'Ending' : 'Stop'}
        </button>
      </AlertDialog.Trigger>
      <AlertDialog.Portal>
        {/* Radix's own overlay locks scrolling with a style element, which the page's policy refuses. */}
        <div className="backdrop" />
        <AlertDialog.Content className="dialog">
          <AlertDialog.Title>Stop “{run.job.name}”?</AlertDialog.Title>
          <AlertDialog.Description>
            The machine of {run.job.projectPath} ({run.job.ref}) ends at once, and what the job has not uploaded is
            lost. GitLab is told that it was stopped here.
          </AlertDialog.Description>
          {stopping.kind === 'refused' && <ErrorNote error={stopping.error} />}
          <div className="dialog-buttons">
            <AlertDialog.Cancel asChild>
              <button type="button" className="button">
                Let it run
              </button>
            </AlertDialog.Cancel>
            <button
              type="button"
              className="button button-danger"
              disabled={stopping.kind === 'asked'}
              onClick={() => void stop()}
            >
              {stopping.kind === 'asked' ? 'Stopping' : 'Stop the job'}
            </button>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
