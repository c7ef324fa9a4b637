// R-EL2's exception vectors, and the way into a Realm and back.

.section .text, "ax"

.macro lower kind
    .balign 0x80
    stp     x0, x1, [sp, #-16]!
    mov     x1, #\kind
    b       realm_left
.endm

.macro fatal kind
    .balign 0x80
    mov     x0, #\kind
    b       fatal_exception
.endm

.balign 0x800
vectors:
    // Current EL with SP_EL0: never used.
    fatal   0
    fatal   1
    fatal   2
    fatal   3
    // Current EL with SP_EL2. Only a data abort of a guarded routine (cpu::guarded) on the Non-secure alias is expected, and one
    // of a translation for a vCPU.
    .balign 0x80
    sub     sp, sp, #16
    // Without a free register: bit 16 of SP is set on a sound stack. x0 and SP are as before afterwards.
    add     sp, sp, x0
    sub     x0, sp, x0
    tbz     x0, #16, stack_overflow
    sub     x0, sp, x0
    sub     sp, sp, x0
    stp     x0, x1, [sp]
    mrs     x0, elr_el2
    adrp    x1, guarded_start
    add     x1, x1, :lo12:guarded_start
    cmp     x0, x1
    b.lo    elsewhere
    adrp    x1, guarded_end
    add     x1, x1, :lo12:guarded_end
    cmp     x0, x1
    b.hs    elsewhere
    mrs     x0, esr_el2
    lsr     x0, x0, #26
    cmp     x0, #0x25                   // data abort from the same level
    b.ne    unexpected
    mrs     x0, far_el2
    tbz     x0, #38, unexpected         // not in the Non-secure alias: our own memory must not fault
    adrp    x0, guarded_landing
    add     x0, x0, :lo12:guarded_landing
    msr     elr_el2, x0
    ldp     x0, x1, [sp], #16
    eret
    fatal   5
    fatal   6
    fatal   7
    // Lower EL, AArch64.
    lower   0
    lower   1
    lower   2
    lower   3
    // Lower EL, AArch32.
    lower   0
    lower   1
    lower   2
    lower   3
    .balign 0x80

// A data abort outside the guarded routines, x0 = ELR_EL2: in a translation, what failed are the vCPU's own tables.
elsewhere:
    adrp    x1, realm_translate
    add     x1, x1, :lo12:realm_translate
    cmp     x0, x1
    b.lo    unexpected
    adrp    x1, translate_end
    add     x1, x1, :lo12:translate_end
    cmp     x0, x1
    b.hs    unexpected
    mrs     x0, esr_el2
    lsr     x0, x0, #26
    cmp     x0, #0x25                   // data abort from the same level
    b.ne    unexpected
    adrp    x0, translate_landing
    add     x0, x0, :lo12:translate_landing
    msr     elr_el2, x0
    ldp     x0, x1, [sp], #16
    eret

// fn realm_translate(address: u64, how: u64) -> u64
// Translates by stage 1 of the vCPU that is loaded; how: bit 0 to write, bit 1 as EL0. Gives PAR_EL1; bit 0: no translation.
.global realm_translate
realm_translate:
    tbnz    x1, #1, 2f
    tbnz    x1, #0, 1f
    at      s1e1r, x0
    b       4f
1:  at      s1e1w, x0
    b       4f
2:  tbnz    x1, #0, 3f
    at      s1e0r, x0
    b       4f
3:  at      s1e0w, x0
4:  isb
translate_end:
    mrs     x0, par_el1
    ret
translate_landing:
    mov     x0, #1
    ret

stack_overflow:
unexpected:
    mov     x0, #4
fatal_exception:
    adrp    x9, emergency_stack_end
    add     x9, x9, :lo12:emergency_stack_end
    mov     sp, x9
    mrs     x1, esr_el2
    mrs     x2, elr_el2
    mrs     x3, far_el2
    b       rmm_exception

// fn realm_enter(gprs: *mut [u64; 31]) -> u64
// Enters the Realm at ELR_EL2 and SPSR_EL2 with the registers given; comes back when it is left, with its registers
// saved in the same place, and says how: 0 synchronous, 1 IRQ, 2 FIQ, 3 SError.
.global realm_enter
realm_enter:
    sub     sp, sp, #112
    stp     x19, x20, [sp]
    stp     x21, x22, [sp, #16]
    stp     x23, x24, [sp, #32]
    stp     x25, x26, [sp, #48]
    stp     x27, x28, [sp, #64]
    stp     x29, x30, [sp, #80]
    str     x0, [sp, #96]
    ldp     x2, x3, [x0, #16]
    ldp     x4, x5, [x0, #32]
    ldp     x6, x7, [x0, #48]
    ldp     x8, x9, [x0, #64]
    ldp     x10, x11, [x0, #80]
    ldp     x12, x13, [x0, #96]
    ldp     x14, x15, [x0, #112]
    ldp     x16, x17, [x0, #128]
    ldp     x18, x19, [x0, #144]
    ldp     x20, x21, [x0, #160]
    ldp     x22, x23, [x0, #176]
    ldp     x24, x25, [x0, #192]
    ldp     x26, x27, [x0, #208]
    ldp     x28, x29, [x0, #224]
    ldr     x30, [x0, #240]
    ldp     x0, x1, [x0]
    eret
    dsb     nsh                         // no speculation past the way into the Realm
    isb

realm_left:
    ldr     x0, [sp, #112]
    stp     x2, x3, [x0, #16]
    stp     x4, x5, [x0, #32]
    stp     x6, x7, [x0, #48]
    stp     x8, x9, [x0, #64]
    stp     x10, x11, [x0, #80]
    stp     x12, x13, [x0, #96]
    stp     x14, x15, [x0, #112]
    stp     x16, x17, [x0, #128]
    stp     x18, x19, [x0, #144]
    stp     x20, x21, [x0, #160]
    stp     x22, x23, [x0, #176]
    stp     x24, x25, [x0, #192]
    stp     x26, x27, [x0, #208]
    stp     x28, x29, [x0, #224]
    str     x30, [x0, #240]
    ldp     x2, x3, [sp], #16
    stp     x2, x3, [x0]
    mov     x0, x1
    ldp     x19, x20, [sp]
    ldp     x21, x22, [sp, #16]
    ldp     x23, x24, [sp, #32]
    ldp     x25, x26, [sp, #48]
    ldp     x27, x28, [sp, #64]
    ldp     x29, x30, [sp, #80]
    add     sp, sp, #112
    ret

.section .bss, "aw", %nobits
    .balign 16
    .space  8192
emergency_stack_end:
