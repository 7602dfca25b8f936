/** The module `electron` of the main process; what is not exported here cannot be imported. */
export { app } from './app.ts';
export { BrowserWindow, webContents } from './browser-window.ts';
export { ipcMain } from './ipc-main.ts';
export { Menu, MenuItem } from './menu.ts';
export { nativeImage } from './native-image.ts';
export { protocol, session } from './session.ts';
export { dialog, powerMonitor, safeStorage, shell } from './system.ts';
export { Tray } from './tray.ts';
