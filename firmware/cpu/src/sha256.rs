//! SHA-256 by the processor's instructions (FEAT_SHA256; FIPS 180-4).
//!
//! The vector registers are somebody else's: the routine saves those it uses and puts them back, where there is SVE at the
//! whole length that they have at this level, as writing Vn zeroes the rest of Zn.

use core::arch::global_asm;

const BLOCK: usize = 64;

/// First 32 bits of the fractional parts of the square roots of the first eight primes (FIPS 180-4, 5.3.3).
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// Of the cube roots of the first sixty-four (FIPS 180-4, 4.2.2).
#[rustfmt::skip]
static ROUNDS: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

global_asm!(
    r#"
    .arch_extension fp
    .arch_extension simd
    .arch_extension sha2
    .arch_extension sve
    // Four rounds with message words \m; then, if there are more, \m becomes the words of four rounds sixteen later.
    .macro sha256_four m, n, o, p, more
    ldr q16, [x4], #16
    add v16.4s, v16.4s, \m\().4s
    .if \more
    sha256su0 \m\().4s, \n\().4s
    .endif
    mov v17.16b, v0.16b
    sha256h q0, q1, v16.4s
    sha256h2 q1, q17, v16.4s
    .if \more
    sha256su1 \m\().4s, \o\().4s, \p\().4s
    .endif
    .endm
    .macro sha256_sixteen more
    sha256_four v4, v5, v6, v7, \more
    sha256_four v5, v6, v7, v4, \more
    sha256_four v6, v7, v4, v5, \more
    sha256_four v7, v4, v5, v6, \more
    .endm

    .pushsection .text, "ax"
    .balign 4
    // x0 state, x1 blocks, x2 their number, not zero, x3 round constants
    .global sha256_blocks
sha256_blocks:
    mov x5, x30
    stp q0, q1, [sp, #-160]!
    stp q2, q3, [sp, #32]
    stp q4, q5, [sp, #64]
    stp q6, q7, [sp, #96]
    stp q16, q17, [sp, #128]
    bl sha256_rounds
    ldp q16, q17, [sp, #128]
    ldp q6, q7, [sp, #96]
    ldp q4, q5, [sp, #64]
    ldp q2, q3, [sp, #32]
    ldp q0, q1, [sp], #160
    ret x5
    // The same where there is SVE.
    .global sha256_blocks_sve
sha256_blocks_sve:
    mov x5, x30
    addvl sp, sp, #-10
    .irp n, 0,1,2,3,4,5,6,7
    str z\n, [sp, #\n, mul vl]
    .endr
    str z16, [sp, #8, mul vl]
    str z17, [sp, #9, mul vl]
    bl sha256_rounds
    ldr z17, [sp, #9, mul vl]
    ldr z16, [sp, #8, mul vl]
    .irp n, 7,6,5,4,3,2,1,0
    ldr z\n, [sp, #\n, mul vl]
    .endr
    addvl sp, sp, #10
    ret x5
sha256_rounds:
    ldp q0, q1, [x0]
1:  mov x4, x3
    mov v2.16b, v0.16b
    mov v3.16b, v1.16b
    ld1 {{v4.16b, v5.16b, v6.16b, v7.16b}}, [x1], #64
    rev32 v4.16b, v4.16b
    rev32 v5.16b, v5.16b
    rev32 v6.16b, v6.16b
    rev32 v7.16b, v7.16b
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
    .popsection
"#
);

unsafe extern "C" {
    fn sha256_blocks(state: *mut [u32; 8], blocks: *const u8, number: usize, rounds: *const [u32; 64]);
    fn sha256_blocks_sve(state: *mut [u32; 8], blocks: *const u8, number: usize, rounds: *const [u32; 64]);
}

/// How much of the vector registers somebody has, which hence has to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// 128 bits of each.
    Simd,
    /// All bits there are at the current vector length.
    Sve,
}

/// Hashes the concatenation of `parts`. The processor has the instructions, nothing traps vector registers, and it is not in
/// streaming mode.
#[must_use]
pub fn digest(parts: &[&[u8]], keep: Keep) -> [u8; 32] {
    let mut state = State { words: INITIAL, rest: [0; BLOCK], length: 0, keep };
    parts.iter().for_each(|part| state.take(part));
    state.end()
}

struct State {
    words: [u32; 8],
    /// Bytes that fill no block yet: `length % 64` of them.
    rest: [u8; BLOCK],
    length: usize,
    keep: Keep,
}

impl State {
    fn take(&mut self, mut part: &[u8]) {
        let held = self.length % BLOCK;
        self.length += part.len();
        if held > 0 {
            let (head, tail) = part.split_at(part.len().min(BLOCK - held));
            self.rest[held..held + head.len()].copy_from_slice(head);
            part = tail;
            if held + head.len() < BLOCK {
                return;
            }
            self.compress(&[self.rest]);
        }
        let (blocks, tail) = part.as_chunks();
        self.compress(blocks);
        self.rest[..tail.len()].copy_from_slice(tail);
    }

    fn end(mut self) -> [u8; 32] {
        let held = self.length % BLOCK;
        let mut last = [[0; BLOCK]; 2];
        let bytes = last.as_flattened_mut();
        bytes[..held].copy_from_slice(&self.rest[..held]);
        bytes[held] = 0x80;
        let blocks = if held < BLOCK - 8 { 1 } else { 2 };
        bytes[blocks * BLOCK - 8..blocks * BLOCK].copy_from_slice(&(self.length as u64 * 8).to_be_bytes());
        self.compress(&last[..blocks]);
        let mut digest = [0; 32];
        digest.as_chunks_mut().0.iter_mut().zip(self.words).for_each(|(to, word)| *to = word.to_be_bytes());
        digest
    }

    fn compress(&mut self, blocks: &[[u8; BLOCK]]) {
        if blocks.is_empty() {
            return;
        }
        let routine = if self.keep == Keep::Sve { sha256_blocks_sve } else { sha256_blocks };
        // SAFETY: the routine reads the blocks and the constants, writes the state, and keeps every register that it must.
        unsafe { routine(&raw mut self.words, blocks.as_ptr().cast(), blocks.len(), &raw const ROUNDS) }
    }
}
