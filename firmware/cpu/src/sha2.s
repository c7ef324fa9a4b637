// SHA-256 and SHA-512 over whole blocks: x0 state, x1 blocks, x2 their number, not zero.
    .arch_extension fp
    .arch_extension simd
    .arch_extension sha2
    .arch_extension sha3
    .arch_extension sve

    // A routine around \rounds, which uses the vector registers listed, and its twin for where there is SVE. Of 0 to 7 and 16
    // to 31 each has its place on the stack, \places in all.
    .macro sha2_routine name, rounds, places, registers:vararg
    .global \name\()_simd
\name\()_simd:
    mov x5, x30
    sub sp, sp, #16 * \places
    .irp r, \registers
    str q\r, [sp, #16 * (\r - \r / 16 * 8)]
    .endr
    bl \rounds
    .irp r, \registers
    ldr q\r, [sp, #16 * (\r - \r / 16 * 8)]
    .endr
    add sp, sp, #16 * \places
    ret x5
    .global \name\()_sve
\name\()_sve:
    mov x5, x30
    addvl sp, sp, #-\places
    .irp r, \registers
    str z\r, [sp, #(\r - \r / 16 * 8), mul vl]
    .endr
    bl \rounds
    .irp r, \registers
    ldr z\r, [sp, #(\r - \r / 16 * 8), mul vl]
    .endr
    addvl sp, sp, #\places
    ret x5
    .endm

    // Four rounds of SHA-256 with message words \m; then, if there are more, \m becomes the words of four rounds sixteen later.
    .macro sha256_four m, n, o, p, more
    ldr q16, [x4], #16
    add v16.4s, v16.4s, v\m\().4s
    .if \more
    sha256su0 v\m\().4s, v\n\().4s
    .endif
    mov v17.16b, v0.16b
    sha256h q0, q1, v16.4s
    sha256h2 q1, q17, v16.4s
    .if \more
    sha256su1 v\m\().4s, v\o\().4s, v\p\().4s
    .endif
    .endm
    .macro sha256_sixteen more
    sha256_four 4, 5, 6, 7, \more
    sha256_four 5, 6, 7, 4, \more
    sha256_four 6, 7, 4, 5, \more
    sha256_four 7, 4, 5, 6, \more
    .endm

    // Two rounds of SHA-512 with message words \m; then, if there are more, \m becomes the words of two rounds sixteen later,
    // made of itself, \n, the seam of \o and \p, and \z. The new a and b are in \gh, c and d in \ab, e and f in \cd, g and h
    // in \ef.
    .macro sha512_two ab, cd, ef, gh, m, n, o, p, z, more
    ldr q4, [x4], #16
    add v4.2d, v4.2d, v\m\().2d
    ext v4.16b, v4.16b, v4.16b, #8
    .if \more
    sha512su0 v\m\().2d, v\n\().2d
    ext v7.16b, v\o\().16b, v\p\().16b, #8
    sha512su1 v\m\().2d, v\z\().2d, v7.2d
    .endif
    ext v5.16b, v\ef\().16b, v\gh\().16b, #8
    ext v6.16b, v\cd\().16b, v\ef\().16b, #8
    add v\gh\().2d, v\gh\().2d, v4.2d
    sha512h q\gh, q5, v6.2d
    add v7.2d, v\cd\().2d, v\gh\().2d
    sha512h2 q\gh, q\cd, v\ab\().2d
    mov v\cd\().16b, v7.16b
    .endm
    .macro sha512_sixteen more
    sha512_two 0, 1, 2, 3, 16, 17, 20, 21, 23, \more
    sha512_two 3, 0, 1, 2, 17, 18, 21, 22, 16, \more
    sha512_two 2, 3, 0, 1, 18, 19, 22, 23, 17, \more
    sha512_two 1, 2, 3, 0, 19, 20, 23, 16, 18, \more
    sha512_two 0, 1, 2, 3, 20, 21, 16, 17, 19, \more
    sha512_two 3, 0, 1, 2, 21, 22, 17, 18, 20, \more
    sha512_two 2, 3, 0, 1, 22, 23, 18, 19, 21, \more
    sha512_two 1, 2, 3, 0, 23, 16, 19, 20, 22, \more
    .endm

    .pushsection .text, "ax"
    .balign 4
    sha2_routine sha256, sha256_rounds, 10, 0,1,2,3,4,5,6,7,16,17
    sha2_routine sha512, sha512_rounds, 16, 0,1,2,3,4,5,6,7,16,17,18,19,20,21,22,23
sha256_rounds:
    adrp x3, {short_rounds}
    add x3, x3, :lo12:{short_rounds}
    ldp q0, q1, [x0]
1:  mov x4, x3
    mov v2.16b, v0.16b
    mov v3.16b, v1.16b
    ld1 {{v4.16b, v5.16b, v6.16b, v7.16b}}, [x1], #64
    .irp m, 4,5,6,7
    rev32 v\m\().16b, v\m\().16b
    .endr
    sha256_sixteen 1
    sha256_sixteen 1
    sha256_sixteen 1
    sha256_sixteen 0
    add v0.4s, v0.4s, v2.4s
    add v1.4s, v1.4s, v3.4s
    subs x2, x2, #1
    b.ne 1b
    stp q0, q1, [x0]
    ret
sha512_rounds:
    adrp x3, {rounds}
    add x3, x3, :lo12:{rounds}
    ldp q0, q1, [x0]
    ldp q2, q3, [x0, #32]
1:  mov x4, x3
    ld1 {{v16.16b, v17.16b, v18.16b, v19.16b}}, [x1], #64
    ld1 {{v20.16b, v21.16b, v22.16b, v23.16b}}, [x1], #64
    .irp m, 16,17,18,19,20,21,22,23
    rev64 v\m\().16b, v\m\().16b
    .endr
    sha512_sixteen 1
    sha512_sixteen 1
    sha512_sixteen 1
    sha512_sixteen 1
    sha512_sixteen 0
    ldp q4, q5, [x0]
    ldp q6, q7, [x0, #32]
    add v0.2d, v0.2d, v4.2d
    add v1.2d, v1.2d, v5.2d
    add v2.2d, v2.2d, v6.2d
    add v3.2d, v3.2d, v7.2d
    stp q0, q1, [x0]
    stp q2, q3, [x0, #32]
    subs x2, x2, #1
    b.ne 1b
    ret
    .popsection
