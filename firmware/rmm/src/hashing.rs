//! Hashing for measurements: by the processor's instructions where they are quicker than portable code, which an emulator's
//! need not be.

use crate::realm::Processor;
use crate::simd;
use abi::measurement::Hash;
use cpu::sha2::{self, Keep};
use rmm::measurement::{self, Register};

/// Which functions the instructions are used for.
pub struct Hashing {
    sha256: bool,
    sha512: bool,
}

impl Hashing {
    /// Measures this machine and chooses; on a CPU where nothing else runs yet.
    pub fn choose(processor: &Processor) -> Self {
        let quicker = |hash| {
            let instructions = |bytes: &[u8]| by_instructions(processor, hash, &[bytes]).unwrap_or([0; 64]);
            simd::at_longest(processor, || sha2::quicker(instructions, |bytes| measurement::digest(hash, &[bytes])))
        };
        Self { sha256: processor.sha256 && quicker(Hash::Sha256), sha512: processor.sha512 && quicker(Hash::Sha512) }
    }

    /// Hashes the concatenation of `parts`.
    pub fn digest(&self, processor: &Processor, hash: Hash, parts: &[&[u8]]) -> Register {
        let chosen = if hash == Hash::Sha256 { self.sha256 } else { self.sha512 };
        let digest = if chosen { by_instructions(processor, hash, parts) } else { None };
        digest.unwrap_or_else(|| measurement::digest(hash, parts))
    }
}

/// Hashes on a processor that has the instructions; without a result in streaming mode.
fn by_instructions(processor: &Processor, hash: Hash, parts: &[&[u8]]) -> Option<Register> {
    let keep = if processor.sve { Keep::Sve } else { Keep::Simd };
    simd::untrapped(processor, || match hash {
        Hash::Sha256 => {
            let mut register = [0; 64];
            register[..32].copy_from_slice(&sha2::sha256(parts, keep));
            register
        }
        Hash::Sha512 => sha2::sha512(parts, keep),
    })
}
