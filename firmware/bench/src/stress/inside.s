// What Realms run under stress, at R-EL1 with the MMU off: calls and accesses at random, for ever. x0: a seed. A page of its own,
// wherever it lies: faults leave the instruction out.

    .macro rsi number
    mov x0, #\number
    b 3f
    .endm

    .macro psci number
    mov x0, #\number
    b 4f
    .endm

    .macro case
    .balign 32
    .endm

    .pushsection .rodata.stress, "a"
    .balign 4096
    .global stress_inside
stress_inside:
    orr x19, x0, #1
    adr x9, stress_vectors
    msr vbar_el1, x9
    isb
1:  eor x19, x19, x19, lsl #13
    eor x19, x19, x19, lsr #7
    eor x19, x19, x19, lsl #17
    ubfx x11, x19, #20, #3              // x11, x12: a page of the Realm's own, and one that is not
    lsl x11, x11, #12
    ubfx x12, x19, #24, #1
    orr x11, x11, x12, lsl #21
    mov x12, #1
    orr x12, x11, x12, lsl #38
    and x9, x19, #0xf
    adr x10, 2f
    add x10, x10, x9, lsl #5
    mov x1, x11
    br x10
    case
2:  ubfx x1, x19, #30, #2
    rsi 0x0190                          // RSI_VERSION
    case
    rsi 0x0199                          // RSI_HOST_CALL
    case
    ubfx x9, x19, #28, #3
    add x2, x11, x9, lsl #12
    ubfx x3, x19, #32, #1
    ubfx x4, x19, #33, #1
    rsi 0x0197                          // RSI_IPA_STATE_SET
    case
    ubfx x9, x19, #28, #3
    add x2, x11, x9, lsl #12
    rsi 0x0198                          // RSI_IPA_STATE_GET
    case
    ubfx x1, x19, #28, #3
    ubfx x2, x19, #32, #7
    rsi 0x0193                          // RSI_MEASUREMENT_EXTEND
    case
    ubfx x1, x19, #28, #3
    rsi 0x0192                          // RSI_MEASUREMENT_READ
    case
    rsi 0x0196                          // RSI_REALM_CONFIG
    case
    ldr x9, [x11]
    b 1b
    case
    str x19, [x11, #0xff8]
    b 1b
    case
    ldr w9, [x12]
    b 1b
    case
    str w19, [x12, #0x10]
    b 1b
    case
    wfi
    b 1b
    case
    ubfx x1, x19, #28, #2
    mov x2, x11
    mov x3, x19
    psci 0x0003                         // PSCI_CPU_ON
    case
    ubfx x1, x19, #28, #2
    mov x2, #0
    psci 0x0004                         // PSCI_AFFINITY_INFO
    case
    tst x19, #(0xf << 40)
    b.ne 1b
    mov x0, #0x0002                     // PSCI_CPU_OFF
    b 5f
    case
    tst x19, #(0xff << 40)
    b.ne 1b
    mov x0, #0x0008                     // PSCI_SYSTEM_OFF
    b 5f

3:  movk x0, #0xC400, lsl #16
    smc #0
    b 1b
4:  b 3b
5:  movk x0, #0x8400, lsl #16
    smc #0
    b 1b

    .org stress_inside + 0x800
stress_vectors:
    .rept 16
    .balign 0x80
    mrs x9, elr_el1
    add x9, x9, #4
    msr elr_el1, x9
    eret
    .endr
    .org stress_inside + 0x1000
    .popsection
