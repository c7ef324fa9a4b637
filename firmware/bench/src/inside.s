// What the Realm runs, at R-EL1 with the MMU off: it times its calls by the virtual counter and tells the host by
// RSI_HOST_CALL. Its structure is at IPA 0x1000: imm 0 has no meaning, imm 1 has a time in gprs[0] of row gprs[1], imm 2
// is the end; after imm 3 it makes tokens and tells nothing. x0 is how often each is done, x1 an unprotected address, x2 how
// often a token is made, x3 how often after imm 3.
// Position-independent; copied to IPA 0.

    .macro host_call
    mov x0, #0x0199
    movk x0, #0xC400, lsl #16           // RSI_HOST_CALL
    mov x1, x21
    smc #0
    .endm

    // Tells the host the time from x22 to x23 of a row.
    .macro tell row
    sub x23, x23, x22
    mov x0, #1
    strh w0, [x21]
    mov x0, #\row
    stp x23, x0, [x21, #8]
    host_call
    .endm

    // Makes a token of the challenge x20; x22 and x23 are when it began and ended.
    .macro make_token
    mov x0, #0x0194
    movk x0, #0xC400, lsl #16           // RSI_ATTESTATION_TOKEN_INIT
    mov x1, x20
    mov x2, x20
    mov x3, x20
    mov x4, x20
    mov x5, x20
    mov x6, x20
    mov x7, x20
    mov x8, x20
    mrs x22, cntvct_el0
    smc #0
    cbnz x0, 9f
1:  mov x0, #0x0195
    movk x0, #0xC400, lsl #16           // RSI_ATTESTATION_TOKEN_CONTINUE
    mov x1, #0x2000
    mov x2, #0
    mov x3, #0x1000
    smc #0
    cmp x0, #3                          // RSI_INCOMPLETE
    b.eq 1b
    mrs x23, cntvct_el0
    cbnz x0, 9f
    .endm

    .arch_extension fp
    .arch_extension simd
    .pushsection .rodata.inside, "a"
    .balign 4096
    .global bench_inside
bench_inside:
    mov x19, x0
    mov x24, x1
    mov x25, x2
    mov x26, x3
    mov x21, #0x1000

    add x20, x19, #1                    // one more: only the second entry completes a call
1:  strh wzr, [x21]
    host_call
    subs x20, x20, #1
    b.ne 1b

    mov x20, x19
2:  mov x0, #0x0190
    movk x0, #0xC400, lsl #16           // RSI_VERSION
    mov x1, #0x10000
    mrs x22, cntvct_el0
    smc #0
    mrs x23, cntvct_el0
    tell 0
    subs x20, x20, #1
    b.ne 2b

    mov x20, x19
3:  mrs x22, cntvct_el0
    ldr w0, [x24]
    mrs x23, cntvct_el0
    tell 1
    subs x20, x20, #1
    b.ne 3b

    mov x9, #(3 << 20)
    msr cpacr_el1, x9                   // FP and SIMD do not trap
    isb
    mov x20, x19
4:  .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    add x9, x20, #\n                   // V0 to V31 hold values made of x20, which the RMM has to keep
    dup v\n\().2d, x9
    .endr
    mov x0, #0x0193
    movk x0, #0xC400, lsl #16           // RSI_MEASUREMENT_EXTEND of REM 1 by 32 bytes
    mov x1, #1
    mov x2, #32
    mov x3, x20
    mov x4, x20
    mov x5, x20
    mov x6, x20
    mrs x22, cntvct_el0
    smc #0
    mrs x23, cntvct_el0
    cbnz x0, 9f
    mov x0, #-1
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    add x9, x20, #\n
    umov x10, v\n\().d[0]
    umov x11, v\n\().d[1]
    cmp x9, x10
    ccmp x9, x11, #0, eq
    b.ne 9f
    .endr
    tell 2
    subs x20, x20, #1
    b.ne 4b

    mov x20, x25
5:  make_token
    tell 3
    subs x20, x20, #1
    b.ne 5b

    mov x0, #3                          // more tokens, which the host interrupts
    strh w0, [x21]
    host_call
    mov x20, x26
6:  make_token
    subs x20, x20, #1
    b.ne 6b

9:  str x0, [x21, #8]                   // zero from the last host call, or what was refused
    mov x0, #2
    strh w0, [x21]
    host_call
    b 9b
    .global bench_inside_end
bench_inside_end:
    .popsection
