// The Normal world's side of the search for residue: calls with all general registers, and all vector registers at once.
.arch_extension fp
.arch_extension simd
.arch_extension sve
.arch_extension sme

    .pushsection .text, "ax"
// residue_call(x: *mut [u64; 31]): SMC with x0 to x30 out of memory, which go back there as the call leaves them.
    .global residue_call
residue_call:
    sub sp, sp, #112
    stp x19, x20, [sp]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    str x0, [sp, #96]
    ldp x2, x3, [x0, #16]
    ldp x4, x5, [x0, #32]
    ldp x6, x7, [x0, #48]
    ldp x8, x9, [x0, #64]
    ldp x10, x11, [x0, #80]
    ldp x12, x13, [x0, #96]
    ldp x14, x15, [x0, #112]
    ldp x16, x17, [x0, #128]
    ldp x18, x19, [x0, #144]
    ldp x20, x21, [x0, #160]
    ldp x22, x23, [x0, #176]
    ldp x24, x25, [x0, #192]
    ldp x26, x27, [x0, #208]
    ldp x28, x29, [x0, #224]
    ldr x30, [x0, #240]
    ldp x0, x1, [x0]
    smc #0
    stp x0, x1, [sp, #-16]!
    ldr x0, [sp, #112]
    stp x2, x3, [x0, #16]
    stp x4, x5, [x0, #32]
    stp x6, x7, [x0, #48]
    stp x8, x9, [x0, #64]
    stp x10, x11, [x0, #80]
    stp x12, x13, [x0, #96]
    stp x14, x15, [x0, #112]
    stp x16, x17, [x0, #128]
    stp x18, x19, [x0, #144]
    stp x20, x21, [x0, #160]
    stp x22, x23, [x0, #176]
    stp x24, x25, [x0, #192]
    stp x26, x27, [x0, #208]
    stp x28, x29, [x0, #224]
    str x30, [x0, #240]
    ldp x2, x3, [sp], #16
    stp x2, x3, [x0]
    ldp x19, x20, [sp]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    add sp, sp, #112
    ret

// residue_vectors_plant(seed: u64): every lane of Z0 to Z31 another value, P0 to P15 and FFR other lengths.
    .global residue_vectors_plant
residue_vectors_plant:
    mov x1, #7
    whilelo p0.b, xzr, x1
    wrffr p0.b
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    add x1, x0, #(\n * 64)
    index z\n\().d, x1, #1
    .endr
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    mov x1, #(\n * 3 + 1)
    whilelo p\n\().b, xzr, x1
    .endr
    ret

// residue_vectors(z: *mut u64, p: *mut u16): Z0 to Z31, then P0 to P15 and FFR, to memory; none is changed.
    .global residue_vectors
residue_vectors:
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    str z\n, [x0, #\n, mul vl]
    .endr
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    str p\n, [x1, #\n, mul vl]
    .endr
    rdffr p0.b
    str p0, [x1, #16, mul vl]
    ldr p0, [x1]
    ret

// residue_array_plant(row: *const u8), residue_array(rows: *mut u8, bytes: u64): ZA, each row of it alike.
    .global residue_array_plant
residue_array_plant:
    rdsvl x1, #1
    mov w12, #0
1:  ldr za[w12, #0], [x0]
    add w12, w12, #1
    cmp x12, x1
    b.lo 1b
    ret
    .global residue_array
residue_array:
    mov w12, #0
1:  str za[w12, #0], [x0]
    add x0, x0, x1
    add w12, w12, #1
    cmp x12, x1
    b.lo 1b
    ret
    .popsection

// What the Realm runs, at R-EL1 with the MMU off. It sees that nothing of the host's is left to it, plants its own in every
// register, and after each way out and back finds it as it was. x0: an unprotected address. Its structure for host calls is at
// IPA 0x2000: imm 0 is a way out, 1 one with an overflow of the performance monitors, 2 the end, 3 a finding, whose number is in
// gprs[0]. Copied to IPA 0, two pages.
    .macro host_call_of number
    mov w0, #\number
    strh w0, [x21]
    mov x0, #0x0199
    movk x0, #0xC400, lsl #16           // RSI_HOST_CALL
    mov x1, x21
    smc #0
    .endm

    .macro each_register do
    \do 0, tpidr_el0
    \do 1, tpidrro_el0
    \do 2, tpidr_el1
    \do 3, elr_el1
    \do 4, far_el1
    \do 5, sp_el0
    \do 6, ttbr0_el1
    \do 7, ttbr1_el1
    \do 8, mair_el1
    \do 9, par_el1
    \do 10, contextidr_el1
    \do 11, esr_el1
    \do 12, S3_0_C2_C1_0
    \do 13, S3_0_C2_C1_1
    \do 14, S3_0_C2_C1_2
    \do 15, S3_0_C2_C1_3
    \do 16, S3_0_C2_C2_0
    \do 17, S3_0_C2_C2_1
    \do 18, S3_0_C2_C2_2
    \do 19, S3_0_C2_C2_3
    \do 20, S3_0_C2_C3_0
    \do 21, S3_0_C2_C3_1
    \do 22, vbar_el1
    \do 23, cntv_cval_el0
    \do 24, cntp_cval_el0
    \do 25, cntkctl_el1
    \do 26, pmevcntr0_el0
    \do 27, pmevcntr3_el0
    \do 28, pmccntr_el0
    \do 29, pmccfiltr_el0
    \do 30, pmselr_el0
    \do 31, pmuserenr_el0
    \do 32, dbgbvr0_el1
    \do 33, dbgbvr1_el1
    \do 34, dbgwvr0_el1
    \do 35, dbgwvr1_el1
    .endm

    .macro not_the_hosts number, register
    mov x28, #\number
    mrs x9, \register
    lsr x9, x9, #48
    cmp x9, x27
    b.eq 9f
    .endm

    .macro plant number, register
    add x9, x26, #(\number * 0x10)
    msr \register, x9
    mrs x9, \register
    str x9, [x23, #(\number * 8)]
    .endm

    .macro kept number, register
    mov x28, #(0x100 + \number)
    mrs x9, \register
    ldr x10, [x23, #(\number * 8)]
    cmp x9, x10
    b.ne 9f
    .endm

    .macro each_lane do
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    \do \n
    .endr
    .endm

    .macro zero_lane n
    mov x28, #(0x200 + \n)
    cmpne p1.d, p0/z, z\n\().d, #0
    b.any 9f
    .endm

    .macro plant_lane n
    add x9, x26, #(\n * 0x40)
    index z\n\().d, x9, #1
    .endm

    .pushsection .rodata.residue, "a"
    .balign 4096
    .global residue_inside
residue_inside:
    mov x24, x0
    mov x21, #0x2000
    mov x23, #0x3000                    // what was planted in system registers; vectors come behind
    movz x27, #0xC0DE                   // the upper 16 bits of what the host plants
    movz x26, #0x5EC2, lsl #48
    movk x26, #0xE700, lsl #16
    mov x28, #0x400
    mrs x9, id_aa64pfr0_el1             // SVE is there
    ubfx x9, x9, #32, #4
    cbz x9, 9f
    mov x28, #0x410
    mrs x9, id_aa64dfr0_el1
    ubfx x10, x9, #8, #4                // performance monitors are there
    cbz x10, 9f
    ubfx x10, x9, #12, #4               // two breakpoints and two watchpoints, each less one
    cmp x10, #1
    b.ne 9f
    ubfx x10, x9, #20, #4
    cmp x10, #1
    b.ne 9f
    mov x28, #0x411
    mrs x9, pmcr_el0                    // four event counters
    ubfx x9, x9, #11, #5
    cmp x9, #4
    b.ne 9f
    mov x9, #(3 << 20 | 3 << 16)
    msr cpacr_el1, x9
    isb
    mov x9, #0xf
    msr S3_0_C1_C2_0, x9                // ZCR_EL1: as long as can be
    isb
    mov x28, #0x401
    rdvl x9, #1
    cmp x9, #64                         // which is as long as was asked for
    b.ne 9f
    mov x28, #0x430                     // the virtual interrupt controller: as after reset,
    mrs x9, S3_0_C4_C6_0                // ICC_PMR_EL1
    cbnz x9, 9f
    mov x28, #0x431
    mrs x9, S3_0_C12_C11_3              // ICC_RPR_EL1: nothing is active,
    cmp x9, #0xff
    b.ne 9f
    mov x9, #0xf0
    msr S3_0_C4_C6_0, x9
    mov x9, #5
    msr S3_0_C12_C12_3, x9              // ICC_BPR1_EL1
    mrs x29, S3_0_C12_C12_3
    mov x9, #1
    msr S3_0_C12_C12_7, x9              // ICC_IGRPEN1_EL1
    isb
    mov x28, #0x432
    mrs x9, S3_0_C12_C12_0              // ICC_IAR1_EL1: and what the host has given for this vCPU is pending,
    cmp x9, #27
    b.ne 9f
    mov x28, #0x433
    mrs x9, S3_0_C12_C12_2              // ICC_HPPIR1_EL1: nothing else
    mov x10, #1023
    cmp x9, x10
    b.ne 9f
    each_register not_the_hosts
    mov x28, #0x210
    rdffr p1.b
    ptrue p0.b
    ptest p0, p1.b
    b.any 9f
    each_lane zero_lane
    each_register plant
    each_lane plant_lane
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    mov x9, #(\n * 3 + 2)
    whilelo p\n\().b, xzr, x9
    .endr
    wrffr p5.b
    mov x20, #0
1:  cmp x20, #0
    b.ne 2f
    host_call_of 0
    b 7f
2:  cmp x20, #1
    b.ne 3f
    ldr w9, [x24]                       // the host emulates this read
    mov x28, #0x402
    mov w10, #0x7777
    cmp w9, w10
    b.ne 9f
    b 7f
3:  cmp x20, #2
    b.ne 4f
    wfi
    b 7f
4:  cmp x20, #3
    b.ne 5f
    mrs x9, cntvct_el0                  // the host's timer ends this, if only for a while
    mov x10, #0x1800000
    add x9, x9, x10
6:  mrs x10, cntvct_el0
    cmp x10, x9
    b.lo 6b
    b 7f
5:  mov x28, #0x403
    mov x0, #0x0193
    movk x0, #0xC400, lsl #16           // RSI_MEASUREMENT_EXTEND of REM 1 by 64 bytes
    mov x1, #1
    mov x2, #64
    smc #0
    cbnz x0, 9f
7:  each_register kept
    mov x28, #0x434
    mrs x9, S3_0_C4_C6_0
    cmp x9, #0xf0
    b.ne 9f
    mov x28, #0x435
    mrs x9, S3_0_C12_C12_3
    cmp x9, x29
    b.ne 9f
    mov x28, #0x436
    mrs x9, S3_0_C12_C11_3              // it is active still
    cmp x9, #0x80
    b.ne 9f
    mov x28, #0x437
    mrs x9, S3_0_C12_C12_2
    mov x10, #1023
    cmp x9, x10
    b.ne 9f
    add x9, x23, #0x400                 // Z and P at the length of the Realm, beside what they ought to be
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    str p\n, [x9, #\n, mul vl]
    .endr
    rdffr p1.b
    mov x28, #0x300
    ptrue p0.b
    eors p2.b, p0/z, p1.b, p5.b
    b.any 9f
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    mov x28, #(0x310 + \n)
    ldr p1, [x9, #\n, mul vl]
    mov x10, #(\n * 3 + 2)
    whilelo p2.b, xzr, x10
    eors p2.b, p0/z, p1.b, p2.b
    b.any 9f
    .endr
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    ldr p\n, [x9, #\n, mul vl]
    .endr
    add x9, x23, #0x800
    str z0, [x9, #0, mul vl]
    str z1, [x9, #1, mul vl]
    b 8f
9:  str x28, [x21, #8]
    host_call_of 3
    b 9b
8:  .irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    mov x28, #(0x220 + \n)
    add x10, x26, #(\n * 0x40)
    index z0.d, x10, #1
    ptrue p0.b
    cmpne p1.d, p0/z, z0.d, z\n\().d
    b.any 9b
    .endr
    ldr z0, [x9, #0, mul vl]
    mov x28, #0x220
    index z1.d, x26, #1
    cmpne p1.d, p0/z, z0.d, z1.d
    b.any 9b
    ldr z1, [x9, #1, mul vl]
    add x9, x23, #0x400
    ldr p0, [x9, #0, mul vl]
    ldr p1, [x9, #1, mul vl]
    ldr p2, [x9, #2, mul vl]
    add x20, x20, #1
    cmp x20, #5
    b.ne 1b

    mov x9, #27
    msr S3_0_C12_C12_1, x9              // ICC_EOIR1_EL1
    isb
    mov x28, #0x438
    mrs x9, S3_0_C12_C11_3
    cmp x9, #0xff
    b.ne 9b
    add x9, x23, #0x800                 // vectors: what happens is in x25, and the instruction is left out
    msr vbar_el1, x9
    ldr x10, 10f
    str x10, [x9, #0x200]
    ldr x10, 10f + 8
    str x10, [x9, #0x208]
    ldr x10, 10f + 16
    str x10, [x9, #0x210]
    b 11f
    .balign 8
10: mrs x25, esr_el1
    mrs x22, elr_el1
    add x22, x22, #4
    msr elr_el1, x22
    eret
    nop
11: isb
    msr daifclr, #8
    adr x9, 12f
    msr dbgbvr0_el1, x9
    mov x9, #0x1e3                      // EL1, all of the instruction
    msr dbgbcr0_el1, x9
    add x9, x23, #0x100
    msr dbgwvr1_el1, x9
    mov x9, #0x1ffb                     // EL1, loads and stores, eight bytes
    msr dbgwcr1_el1, x9
    mov x9, #(1 << 15 | 1 << 13)
    msr mdscr_el1, x9
    isb
    mov x20, #2
13: mov x28, #0x420
    mov x25, #-1
12: nop
    ubfx x9, x25, #26, #6
    cmp x9, #0x31
    b.ne 9b
    mov x28, #0x421
    mov x25, #-1
    ldr x9, [x23, #0x100]
    ubfx x9, x25, #26, #6
    cmp x9, #0x35
    b.ne 9b
    host_call_of 0                      // and again after a way out
    subs x20, x20, #1
    b.ne 13b
    msr mdscr_el1, xzr
    isb
    mov x28, #0x422
    mov x25, #-1
    msr dbgbvr2_el1, x9                 // what is not this Realm's is undefined
    lsr x9, x25, #26
    cbnz x9, 9b
    mov x28, #0x423
    mov x25, #-1
    mrs x9, dbgwcr2_el1
    lsr x9, x25, #26
    cbnz x9, 9b
    mov x28, #0x424
    mov x25, #-1
    mov x9, #(3 << 24 | 3 << 20 | 3 << 16)
    msr cpacr_el1, x9
    isb
    mrs x9, S3_3_C4_C2_2                // SVCR, of SME
    lsr x9, x25, #26
    cbnz x9, 9b

    mov x9, #-0x1000                    // cycles until they overflow
    msr pmccntr_el0, x9
    msr pmccfiltr_el0, xzr
    mov x9, #(1 << 31)
    msr pmintenset_el1, x9
    msr pmcntenset_el0, x9
    mov x9, #0x41
    msr pmcr_el0, x9
    isb
14: mrs x9, pmovsset_el0
    tbz x9, #31, 14b
    host_call_of 1
    mov x28, #0x425
    mrs x9, pmovsset_el0
    tbz x9, #31, 9b
    msr pmovsclr_el0, x9
    host_call_of 2
    mov x0, #0x0008
    movk x0, #0x8400, lsl #16           // PSCI_SYSTEM_OFF
    smc #0
    b 9b
    .global residue_inside_end
residue_inside_end:
    .popsection
