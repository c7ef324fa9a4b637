// Entry of CPU 0, from the monitor: NS-EL2, MMU off. The count at the first instruction goes to Rust.
    .pushsection .text.entry, "ax"
    .global bench_entry
bench_entry:
    mrs x20, cntpct_el0
    msr daifset, #15
    ldr x1, =__bss
    ldr x2, =__bss_end
1:  cmp x1, x2
    b.hs 2f
    stp xzr, xzr, [x1], #16
    b 1b
2:  ldr x1, =__stack_end
    mov sp, x1
    ldr x1, =bench_vectors
    msr vbar_el2, x1
    isb
    mov x29, #0
    mov x30, #0
    mov x0, x20
    b bench_start

// The other CPUs, by PSCI CPU_ON with their number; each has a stack beyond the first's.
    .global bench_other
bench_other:
    msr daifset, #15
    ldr x1, =__stack_end
    add x1, x1, x0, lsl #17
    mov sp, x1
    ldr x1, =bench_vectors
    msr vbar_el2, x1
    isb
    mov x29, #0
    mov x30, #0
    b stress_other
    .ltorg
    .popsection
