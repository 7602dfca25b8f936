import { CircleQuestionMark } from 'lucide-react';
import { Popover } from 'radix-ui';
import { useState } from 'react';
import { useHotkey } from '../../ui/use-hotkey.ts';

const keys: readonly (readonly [string, string])[] = [
  ['↑ ↓', 'Go through a list; Home and End to its ends'],
  ['Enter', 'Show the trace of the focused run'],
  ['f', 'Follow the end of the trace, or stay'],
  ['PgUp PgDn', 'Scroll the focused trace'],
  ['?', 'This list'],
  ['Esc', 'Close what is open'],
];

/** The keys, in a popover of the header. */
export function Help() {
  const [isOpen, setOpen] = useState(false);
  useHotkey('?', () => setOpen((open) => !open));
  return (
    <Popover.Root open={isOpen} onOpenChange={setOpen}>
      <Popover.Trigger asChild>
        <button type="button" className="icon-button" aria-label="Keyboard help">
          <CircleQuestionMark size={16} aria-hidden="true" />
        </button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className="popover" sideOffset={8} collisionPadding={8} align="end" aria-label="Keys">
          <h2>Keys</h2>
          <dl className="keys">
            {keys.map(([key, what]) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
