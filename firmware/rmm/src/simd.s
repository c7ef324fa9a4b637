// Floating-point and SIMD registers to and from memory. The RMM itself uses none of them.

.section .text, "ax"
.arch_extension fp
.arch_extension simd

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
