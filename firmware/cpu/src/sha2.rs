//! SHA-256 and SHA-512 by the processor's instructions (FEAT_SHA256, FEAT_SHA512; FIPS 180-4).
//!
//! The vector registers are somebody else's: the routines save those they use and put them back, where there is SVE at the
//! whole length that they have at this level, as writing Vn zeroes the rest of Zn.

use core::arch::global_asm;
use core::hint::black_box;

/// First 64 bits of the fractional parts of the square roots of the first eight primes (FIPS 180-4, 5.3.5).
#[rustfmt::skip]
const INITIAL: [u64; 8] = [
    0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1, 0x9b05_688c_2b3e_6c1f, 0x1f83_d9ab_fb41_bd6b, 0x5be0_cd19_137e_2179,
];

/// Of the cube roots of the first eighty (FIPS 180-4, 4.2.3).
#[rustfmt::skip]
static ROUNDS: [u64; 80] = [
    0x428a_2f98_d728_ae22, 0x7137_4491_23ef_65cd, 0xb5c0_fbcf_ec4d_3b2f, 0xe9b5_dba5_8189_dbbc, 0x3956_c25b_f348_b538,
    0x59f1_11f1_b605_d019, 0x923f_82a4_af19_4f9b, 0xab1c_5ed5_da6d_8118, 0xd807_aa98_a303_0242, 0x1283_5b01_4570_6fbe,
    0x2431_85be_4ee4_b28c, 0x550c_7dc3_d5ff_b4e2, 0x72be_5d74_f27b_896f, 0x80de_b1fe_3b16_96b1, 0x9bdc_06a7_25c7_1235,
    0xc19b_f174_cf69_2694, 0xe49b_69c1_9ef1_4ad2, 0xefbe_4786_384f_25e3, 0x0fc1_9dc6_8b8c_d5b5, 0x240c_a1cc_77ac_9c65,
    0x2de9_2c6f_592b_0275, 0x4a74_84aa_6ea6_e483, 0x5cb0_a9dc_bd41_fbd4, 0x76f9_88da_8311_53b5, 0x983e_5152_ee66_dfab,
    0xa831_c66d_2db4_3210, 0xb003_27c8_98fb_213f, 0xbf59_7fc7_beef_0ee4, 0xc6e0_0bf3_3da8_8fc2, 0xd5a7_9147_930a_a725,
    0x06ca_6351_e003_826f, 0x1429_2967_0a0e_6e70, 0x27b7_0a85_46d2_2ffc, 0x2e1b_2138_5c26_c926, 0x4d2c_6dfc_5ac4_2aed,
    0x5338_0d13_9d95_b3df, 0x650a_7354_8baf_63de, 0x766a_0abb_3c77_b2a8, 0x81c2_c92e_47ed_aee6, 0x9272_2c85_1482_353b,
    0xa2bf_e8a1_4cf1_0364, 0xa81a_664b_bc42_3001, 0xc24b_8b70_d0f8_9791, 0xc76c_51a3_0654_be30, 0xd192_e819_d6ef_5218,
    0xd699_0624_5565_a910, 0xf40e_3585_5771_202a, 0x106a_a070_32bb_d1b8, 0x19a4_c116_b8d2_d0c8, 0x1e37_6c08_5141_ab53,
    0x2748_774c_df8e_eb99, 0x34b0_bcb5_e19b_48a8, 0x391c_0cb3_c5c9_5a63, 0x4ed8_aa4a_e341_8acb, 0x5b9c_ca4f_7763_e373,
    0x682e_6ff3_d6b2_b8a3, 0x748f_82ee_5def_b2fc, 0x78a5_636f_4317_2f60, 0x84c8_7814_a1f0_ab72, 0x8cc7_0208_1a64_39ec,
    0x90be_fffa_2363_1e28, 0xa450_6ceb_de82_bde9, 0xbef9_a3f7_b2c6_7915, 0xc671_78f2_e372_532b, 0xca27_3ece_ea26_619c,
    0xd186_b8c7_21c0_c207, 0xeada_7dd6_cde0_eb1e, 0xf57d_4f7f_ee6e_d178, 0x06f0_67aa_7217_6fba, 0x0a63_7dc5_a2c8_98a6,
    0x113f_9804_bef9_0dae, 0x1b71_0b35_131c_471b, 0x28db_77f5_2304_7d84, 0x32ca_ab7b_40c7_2493, 0x3c9e_be0a_15c9_bebc,
    0x431d_67c4_9c10_0d4c, 0x4cc5_d4be_cb3e_42b6, 0x597f_299c_fc65_7e2a, 0x5fcb_6fab_3ad6_faec, 0x6c44_198c_4a47_5817,
];

/// SHA-256's are the first 32 bits of the same (FIPS 180-4, 4.2.2).
static SHORT_ROUNDS: [u32; 64] = {
    let mut short = [0; 64];
    let mut n = 0;
    while n < short.len() {
        short[n] = (ROUNDS[n] >> 32) as u32;
        n += 1;
    }
    short
};

global_asm!(include_str!("sha2.s"), short_rounds = sym SHORT_ROUNDS, rounds = sym ROUNDS);

/// Takes the state and blocks by their number, which is not zero.
type Routine = unsafe extern "C" fn(state: *mut u8, blocks: *const u8, number: usize);

unsafe extern "C" {
    fn sha256_simd(state: *mut u8, blocks: *const u8, number: usize);
    fn sha256_sve(state: *mut u8, blocks: *const u8, number: usize);
    fn sha512_simd(state: *mut u8, blocks: *const u8, number: usize);
    fn sha512_sve(state: *mut u8, blocks: *const u8, number: usize);
}

/// How much of the vector registers somebody has, which hence has to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// 128 bits of each.
    Simd,
    /// All bits there are at the current vector length.
    Sve,
}

/// SHA-256 of the concatenation of `parts`. The processor has the instructions, nothing traps vector registers, and it is
/// not in streaming mode.
#[must_use]
pub fn sha256(parts: &[&[u8]], keep: Keep) -> [u8; 32] {
    let routine = if keep == Keep::Sve { sha256_sve } else { sha256_simd };
    let initial = INITIAL.map(|word| ((word >> 32) as u32).to_ne_bytes());
    let mut digest = [0; 32];
    digest.copy_from_slice(State::<4, 64>::over(initial, routine, parts).as_flattened());
    digest
}

/// SHA-512 of the concatenation of `parts`; the processor is as for [`sha256`].
#[must_use]
pub fn sha512(parts: &[&[u8]], keep: Keep) -> [u8; 64] {
    let routine = if keep == Keep::Sve { sha512_sve } else { sha512_simd };
    let mut digest = [0; 64];
    digest.copy_from_slice(State::<8, 128>::over(INITIAL.map(u64::to_ne_bytes), routine, parts).as_flattened());
    digest
}

/// Says whether `instructions` take less time on this machine than `portable` code, which in an emulator they need not. Each
/// hashes the same often, and its least time counts: the first are slow where code is translated as it runs.
pub fn quicker<const N: usize>(instructions: impl Fn(&[u8]) -> [u8; N], portable: impl Fn(&[u8]) -> [u8; N]) -> bool {
    least(instructions) <= least(portable)
}

fn least<const N: usize>(hash: impl Fn(&[u8]) -> [u8; N]) -> u64 {
    let times = (0..24).map(|_| {
        let before = crate::read!(cntpct_el0);
        black_box(hash(black_box(&[0; 100])));
        crate::read!(cntpct_el0).wrapping_sub(before)
    });
    times.min().unwrap_or(u64::MAX)
}

/// Of a function with words of `WORD` bytes and blocks of sixteen of them.
#[repr(C, align(16))]
struct State<const WORD: usize, const BLOCK: usize> {
    /// In the processor's order of bytes.
    words: [[u8; WORD]; 8],
    /// Bytes that fill no block yet: `length % BLOCK` of them.
    rest: [u8; BLOCK],
    length: usize,
    routine: Routine,
}

impl<const WORD: usize, const BLOCK: usize> State<WORD, BLOCK> {
    /// Hashes `parts`, and gives the words of the result in big endian.
    fn over(initial: [[u8; WORD]; 8], routine: Routine, parts: &[&[u8]]) -> [[u8; WORD]; 8] {
        let mut state = Self { words: initial, rest: [0; BLOCK], length: 0, routine };
        parts.iter().for_each(|part| state.take(part));
        state.end()
    }

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

    fn end(mut self) -> [[u8; WORD]; 8] {
        let held = self.length % BLOCK;
        let mut last = [[0; BLOCK]; 2];
        let bytes = last.as_flattened_mut();
        bytes[..held].copy_from_slice(&self.rest[..held]);
        bytes[held] = 0x80;
        // The length takes two words.
        let blocks = if held < BLOCK - 2 * WORD { 1 } else { 2 };
        bytes[blocks * BLOCK - 8..blocks * BLOCK].copy_from_slice(&(self.length as u64 * 8).to_be_bytes());
        self.compress(&last[..blocks]);
        self.words.iter_mut().for_each(|word| word.reverse());
        self.words
    }

    fn compress(&mut self, blocks: &[[u8; BLOCK]]) {
        if blocks.is_empty() {
            return;
        }
        // SAFETY: the routine reads the blocks and its constants, writes the state, and keeps every register that it must.
        unsafe { (self.routine)(self.words.as_mut_ptr().cast(), blocks.as_ptr().cast(), blocks.len()) }
    }
}
