// CPU 0 comes from boot with x0 = hand-over; every other CPU by its mailbox word. EL3, MMU off.
    .pushsection .text.entry, "ax"
    .global monitor_entry
monitor_entry:
    mov x19, x0
    bl set_up_cpu
    adrp x1, __bss
    adrp x2, __bss_end
1:  stp xzr, xzr, [x1], #16
    cmp x1, x2
    b.lo 1b
    mov x0, x19
    mov x1, sp
    bl {cold}
    b resume

    .global monitor_warm_entry
monitor_warm_entry:
    bl set_up_cpu
    mov x0, sp
    bl {warm}
    b resume

// Vectors, and SP = this CPU's record, which stands above its stack.
set_up_cpu:
    adrp x1, vectors
    add x1, x1, :lo12:vectors
    msr vbar_el3, x1
    msr spsel, #1
    isb
    mrs x2, mpidr_el1
    and x2, x2, #0xff
    adrp x1, {slots}
    add x1, x1, :lo12:{slots}
    mov x3, #{slot_size}
    madd x1, x2, x3, x1
    mov x3, #({record_offset} & 0xffff)
    movk x3, #({record_offset} >> 16), lsl #16
    add x1, x1, x3
    mov sp, x1
    ret
    .popsection
