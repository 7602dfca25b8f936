/** What the tiny kernel does after it has printed its text. */
export type TinyKernelEnd = 'waits' | 'powers-off' | 'resets';

const headerAt = 0x1f1;
const codeAt = 0x280;
/** One boot sector and one sector of setup, then what would be the kernel proper. */
const setupBytes = 1024;

/**
 * A kernel of 1.5 KiB that a real QEMU boots in half a second: the real-mode part of a Linux kernel image with a few
 * lines of code in it. It prints `text` (ASCII) on the serial port, then does as told.
 * @see https://docs.kernel.org/arch/x86/boot.html
 */
export function tinyKernel(text: string, end: TinyKernelEnd): Uint8Array {
  const image = new Uint8Array(setupBytes + 512);
  const view = new DataView(image.buffer);
  image[headerAt] = 1; // setup_sects
  view.setUint16(0x1fe, 0xaa55, true); // boot_flag
  image.set([0xeb, codeAt - 0x202], 0x200); // jmp over the header
  image.set(new TextEncoder().encode('HdrS'), 0x202);
  view.setUint16(0x206, 0x020c, true); // protocol version
  image[0x211] = 0x01; // loadflags: LOADED_HIGH
  view.setUint32(0x22c, 0x7fff_ffff, true); // initrd_addr_max
  const finish: Record<TinyKernelEnd, number[]> = {
    waits: [],
    // mov dx, 0x604; mov ax, 0x2000; out dx, ax: ACPI power off of q35
    'powers-off': [0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef],
    // mov dx, 0xcf9; mov al, 6; out dx, al: reset
    resets: [0xba, 0xf9, 0x0c, 0xb0, 0x06, 0xee],
  };
  const print = [0xba, 0xf8, 0x03, 0xbe, 0, 0, 0xac, 0x84, 0xc0, 0x74, 0x03, 0xee, 0xeb, 0xf8];
  // cli; hlt; jmp to the hlt
  const code = [0xfa, ...print, ...finish[end], 0xf4, 0xeb, 0xfd];
  const textAt = codeAt + code.length;
  code.splice(5, 2, textAt & 0xff, textAt >> 8); // mov si, text
  image.set(code, codeAt);
  image.set(new TextEncoder().encode(text), textAt);
  if (textAt + text.length >= setupBytes) throw new RangeError('the text does not fit into the tiny kernel');
  return image;
}
