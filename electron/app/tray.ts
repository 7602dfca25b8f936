import { Menu, type MenuItemConstructorOptions, Tray } from 'electron';
import { trayIcon } from './tray-icon.ts';
import type { TrayLook, TrayView } from './tray-view.ts';

export interface TrayActions {
  /** `show` has to be called afterwards, also when it could not be done. */
  setLending(isEnabled: boolean): void;
  open(): void;
  quit(): void;
}

export interface TrayOptions extends TrayActions {
  iconsDirectory: string;
}

// A tray that is only held by a closure may be collected, and then vanishes from the panel.
let tray: Tray | undefined;

export interface TrayItem extends Disposable {
  show(view: TrayView): void;
  /** The menu as it is shown; trays cannot be listed, so tests ask here. */
  readonly menu: Menu;
}

/** Puts the item into the panel. There is one at a time. */
export function openTray(options: TrayOptions, first: TrayView): TrayItem {
  const icons = new Map<TrayLook, ReturnType<typeof trayIcon>>();
  const icon = (look: TrayLook) => {
    const known = icons.get(look) ?? trayIcon(options.iconsDirectory, look);
    icons.set(look, known);
    return known;
  };
  tray?.destroy();
  const item = new Tray(icon(first.look));
  tray = item;
  let shown: TrayView | undefined;
  let menu = Menu.buildFromTemplate([]);
  const show = (view: TrayView) => {
    if (item.isDestroyed() || isSame(view, shown)) return;
    if (view.look !== shown?.look) item.setImage(icon(view.look));
    item.setToolTip(`Forrest Bench: ${view.status}`);
    // On Linux a menu that is shown does not notice changes of its items; it has to be set again.
    menu = Menu.buildFromTemplate(template(view));
    item.setContextMenu(menu);
    shown = view;
  };
  const template = (view: TrayView): MenuItemConstructorOptions[] => [
    { id: 'status', label: view.status, enabled: false },
    { type: 'separator' },
    {
      id: 'lend',
      label: 'Lend this machine',
      type: 'checkbox',
      checked: view.isEnabled,
      click: ({ checked }) => {
        // The mark has moved by itself: the next view is shown whether or not it differs from the last one.
        shown = undefined;
        options.setLending(checked);
      },
    },
    { id: 'open', label: 'Open', click: () => options.open() },
    { type: 'separator' },
    { id: 'quit', label: 'Quit…', click: () => options.quit() },
  ];
  show(first);
  // Some panels send clicks, others only open the menu; nothing depends on it.
  item.on('click', () => options.open());
  return {
    show,
    get menu() {
      return menu;
    },
    [Symbol.dispose]: () => {
      if (tray === item) tray = undefined;
      if (!item.isDestroyed()) item.destroy();
    },
  };
}

function isSame(view: TrayView, shown: TrayView | undefined): boolean {
  return view.look === shown?.look && view.status === shown.status && view.isEnabled === shown.isEnabled;
}
