// Vector registers to and from memory. The RMM itself uses none of them.

.section .text, "ax"
.arch_extension fp
.arch_extension simd
.arch_extension sve

.macro each_v op, base
    \op     q0, q1, [\base]
    \op     q2, q3, [\base, #32]
    \op     q4, q5, [\base, #64]
    \op     q6, q7, [\base, #96]
    \op     q8, q9, [\base, #128]
    \op     q10, q11, [\base, #160]
    \op     q12, q13, [\base, #192]
    \op     q14, q15, [\base, #224]
    \op     q16, q17, [\base, #256]
    \op     q18, q19, [\base, #288]
    \op     q20, q21, [\base, #320]
    \op     q22, q23, [\base, #352]
    \op     q24, q25, [\base, #384]
    \op     q26, q27, [\base, #416]
    \op     q28, q29, [\base, #448]
    \op     q30, q31, [\base, #480]
.endm

// fn vectors_save(z: *mut u64): V0-V31.
.global vectors_save
vectors_save:
    each_v  stp, x0
    ret

// fn vectors_load(z: *const u64).
.global vectors_load
vectors_load:
    each_v  ldp, x0
    ret

.macro each_z op
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    \op     z\n, [x0, #\n, mul vl]
    .endr
.endm

.macro each_p op
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    \op     p\n, [x1, #\n, mul vl]
    .endr
.endm

// fn sve_save(z: *mut u64, p: *mut u16, ffr: u64): Z0-Z31, P0-P15 and, if asked, FFR, at the current length.
.global sve_save
sve_save:
    each_z  str
    each_p  str
    cbz     x2, 1f
    rdffr   p0.b
    str     p0, [x1, #16, mul vl]
    ldr     p0, [x1]
1:  ret

// fn sve_load(z: *const u64, p: *const u16, ffr: u64).
.global sve_load
sve_load:
    cbz     x2, 1f
    ldr     p0, [x1, #16, mul vl]
    wrffr   p0.b
1:  each_z  ldr
    each_p  ldr
    ret

// fn sve_length() -> u64: bytes of a vector.
.global sve_length
sve_length:
    rdvl    x0, #1
    ret
