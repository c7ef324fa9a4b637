// Entry of CPU 0, from the monitor, and of the others, from PSCI CPU_ON. NS-EL2, MMU off.
    .pushsection .text.entry, "ax"
    .global host_entry
host_entry:
    msr daifset, #15
    msr spsel, #1
    ldr x1, =__bss
    ldr x2, =__bss_end
1:  cmp x1, x2
    b.hs 2f
    stp xzr, xzr, [x1], #16
    b 1b
2:  mov x19, #0
    b 3f

    .global host_secondary_entry
host_secondary_entry:
    msr daifset, #15
    msr spsel, #1
    // PSCI's context id is this CPU's number.
    mov x19, x0
3:  ldr x1, =__stacks + 0x20000
    add x1, x1, x19, lsl #17
    mov sp, x1
    ldr x1, =host_vectors
    msr vbar_el2, x1
    isb
    mov x29, #0
    mov x30, #0
    mov x0, x19
    b host_start
    .ltorg
    .popsection

// Accesses that may fault. x0 is the address; the exception handler resumes at probe_landing.
    .pushsection .text.probe, "ax"
    .balign 4
    .global probe_read
probe_read:
    stp x29, x30, [sp, #-16]!
    ldr x1, [x0]
    b probe_landing
    .global probe_write
probe_write:
    stp x29, x30, [sp, #-16]!
    str x1, [x0]
    b probe_landing
    .global probe_execute
probe_execute:
    stp x29, x30, [sp, #-16]!
    blr x0
    .global probe_landing
probe_landing:
    ldp x29, x30, [sp], #16
    mov x0, x1
    ret
    .popsection
