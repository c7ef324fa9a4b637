//! Calls to EL3 (RMM-EL3 interface 0.4).

use abi::el3::{self, SignRequest, SignResponse, Status};
use abi::{GRANULE, map};
use core::arch::asm;
use cpu::lock::Lock;
use rmm::platform::{El3Error, Hunk};
use zerocopy::{FromBytes, IntoBytes};

/// The registers of a call, x0 to x11, and of its answer.
pub type Registers = [u64; 12];

/// Makes a call; on return the registers hold the answer.
pub fn call(x: &mut Registers) {
    let [x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11] = x;
    // SAFETY: EL3 keeps every register but these and touches no memory of ours but the shared page, to which no reference exists.
    unsafe {
        asm!(
            "smc #0",
            inout("x0") *x0, inout("x1") *x1, inout("x2") *x2, inout("x3") *x3, inout("x4") *x4, inout("x5") *x5,
            inout("x6") *x6, inout("x7") *x7, inout("x8") *x8, inout("x9") *x9, inout("x10") *x10, inout("x11") *x11,
            out("x12") _, out("x13") _, out("x14") _, out("x15") _, out("x16") _, out("x17") _,
            options(nostack),
        );
    }
}

/// Makes a call of up to four arguments and gives x1 and x2 of its answer if it went well.
fn ask(function: u32, arguments: [u64; 4]) -> Result<(u64, u64), El3Error> {
    let [a, b, c, d] = arguments;
    let mut x = [u64::from(function), a, b, c, d, 0, 0, 0, 0, 0, 0, 0];
    call(&mut x);
    match Status::from_word(x[0]) {
        Status::Ok => Ok((x[1], x[2])),
        Status::Again => Err(El3Error::Again),
        _ => Err(El3Error::Refused(x[0].cast_signed())),
    }
}

/// Moves a granule from the Non-secure to the Realm physical address space.
pub fn delegate(pa: u64) -> Result<(), El3Error> {
    ask(el3::GTSI_DELEGATE, [pa, 0, 0, 0]).map(|_| ())
}

/// Moves a granule from the Realm to the Non-secure physical address space.
pub fn undelegate(pa: u64) -> Result<(), El3Error> {
    ask(el3::GTSI_UNDELEGATE, [pa, 0, 0, 0]).map(|_| ())
}

/// Gives feature register `index`, 0 if EL3 does not know it.
pub fn feature(index: u64) -> u64 {
    ask(el3::FEATURES, [index, 0, 0, 0]).map_or(0, |(value, _)| value)
}

/// The page shared with EL3: whoever holds the lock may use it.
static SHARED: Lock<SharedPage> = Lock::new(SharedPage(()));

/// The right to the shared page.
struct SharedPage(());

impl SharedPage {
    fn read(&self, into: &mut [u8]) -> Result<(), El3Error> {
        let length = into.len().min(GRANULE);
        let (head, _) = into.split_at_mut(length);
        crate::memory::copy_out(map::RMM_SHARED, head).map_err(|_| El3Error::Again)
    }

    fn write(&mut self, from: &[u8]) -> Result<(), El3Error> {
        let (head, _) = from.split_at(from.len().min(GRANULE));
        // SAFETY: no reference is ever formed to the shared page.
        unsafe { crate::memory::copy_in(map::RMM_SHARED, head) }.map_err(|_| El3Error::Again)
    }
}

/// Copies the shared page, for the manifest.
pub fn shared_page(into: &mut [u8; GRANULE]) -> Result<(), El3Error> {
    SHARED.take().read(into)
}

/// Gets a piece of the platform token; `challenge` is empty but for the first piece.
pub fn platform_token(challenge: &[u8], into: &mut [u8]) -> Result<Hunk, El3Error> {
    let mut page = SHARED.take();
    page.write(challenge)?;
    let room = into.len().min(GRANULE);
    let (length, left) = ask(el3::GET_PLAT_TOKEN, [map::RMM_SHARED, room as u64, challenge.len() as u64, 0])?;
    let length = usize::try_from(length).ok().filter(|l| *l <= room).ok_or(El3Error::Refused(0))?;
    let (head, _) = into.split_at_mut(length);
    page.read(head)?;
    Ok(Hunk { length, left: usize::try_from(left).map_err(|_| El3Error::Refused(0))? })
}

/// Gets the public part of the realm attestation key.
pub fn attestation_key(into: &mut [u8; 97]) -> Result<(), El3Error> {
    let page = SHARED.take();
    let (length, _) = ask(el3::TOKEN_SIGN, [el3::SIGN_PUBLIC_KEY, map::RMM_SHARED, GRANULE as u64, el3::CURVE_P384])?;
    if length != into.len() as u64 {
        return Err(El3Error::Refused(0));
    }
    page.read(into)
}

/// Number of times that an answer is asked for before the caller is told to come again.
const PATIENCE: usize = 1_000;

/// Has a digest signed. The shared page stays ours until the answer is there, so that no two requests meet in it.
pub fn sign(rec: u64, digest: &[u8; 48], signature: &mut [u8; 96]) -> Result<(), El3Error> {
    constant_time();
    let mut page = SHARED.take();
    let ticket = cpu::read!(cntpct_el0);
    push(&mut page, rec, ticket, digest)?;
    for _ in 0..PATIENCE {
        match pull(&page) {
            Ok(answer) if answer.rec_granule == rec && answer.ticket == ticket => {
                *signature = answer.sig;
                return if answer.sig_len == 96 { Ok(()) } else { Err(El3Error::Refused(0)) };
            }
            // The late answer to a request that was given up.
            Ok(_) | Err(El3Error::Again) => {}
            Err(refusal) => return Err(refusal),
        }
    }
    Err(El3Error::Again)
}

/// Makes the time of instructions independent of their data (PSTATE.DIT) while a token is handled. The next exception
/// return sets it as the Realm or the Normal world had it.
fn constant_time() {
    const DIT: u64 = 1 << 24;
    if cpu::read!(id_aa64pfr0_el1) >> 48 & 0xf != 0 {
        cpu::write!(S3_3_C4_C2_5, DIT);
    }
}

fn push(page: &mut SharedPage, rec: u64, ticket: u64, digest: &[u8; 48]) -> Result<(), El3Error> {
    let request = SignRequest {
        sig_alg: el3::SIGN_ECDSA_P384,
        padding0: 0,
        rec_granule: rec,
        ticket,
        hash_alg: el3::SIGN_SHA384,
        hash: *digest,
        padding1: [0; 4],
    };
    page.write(request.as_bytes())?;
    let length = size_of::<SignRequest>() as u64;
    ask(el3::TOKEN_SIGN, [el3::SIGN_PUSH, map::RMM_SHARED, length, 0]).map(|_| ())
}

fn pull(page: &SharedPage) -> Result<SignResponse, El3Error> {
    ask(el3::TOKEN_SIGN, [el3::SIGN_PULL, map::RMM_SHARED, GRANULE as u64, 0])?;
    let mut bytes = [0; size_of::<SignResponse>()];
    page.read(&mut bytes)?;
    SignResponse::read_from_bytes(&bytes).map_err(|_| El3Error::Refused(0))
}

/// Reports a call that was handled, for the monitor's console.
pub fn trace(kind: u64, asked: &[u64; 5], result: &[u64; 5]) {
    let [function, a1, a2, a3, a4] = *asked;
    let [r0, r1, r2, r3, r4] = *result;
    call(&mut [u64::from(el3::TRACE), kind, function, a1, a2, a3, a4, r0, r1, r2, r3, r4]);
}
