//! What a Realm's program says to the RMM (RSI 1.0 and PSCI), in straight-line code.

use abi::rsi::fid;
use abi::{GRANULE_U64, psci};
use machine::guest::{Cpu, Stopped};

/// A call's status (x0) that is not success, or what stopped it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// x0.
    Status(u64),
    /// An exception instead of an answer.
    Stopped(Stopped),
}

/// Outputs x1 to x10 of a call.
pub type Answer = Result<[u64; 10], Refused>;

const INCOMPLETE: u64 = 3;

/// Makes a call and takes success from its status.
pub fn call(cpu: &mut Cpu, function: u32, arguments: &[u64]) -> Answer {
    let registers: Vec<u64> = std::iter::once(function.into()).chain(arguments.iter().copied()).collect();
    let [x0, outputs @ ..] = cpu.smc(&registers).map_err(Refused::Stopped)?;
    if x0 == 0 { Ok(outputs) } else { Err(Refused::Status(x0)) }
}

/// RSI_MEASUREMENT_READ: the register's 64 bytes.
pub fn measurement(cpu: &mut Cpu, index: u64) -> Result<[u8; 64], Refused> {
    let words = call(cpu, fid::MEASUREMENT_READ, &[index])?;
    let mut bytes = [0; 64];
    bytes.chunks_exact_mut(8).zip(words).for_each(|(to, word)| to.copy_from_slice(&word.to_le_bytes()));
    Ok(bytes)
}

/// RSI_IPA_STATE_SET until the range is done, as Linux does.
pub fn set_ripas(cpu: &mut Cpu, base: u64, top: u64, ripas: u64, flags: u64) -> Result<(), Refused> {
    let mut at = base;
    while at < top {
        let [reached, response, ..] = call(cpu, fid::IPA_STATE_SET, &[at, top, ripas, flags])?;
        assert_eq!(response, 0, "the host rejects a change that the Realm needs");
        assert!(reached > at, "IPA_STATE_SET makes no progress at {at:#x}");
        at = reached;
    }
    Ok(())
}

/// Gets a token over a challenge, granule by granule through the page at `buffer`, as Linux does.
pub fn token(cpu: &mut Cpu, challenge: &[u8; 64], buffer: u64) -> Result<Vec<u8>, Refused> {
    let words = challenge.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("eight bytes")));
    call(cpu, fid::ATTESTATION_TOKEN_INIT, &words.collect::<Vec<u64>>())?;
    let mut token = Vec::new();
    loop {
        let mut offset = 0;
        let mut done = false;
        while !done && offset < GRANULE_U64 {
            let arguments = [fid::ATTESTATION_TOKEN_CONTINUE.into(), buffer, offset, GRANULE_U64 - offset];
            let [x0, length, ..] = cpu.smc(&arguments).map_err(Refused::Stopped)?;
            if x0 != 0 && x0 != INCOMPLETE {
                return Err(Refused::Status(x0));
            }
            offset += length;
            done = x0 == 0;
        }
        token.extend(bytes(cpu, buffer, offset)?);
        if done {
            return Ok(token);
        }
    }
}

/// Reads the first `length` bytes of a page.
pub fn bytes(cpu: &mut Cpu, page: u64, length: u64) -> Result<Vec<u8>, Refused> {
    let mut bytes = Vec::new();
    for at in (0..length).step_by(8) {
        bytes.extend(cpu.load(page + at).map_err(Refused::Stopped)?.to_le_bytes());
    }
    bytes.truncate(length as usize);
    Ok(bytes)
}

/// PSCI SYSTEM_OFF; the vCPU does not come back from it.
pub fn power_off(cpu: &mut Cpu) {
    let returned = cpu.smc(&[psci::SYSTEM_OFF.into()]);
    panic!("SYSTEM_OFF returned: {returned:?}");
}
