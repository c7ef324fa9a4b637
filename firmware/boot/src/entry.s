// Reset, parking, and the last steps of boot. Everything here runs at EL3 with the MMU off.

.equ MAILBOX,      0x0E000000
.equ BOOT_RAM,     0x0EF00000
.equ BOOT_RAM_END, 0x0F000000
.equ WAKE_SGI,     15

.section .text.entry, "ax"
.global boot_entry
boot_entry:                             // the frame that rot::boot reads: 56 bytes
    b       reset
    .word   0
    .ascii  "ALLODBT1"
    .quad   __image_end
    .global boot_version
boot_version:
    VERSION_TEXT
    .zero   32 - (. - boot_version)

reset:                                  // every CPU
    adr     x0, vectors_page
    msr     vbar_el3, x0
    msr     daifset, #0xf
    ldr     x0, =0x30C50830             // SCTLR_EL3: RES1 bits, MMU and caches off
    msr     sctlr_el3, x0
    mov     x0, #0x430                  // SCR_EL3: Secure below, AArch64 below, RES1 bits
    msr     scr_el3, x0
    msr     cptr_el3, xzr               // vector registers do not trap: cpu::sha2
    isb
    mrs     x0, mpidr_el1
    ldr     x1, =0xFF00FFFFFF
    ands    x0, x0, x1
    b.ne    park

    ldr     x0, =MAILBOX                // no CPU may find an address of before a reset
    add     x1, x0, #0x1000
    bl      wipe
    ldr     x0, =BOOT_RAM
    ldr     x1, =BOOT_RAM_END
    bl      wipe
    mov     sp, x1
    mov     x29, xzr
    mov     x30, xzr
    b       boot_main

// Writes zero from x0 to x1, multiples of 16; clobbers x0.
wipe:
    stp     xzr, xzr, [x0], #16
    cmp     x0, x1
    b.lo    wipe
    ret

// A CPU that is not the first: x0 = its number. Sleeps until secure SGI 15, and only that, has been acknowledged.
park:
    mov     x2, #0xf
    msr     S3_6_C12_C12_5, x2          // ICC_SRE_EL3
    isb
    mov     x2, #0xff
    msr     S3_0_C4_C6_0, x2            // ICC_PMR_EL1
    mov     x2, #3
    msr     S3_6_C12_C12_7, x2          // ICC_IGRPEN1_EL3
    isb
    ldr     x3, =MAILBOX
1:  dsb     sy
    wfi
    mrs     x2, S3_0_C12_C12_0          // ICC_IAR1_EL1
    dsb     sy
    and     x2, x2, #0xffffff
    cmp     x2, #1020
    b.hs    1b                          // nothing was pending
    msr     S3_0_C12_C12_1, x2          // ICC_EOIR1_EL1
    isb
    cmp     x2, #WAKE_SGI
    b.ne    1b
    ldr     x4, [x3, x0, lsl #3]
    cbz     x4, 1b
    ic      iallu
    dsb     sy
    isb
    br      x4

// boot_leave(entry, handover) -> !: wipes all that boot had in RAM and enters the monitor with x0 = handover.
.section .text.leave, "ax"
.global boot_leave
boot_leave:
    mov     x20, x0
    mov     x21, x1
    ldr     x0, =BOOT_RAM
    ldr     x1, =BOOT_RAM_END
1:  dc      civac, x0
    add     x0, x0, #16                 // the smallest line there is
    cmp     x0, x1
    b.lo    1b
    dsb     sy
    ldr     x2, =0x30C50830
    msr     sctlr_el3, x2
    isb
    tlbi    alle3
    ic      iallu
    dsb     sy
    isb
    ldr     x0, =BOOT_RAM
    bl      wipe
    dsb     sy
    msr     S3_3_C4_C2_5, xzr           // PSTATE.DIT
    mov     x0, x21
    .irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,21,22,23,24,25,26,27,28,29
    mov     x\n, xzr
    .endr
    mov     sp, x1
    mov     x30, xzr
    br      x20

// Any exception: boot expects none. Takes a fresh stack and says what happened; a CPU that is not the first only sleeps.
.section .text.fault, "ax"
boot_fault:
    mrs     x0, mpidr_el1
    tst     x0, #0xffffff
    b.eq    2f
1:  wfi
    b       1b
2:  ldr     x3, =BOOT_RAM_END
    mov     sp, x3
    mrs     x0, esr_el3
    mrs     x1, elr_el3
    mrs     x2, far_el3
    b       boot_report
