import { Switch } from 'radix-ui';
import { useState } from 'react';
import { toWireError, type WireError } from '../../../electron/contract/errors.ts';
import { useBench, useBenchState, useIsLive } from '../../mirror/bench-context.tsx';
import { ErrorNote } from '../../ui/error-note.tsx';

/** The owner's switch. What it says is what holds, which may be less than what is switched. */
export function LendingSwitch() {
  const { client } = useBench();
  const lending = useBenchState((state) => state.lending);
  const isLive = useIsLive();
  const [wanted, setWanted] = useState<boolean | null>(null);
  const [error, setError] = useState<WireError | null>(null);

  async function change(isEnabled: boolean) {
    setWanted(isEnabled);
    setError(null);
    try {
      await client.call('lending.set', { isEnabled });
    } catch (failure) {
      setError(toWireError(failure));
    } finally {
      setWanted(null);
    }
  }

  return (
    <div className="lending">
      <label className="lending-label" htmlFor="lending-switch">
        {lending.isLending ? 'Lending this machine' : 'Not lending'}
      </label>
      <Switch.Root
        id="lending-switch"
        className={lending.isEnabled && !lending.isLending ? 'switch switch-held' : 'switch'}
        checked={wanted ?? lending.isEnabled}
        disabled={!isLive || wanted !== null}
        onCheckedChange={(isEnabled) => void change(isEnabled)}
      >
        <Switch.Thumb className="switch-thumb" />
      </Switch.Root>
      {error !== null && <ErrorNote error={error} />}
    </div>
  );
}

/** Why no job would be taken now. */
export function LendingReasons() {
  const { isLending, reasons } = useBenchState((state) => state.lending);
  if (isLending || reasons.length === 0) return null;
  return (
    <ul className="lending-reasons" aria-label="Why this machine is not lent">
      {reasons.map((reason) => (
        <li key={reason}>{reason}</li>
      ))}
    </ul>
  );
}
