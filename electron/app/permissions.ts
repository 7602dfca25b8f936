/**
 * What our page may ask of the browser, each with the reason. Whatever is not listed is refused: camera, microphone,
 * screen capture, location, notifications (the main process shows its own), USB, HID, serial, MIDI, file system.
 */
const reasons: Readonly<Record<string, string>> = {
  'clipboard-sanitized-write': 'the copy buttons of traces, consoles and error messages',
};

/** @param permission Electron's name of a permission, as its request and check handlers get it. */
export function isPermitted(permission: string): boolean {
  return Object.hasOwn(reasons, permission);
}
