//! One REC_ENTER once its granules are held: checks, completion of the last exit, run loop, report.

use super::{abort, complete, gic, inject, sysreg, timer};
use crate::granule::Held;
use crate::platform::{Exit, Platform};
use crate::realm::Realm;
use crate::rec::context::SimdContext;
use crate::rec::{LastExit, Rec};
use crate::{Rmm, rsi};
use abi::rmi::{ExitReason, RecEnter, RecExit, Status, enter};

/// What follows an exit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// The vCPU runs on.
    Resume,
    /// The host is told; the exit structure says why.
    Leave,
}

/// A vCPU in the hands of this CPU, and what it will tell the host.
pub struct Session<'s, P: Platform> {
    /// The RMM.
    pub rmm: &'s Rmm<P>,
    /// The REC.
    pub rec: &'s mut Rec,
    /// The granule of its attestation token.
    pub token: &'s mut Held,
    /// What the host is told.
    pub exit: &'s mut RecExit,
}

const HCR_TWI: u64 = 1 << 13;
const HCR_TWE: u64 = 1 << 14;
/// HCR_EL2.VSE: a virtual SError is pending.
const HCR_VSE: u64 = 1 << 8;
/// VSESR_EL2: IDS and ISS.
const VSESR: u64 = 0x1FF_FFFF;

const EC_SHIFT: u32 = 26;
const EC: u64 = 0x3F << EC_SHIFT;
const EC_WFX: u64 = 0x01;
const EC_HVC: u64 = 0x16;
const EC_SMC: u64 = 0x17;
const EC_SYSREG: u64 = 0x18;
const EC_INSTRUCTION_ABORT: u64 = 0x20;
const EC_DATA_ABORT: u64 = 0x24;

/// ESR_EL2.IL: the instruction has 32 bits; some of AArch32, at EL0, have 16.
const LONG: u64 = 1 << 25;
const WFX_KIND: u64 = 0b11;
const WFX_REGISTER_VALID: u64 = 1 << 2;
const SERROR_IDS: u64 = 1 << 24;
const SERROR_AET: u64 = 0b111 << 10;
const SERROR_UEU: u64 = 0b001 << 10;
const SERROR_UER: u64 = 0b011 << 10;
const SERROR_UC: u64 = 0;
const SERROR_EA: u64 = 1 << 9;
const DFSC: u64 = 0x3F;
const DFSC_SERROR: u64 = 0x11;

impl<'s, P: Platform> Session<'s, P> {
    /// Gives the machine.
    pub const fn platform(&self) -> &'s P {
        &self.rmm.platform
    }

    /// Enters the REC as the host's `enter` says, once it is found right.
    pub fn enter(mut self, enter: &RecEnter, simd: &mut SimdContext) -> Result<(), Status> {
        self.check(enter)?;
        // Commit.
        gic::load(self.platform().features(), enter, &mut self.rec.context.gic);
        let next = complete::last_exit(&mut self, enter);
        if next == Next::Resume {
            self.rec.last = LastExit::default();
            self.trap_waits(enter.flags);
            self.run(simd);
        }
        gic::report(self.platform().features(), &self.rec.context.gic, self.exit);
        timer::report(self.rmm.platform().count(), self.rec, self.exit);
        self.exit.pmu_ovf_status = u8::from(has_overflowed(self.rec));
        Ok(())
    }

    fn check(&self, enter: &RecEnter) -> Result<(), Status> {
        Realm::owner(self.platform(), self.rec.owner()).phase().require_active()?;
        let emulated = enter.flags & enter::EMUL_MMIO != 0 && enter.flags & enter::INJECT_SEA == 0;
        if !gic::is_valid(self.platform().features(), enter) || emulated && self.rec.last.emulatable == 0 {
            return Err(Status::Rec);
        }
        Ok(())
    }

    const fn trap_waits(&mut self, flags: u64) {
        let mut hcr = self.rec.context.hcr & !(HCR_TWI | HCR_TWE);
        if flags & enter::TRAP_WFI != 0 {
            hcr |= HCR_TWI;
        }
        if flags & enter::TRAP_WFE != 0 {
            hcr |= HCR_TWE;
        }
        self.rec.context.hcr = hcr;
    }

    fn run(&mut self, simd: &mut SimdContext) {
        let rmm = self.rmm;
        let platform = &rmm.platform;
        let realm = self.rec.realm;
        platform.load(&realm, &mut self.rec.context, simd);
        loop {
            if !timer::settle(platform.count(), self.rec) {
                self.leave(ExitReason::Irq);
                break;
            }
            let exit = platform.run(&realm, &mut self.rec.context, simd);
            if self.handle(exit) == Next::Leave {
                break;
            }
        }
        platform.unload(&realm, &mut self.rec.context, simd);
    }

    /// Notes why the host is told.
    pub const fn leave(&mut self, reason: ExitReason) -> Next {
        self.exit.exit_reason = reason as u8;
        Next::Leave
    }

    /// Notes a synchronous exit.
    pub const fn leave_sync(&mut self, esr: u64) -> Next {
        self.exit.esr = esr;
        self.leave(ExitReason::Sync)
    }

    fn handle(&mut self, exit: Exit) -> Next {
        match exit {
            Exit::Irq => self.leave(ExitReason::Irq),
            Exit::Fiq => self.leave(ExitReason::Fiq),
            Exit::SError { esr } => self.serror(esr),
            Exit::Sync { esr, far, hpfar } => match (esr & EC) >> EC_SHIFT {
                EC_WFX => self.wait(esr),
                EC_HVC => self.hypervisor_call(),
                EC_SMC => rsi::call(self),
                EC_SYSREG => sysreg::access(self, esr),
                EC_INSTRUCTION_ABORT => abort::instruction(self, esr, far, hpfar),
                EC_DATA_ABORT => abort::data(self, esr, far, hpfar),
                _ => self.undefined(),
            },
        }
    }

    /// Tells the vCPU that its instruction does not exist.
    pub fn undefined(&mut self) -> Next {
        inject::undefined(self.rmm.platform.features(), &mut self.rec.context);
        Next::Resume
    }

    /// Realms have no hypervisor of their own; the exception returns past the HVC, an undefined instruction is itself.
    fn hypervisor_call(&mut self) -> Next {
        self.rec.context.pc = self.rec.context.pc.wrapping_sub(4);
        self.undefined()
    }

    /// WFI, WFE, WFIT and WFET, where the host wants to know of them.
    fn wait(&mut self, esr: u64) -> Next {
        self.rec.context.pc = self.rec.context.pc.wrapping_add(if esr & LONG != 0 { 4 } else { 2 });
        if esr & WFX_REGISTER_VALID != 0 && esr & 0b10 != 0 {
            self.exit.gprs[0] = self.rec.register(esr >> 5);
        }
        self.leave_sync(esr & (EC | WFX_KIND))
    }

    /// An error of the machine's. One that may have spread stops the RMM; one that the Realm can deal with becomes its
    /// own.
    fn serror(&mut self, esr: u64) -> Next {
        let severity = esr & SERROR_AET;
        if esr & SERROR_IDS != 0 || esr & DFSC != DFSC_SERROR || severity == SERROR_UC {
            self.platform().stop("an uncontainable SError in a Realm");
        }
        if severity == SERROR_UEU || severity == SERROR_UER {
            self.rec.context.hcr |= HCR_VSE;
            self.rec.context.vsesr = esr & VSESR;
        }
        self.exit.esr = esr & (EC | SERROR_IDS | SERROR_AET | SERROR_EA | DFSC);
        self.leave(ExitReason::SError)
    }
}

/// Says whether the vCPU's performance monitors ask for an interrupt (RMM 1.0, A6.3).
const fn has_overflowed(rec: &Rec) -> bool {
    let pmu = &rec.context.pmu;
    rec.realm.pmu != 0 && pmu.pmcr & 1 != 0 && pmu.overflows & pmu.interrupts & pmu.enabled != 0
}
