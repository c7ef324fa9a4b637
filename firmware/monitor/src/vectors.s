// SP is this CPU's record while a lower level runs; the record's first word points to the registers of the world that
// runs. `handle` saves them there, calls Rust with the record, and resumes whatever world the record names then.
    .macro handle function
    .balign 0x80
    stp x29, x30, [sp, #-16]!
    ldr x30, [sp, #16]
    stp x0, x1, [x30]
    stp x2, x3, [x30, #16]
    stp x4, x5, [x30, #32]
    stp x6, x7, [x30, #48]
    stp x8, x9, [x30, #64]
    stp x10, x11, [x30, #80]
    stp x12, x13, [x30, #96]
    stp x14, x15, [x30, #112]
    stp x16, x17, [x30, #128]
    stp x18, x19, [x30, #144]
    stp x20, x21, [x30, #160]
    stp x22, x23, [x30, #176]
    stp x24, x25, [x30, #192]
    stp x26, x27, [x30, #208]
    str x28, [x30, #224]
    ldp x0, x1, [sp], #16
    stp x0, x1, [x30, #232]
    mov x0, sp
    bl \function
    b resume
    .endm

    .macro own slot
    .balign 0x80
    mov x0, #\slot
    b own_fault
    .endm

    .pushsection .text.vectors, "ax"
    .balign 0x800
vectors:
    own 0
    own 1
    own 2
    own 3
    own 4
    own 5
    own 6
    own 7
    handle {synchronous}
    handle {unexpected}
    handle {fiq}
    handle {unexpected}
    handle {synchronous}
    handle {unexpected}
    handle {fiq}
    handle {unexpected}
    .balign 0x80

// An exception of EL3 itself: its stack may be what failed, so another is taken.
own_fault:
    adrp x1, {last_stack}
    add x1, x1, :lo12:{last_stack}
    mov x2, #{last_stack_size}
    add x1, x1, x2
    mov sp, x1
    b {own}

    .global resume
resume:
    ldr x30, [sp]
    ldp x0, x1, [x30]
    ldp x2, x3, [x30, #16]
    ldp x4, x5, [x30, #32]
    ldp x6, x7, [x30, #48]
    ldp x8, x9, [x30, #64]
    ldp x10, x11, [x30, #80]
    ldp x12, x13, [x30, #96]
    ldp x14, x15, [x30, #112]
    ldp x16, x17, [x30, #128]
    ldp x18, x19, [x30, #144]
    ldp x20, x21, [x30, #160]
    ldp x22, x23, [x30, #176]
    ldp x24, x25, [x30, #192]
    ldp x26, x27, [x30, #208]
    ldr x28, [x30, #224]
    ldp x29, x30, [x30, #232]
    eret
    .popsection
