//! Exceptions that the RMM raises in a Realm: every bit of the state that the vCPU finds, from every origin.

use crate::fake::Fake;
use crate::host::*;
use abi::rmi::ExitReason;

const DATA_ABORT: u64 = 0x24 << 26;
const INSTRUCTION_ABORT: u64 = 0x20 << 26;
const TRANSLATION_3: u64 = 7;
const IL: u64 = 1 << 25;
const CM: u64 = 1 << 8;
const WNR: u64 = 1 << 6;
const EXTERNAL: u64 = 1 << 9 | 0x10;
/// Everything of an instruction specific syndrome but the status.
const ISS: u64 = 0x1FF_FFC0;

const EL0: u64 = 0;
const EL1T: u64 = 4;
const EL1H: u64 = 5;
const AARCH32: u64 = 0x10;
const DAIF: u64 = 0x3C0;
const SSBS: u64 = 1 << 12;
const ALLINT: u64 = 1 << 13;
const PAN: u64 = 1 << 22;
const DIT: u64 = 1 << 24;
const NZCV: u64 = 0xF << 28;

const SPAN: u64 = 1 << 23;
const DSSBS: u64 = 1 << 44;
const SPINTMASK: u64 = 1 << 62;
const EASE: u64 = 1 << 5;
const VBAR: u64 = 0x1000_0000;

/// What a Realm finds after an exception.
#[derive(PartialEq, Eq, Debug)]
struct Found {
    vector: u64,
    esr: u64,
    pstate: u64,
}

/// Runs the vCPU in a state until an exit that is made the Realm's own, and gives what it finds.
fn taken(host: &Host, pstate: u64, sctlr: u64, sctlr2: u64, esr: u64) -> Found {
    host.context(REC, |context| {
        (context.pc, context.pstate, context.el1.vbar) = (RAM + 0x40, pstate, VBAR);
        (context.el1.sctlr, context.el1.sctlr2) = (sctlr, sctlr2);
    });
    // At address 0 nothing is the Realm's.
    host.machine().then(move |_| abort(esr, 0x1234, 0));
    assert_eq!(host.run().exit_reason, ExitReason::Irq as u8);
    host.context(REC, |context| {
        assert_eq!((context.el1.elr, context.el1.spsr), (RAM + 0x40, pstate));
        Found { vector: context.pc - VBAR, esr: context.el1.esr, pstate: context.pstate }
    })
}

#[test]
fn vector_and_class_tell_where_the_exception_comes_from() {
    let host = Host::with_realm();
    let origins =
        [(EL0, 0x400, false), (AARCH32, 0x600, false), (0x1F, 0x600, false), (EL1T, 0, true), (EL1H, 0x200, true)];
    for (pstate, vector, same) in origins {
        for (abort, class) in [(DATA_ABORT, 0x24), (INSTRUCTION_ABORT, 0x20)] {
            let found = taken(&host, pstate, SPAN | SPINTMASK, 0, abort | TRANSLATION_3);
            let esr = (class + u64::from(same)) << 26 | EXTERNAL;
            assert_eq!(found, Found { vector, esr, pstate: DAIF | EL1H }, "{pstate:#x}");
            let double = taken(&host, pstate, SPAN | SPINTMASK, EASE, abort | TRANSLATION_3);
            assert_eq!(double.vector, vector + 0x180, "as an SError");
        }
        let undefined = taken(&host, pstate, SPAN | SPINTMASK, EASE, IL);
        assert_eq!(undefined, Found { vector, esr: IL, pstate: DAIF | EL1H });
    }
}

#[test]
fn syndrome_tells_of_the_access_and_not_of_the_instruction() {
    let host = Host::with_realm();
    let esr = |esr| taken(&host, EL1H, 0, 0, esr).esr;
    assert_eq!(esr(DATA_ABORT | IL | ISS | TRANSLATION_3), 0x25 << 26 | IL | CM | WNR | EXTERNAL);
    assert_eq!(esr(DATA_ABORT | ISS & !CM | TRANSLATION_3), 0x25 << 26 | WNR | EXTERNAL);
    assert_eq!(esr(DATA_ABORT | ISS & !WNR | TRANSLATION_3), 0x25 << 26 | CM | EXTERNAL);
    assert_eq!(esr(INSTRUCTION_ABORT | IL | ISS | TRANSLATION_3), 0x21 << 26 | IL | EXTERNAL);
}

#[test]
fn state_after_an_exception_is_what_the_processor_makes_it() {
    let host = Host::with_realm();
    let after = |pstate, sctlr| taken(&host, pstate | EL1H, sctlr, 0, DATA_ABORT | TRANSLATION_3).pstate;
    let rest = |pstate| pstate | DAIF | EL1H;
    // All that there is, UAO, TCO, SS, IL, BTYPE and what a processor to come may add included.
    assert_eq!(after(0xFFFF_FFEF & !0xF, SPAN | SPINTMASK), rest(NZCV | DIT | PAN));
    assert_eq!(after(0xFFFF_FFE0 & !(NZCV | DIT | PAN), SPAN | SPINTMASK), rest(0));
    for flag in [1 << 31, 1 << 30, 1 << 29, 1 << 28, DIT, PAN] {
        assert_eq!(after(flag, SPAN | SPINTMASK), rest(flag), "{flag:#x}");
    }
    assert_eq!(after(0, SPINTMASK), rest(PAN));
    assert_eq!(after(PAN, SPINTMASK), rest(PAN));
    assert_eq!(after(0, SPAN | SPINTMASK | DSSBS), rest(SSBS));
    assert_eq!(after(SSBS, SPAN | SPINTMASK), rest(0));
    assert_eq!(after(0, SPAN), rest(ALLINT));
    assert_eq!(after(0, !(SPAN | SPINTMASK)), rest(PAN | SSBS | ALLINT));
}

#[test]
fn a_processor_without_maskable_nmis_has_no_mask_for_them() {
    let host = Host::on(Fake::of(|features| features.ids[4 * 8 + 1] &= !(0xF << 36)));
    host.build(&Options { hash: 0, second_rec: false });
    for sctlr in [SPAN, SPAN | SPINTMASK] {
        let found = taken(&host, EL1H, sctlr, 0, DATA_ABORT | TRANSLATION_3);
        assert_eq!(found.pstate, DAIF | EL1H);
    }
}
