// First instructions of the RMM on every CPU: R-EL2, MMU off, DAIF masked.
// x0 CPU, x1 interface version, x2 number of CPUs, x3 shared page (cold); x0 CPU, the rest 0 (warm).

.section .text.entry, "ax"
.global rmm_entry
rmm_entry:
    adrp    x9, vectors
    add     x9, x9, :lo12:vectors
    msr     vbar_el2, x9
    isb

    cmp     x0, #4                      // abi::map::MAX_CPUS: there is no stack for more
    b.hs    3f
    adrp    x9, __stacks
    add     x10, x0, #1
    add     x9, x9, x10, lsl #17
    mov     sp, x9
    mov     x29, xzr
    mov     x30, xzr

    adrp    x9, WARM
    ldr     w10, [x9, :lo12:WARM]
    cbnz    w10, rmm_warm

    // Lines that were cached of this memory before the RMM lived here must not come back over what follows.
    adrp    x9, __text
    adrp    x10, __bss_end
1:  dc      civac, x9
    add     x9, x9, #16                 // the smallest line there is
    cmp     x9, x10
    b.lo    1b
    dsb     sy

    adrp    x9, __bss
2:  cmp     x9, x10
    b.hs    rmm_cold
    stp     xzr, xzr, [x9], #16
    b       2b

3:  wfi
    b       3b
