; The guest of the accelerator probe: a 512-byte boot sector that asks of an accelerator what a kernel asks.
; Why each part is there stands in README.md beside this file. Assemble: nasm -f bin -o probe.bin probe.asm
; Prints W, X and FBPROBE64 on the serial port, one per part, then ends QEMU through isa-debug-exit with status 33.

%define SERIAL     0x3f8
%define DEBUG_EXIT 0xf4
%define ROUNDS     20000000

bits 16
org 0x7c00
start:
  cli
  xor ax, ax
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov sp, 0x7c00
  in al, 0x92                     ; A20 gate
  or al, 2
  out 0x92, al

  ; Page tables: PML4 at 0x1000, PDPT at 0x2000, PD at 0x3000; the first 4 MiB map to themselves.
  xor ax, ax
  mov di, 0x1000
  mov cx, 0x1800
  rep stosw
  mov dword [0x1000], 0x2003
  mov dword [0x2000], 0x3003
  mov dword [0x3000], 0x83
  mov dword [0x3008], 0x200083

  ; Interrupt table at 0x4000 with one gate: vector 0x20, the timer.
  mov di, 0x4000
  mov cx, 0x800
  rep stosw
  mov word [0x4000 + 0x20*16], timer
  mov word [0x4000 + 0x20*16 + 2], 0x08
  mov word [0x4000 + 0x20*16 + 4], 0x8e00

  ; Both interrupt controllers moved to vectors 0x20 and 0x28, everything masked but the timer.
  mov al, 0x11
  out 0x20, al
  out 0xa0, al
  mov al, 0x20
  out 0x21, al
  mov al, 0x28
  out 0xa1, al
  mov al, 4
  out 0x21, al
  mov al, 2
  out 0xa1, al
  mov al, 1
  out 0x21, al
  out 0xa1, al
  mov al, 0xfe
  out 0x21, al
  mov al, 0xff
  out 0xa1, al

  ; Timer channel 0 as a rate generator of 1 kHz.
  mov al, 0x34
  out 0x43, al
  mov ax, 1193
  out 0x40, al
  mov al, ah
  out 0x40, al

  ; Into long mode with paging.
  lgdt [gdt_pointer]
  lidt [idt_pointer]
  mov eax, 0xa0                   ; CR4: PAE and PGE
  mov cr4, eax
  mov eax, 0x1000
  mov cr3, eax
  mov ecx, 0xc0000080             ; EFER: LME
  rdmsr
  or eax, 0x100
  wrmsr
  mov eax, 0x80000001             ; CR0: PG and PE
  mov cr0, eax
  jmp 0x08:long_mode

bits 64
long_mode:
  mov ax, 0x10
  mov ds, ax
  mov ss, ax
  mov es, ax
  mov esp, 0x7c00

  ; Part W: ring-0 work that reads, changes and writes memory.
  mov ecx, ROUNDS
  mov edi, 0x8000
.work:
  add [rdi], ecx
  xor eax, ecx
  rol eax, 3
  dec ecx
  jnz .work
  mov al, 'W'
  mov dx, SERIAL
  out dx, al

  ; Part X: exits to the hypervisor, and address space reloads.
  mov edi, 500
.exits:
  xor eax, eax
  cpuid
  mov rax, cr3
  mov cr3, rax
  dec edi
  jnz .exits
  mov al, 'X'
  mov dx, SERIAL
  out dx, al

  ; Last part: sleep until 20 timer interrupts have come.
  xor ebx, ebx
  sti
.sleep:
  hlt
  cmp ebx, 20
  jb .sleep
  cli
  mov esi, message
  mov dx, SERIAL
.print:
  lodsb
  test al, al
  jz .done
  out dx, al
  jmp .print
.done:
  mov dx, DEBUG_EXIT
  mov al, 0x10                    ; isa-debug-exit makes (value << 1) | 1 of it: 33
  out dx, al
.halt:
  hlt
  jmp .halt

timer:
  push rax
  inc ebx
  mov al, 0x20                    ; end of interrupt
  out 0x20, al
  pop rax
  iretq

message: db 'FBPROBE64', 10, 0
align 8
gdt: dq 0, 0x00209a0000000000, 0x0000920000000000
gdt_pointer:
  dw 23
  dd gdt
idt_pointer:
  dw 0x7ff
  dd 0x4000

times 510 - ($ - $$) db 0
dw 0xaa55
