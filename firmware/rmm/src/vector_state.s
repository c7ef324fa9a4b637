// Floating-point and vector state, as a whole, to and from memory. The RMM itself uses none of it.

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

.macro each_z op, base
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    \op     z\n, [\base, #\n, mul vl]
    .endr
.endm

.macro each_p op, base
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    \op     p\n, [\base, #\n, mul vl]
    .endr
.endm

// fn vectors_save(to: *mut [u64; 66]): V0-V31, FPCR, FPSR.
.global vectors_save
vectors_save:
    each_v  stp, x0
    mrs     x1, fpsr
    mrs     x2, fpcr
    str     x2, [x0, #512]
    str     x1, [x0, #520]
    ret

// fn vectors_load(from: *const [u64; 66]).
.global vectors_load
vectors_load:
    each_v  ldp, x0
    ldr     x2, [x0, #512]
    ldr     x1, [x0, #520]
    msr     fpsr, x1
    msr     fpcr, x2
    ret

// fn scalable_save(z: *mut u8, p: *mut u8, ffr: u64): Z0-Z31, P0-P15 and, if ffr is not 0, FFR behind P15.
.global scalable_save
scalable_save:
    each_z  str, x0
    each_p  str, x1
    cbz     x2, 1f
    rdffr   p0.b
    addvl   x3, x1, #2                  // sixteen predicates are as long as two vectors
    str     p0, [x3]
    ldr     p0, [x1]
1:  ret

// fn scalable_load(z: *const u8, p: *const u8, ffr: u64).
.global scalable_load
scalable_load:
    cbz     x2, 1f
    addvl   x3, x1, #2
    ldr     p0, [x3]
    wrffr   p0.b
1:  each_z  ldr, x0
    each_p  ldr, x1
    ret
