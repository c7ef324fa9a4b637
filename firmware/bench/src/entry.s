.arch_extension fp
.arch_extension simd
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
    .ltorg
    .popsection

// bench_canaries(): gives V0 to V31 values that nobody else does. bench_canaries_kept() -> u64: 1 if they still have them.
    .pushsection .text, "ax"
    .global bench_canaries
bench_canaries:
    ldr x0, =0xC0DE0123456789A0
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    add x1, x0, #\n
    dup v\n\().2d, x1
    .endr
    ret
    .global bench_canaries_kept
bench_canaries_kept:
    ldr x2, =0xC0DE0123456789A0
    mov x0, #0
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    add x1, x2, #\n
    umov x3, v\n\().d[0]
    umov x4, v\n\().d[1]
    cmp x1, x3
    ccmp x1, x4, #0, eq
    b.ne 1f
    .endr
    mov x0, #1
1:  ret
    .ltorg
    .popsection
