import { useBenchState } from '../../mirror/bench-context.tsx';
import { Mark } from '../../ui/icons.tsx';
import { Help } from './help.tsx';
import { HostBadges } from './host-badges.tsx';
import { LendingReasons, LendingSwitch } from './lending-switch.tsx';

export function Header() {
  const version = useBenchState((state) => state.version);
  return (
    <header className="header">
      <div className="brand">
        <Mark />
        <h1>Forrest Bench</h1>
        <span className="muted small">{version}</span>
      </div>
      <HostBadges />
      <Help />
      <LendingSwitch />
      <LendingReasons />
    </header>
  );
}
