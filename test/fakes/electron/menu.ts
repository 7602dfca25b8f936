import { EventEmitter } from 'node:events';
import type { KeyboardEvent, MenuItemConstructorOptions } from 'electron';
import { standIn, strictClass } from './strict.ts';

type Click = NonNullable<MenuItemConstructorOptions['click']>;

class DoubleMenuItem {
  readonly id: string;
  readonly type: 'normal' | 'separator' | 'checkbox';
  readonly label: string;
  enabled: boolean;
  checked: boolean;
  readonly #click: Click | undefined;

  constructor(options: MenuItemConstructorOptions) {
    const type = options.type ?? 'normal';
    if (type !== 'normal' && type !== 'separator' && type !== 'checkbox') {
      throw new Error(`electron double: menu items of type ${type} are not implemented`);
    }
    this.id = options.id ?? '';
    this.type = type;
    this.label = options.label ?? '';
    this.enabled = options.enabled ?? true;
    this.checked = options.checked ?? false;
    this.#click = options.click;
  }

  /** As a user's click: the check mark moves by itself, before the listener is called. */
  click(): void {
    if (!this.enabled) return;
    if (this.type === 'checkbox') this.checked = !this.checked;
    this.#click?.(standIn<Parameters<Click>[0]>(this), undefined, standIn<KeyboardEvent>({}));
  }
}

class DoubleMenu extends EventEmitter {
  readonly items: readonly DoubleMenuItem[];

  constructor(items: readonly DoubleMenuItem[] = []) {
    super();
    this.items = items;
  }

  getMenuItemById(id: string): DoubleMenuItem | null {
    return this.items.find((item) => item.id === id) ?? null;
  }

  static buildFromTemplate(template: MenuItemConstructorOptions[]): DoubleMenu {
    return new Menu(template.map((options) => new MenuItem(options)));
  }

  /** Windows have no frame here, so their menu is nowhere. */
  static setApplicationMenu(_menu: DoubleMenu | null): void {}
}

export const MenuItem = strictClass('MenuItem', DoubleMenuItem);
export const Menu = strictClass('Menu', DoubleMenu);
