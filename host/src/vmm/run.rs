//! Running vCPUs: each on the CPU of its number, in a loop of entries and exits (RMM 1.0, A4).

use abi::psci;
use abi::rmi::{ExitReason, RecEnter, RecExit, RecRun, Ripas, Status, enter};
use core::mem::offset_of;

use super::fault::Repeated;
use super::gic::{PHYSICAL_TIMER, VIRTUAL_TIMER};
use super::mmio::Mmio;
use super::{Counts, Error, Normal, Stop, Vcpu, Vm, ripas};

/// Offset of the exit structure in the page through which a REC is entered.
const EXIT: u64 = offset_of!(RecRun, exit) as u64;
/// Channel on which the outside asks for an end.
const QUIT: u8 = b'Q';

const EC_SHIFT: u32 = 26;
const EC_WFX: u64 = 0x01;
const EC_SYSREG: u64 = 0x18;
const EC_DATA_ABORT: u64 = 0x24;
const ISS_ISV: u64 = 1 << 24;
const ISS_SAS_SHIFT: u32 = 22;
const ISS_WNR: u64 = 1 << 6;
/// Op0, Op1, CRn, CRm, Op2 of a trapped register, where the syndrome has them.
const SYSREG_MASK: u64 = 0x3F_FC1E;
/// ICC_SGI1R_EL1: 3, 0, c12, c11, 5.
const ICC_SGI1R: u64 = 3 << 20 | 5 << 17 | 12 << 10 | 11 << 1;

/// ENABLE, IMASK and ISTATUS of a timer's control register.
const TIMER_BITS: u64 = 0b111;
const TIMER_ASSERTED: u64 = 0b101;

/// Host calls: identifiers, and "not supported" (RHI 1.0).
const RHI_HOSTCONF_VERSION: u64 = 0xC500_004E;
const RHI_HOSTCONF_FEATURES: u64 = 0xC500_004F;
const RHI_IPA_CHANGE_ALIGNMENT: u64 = 0xC500_0050;

/// What a vCPU's loop keeps from one exit to the next entry.
#[derive(Debug, Default)]
struct Run {
    flags: u64,
    gpr0: Option<u64>,
    counts: Counts,
    repeated: Repeated,
    /// The REC may not be runnable: wait for CPU_ON.
    off: bool,
    ripas: Option<(u64, u64, Option<Ripas>)>,
}

impl<N: Normal> Vm<'_, N> {
    /// Runs the vCPU of this CPU's number until the Realm stops; a CPU without one waits and helps.
    ///
    /// An error stops the Realm and is sent as an event.
    pub fn run(&self, cpu: usize) {
        let Some(vcpu) = self.vcpus.get(cpu) else { return self.attend(cpu) };
        let mut run = Run { off: cpu != 0, ..Run::default() };
        while self.stopped().is_none() {
            if let Err(error) = self.turn(cpu, vcpu, &mut run) {
                super::event::Event::new("error")
                    .text("step", "run")
                    .text("why", &alloc::format!("{error}"))
                    .send(self.machine);
                self.stop(Stop::Fault);
            }
        }
        self.counts.lock().add(&run.counts);
    }

    /// A CPU without a vCPU: it sleeps, and takes part in an attack.
    fn attend(&self, cpu: usize) {
        while self.stopped().is_none() {
            self.take_interrupts(cpu);
            self.assist(cpu);
            if self.stopped().is_none() && !self.attack.calls(cpu) {
                self.machine.wait();
            }
        }
    }

    /// One entry and what its exit asks for.
    fn turn(&self, cpu: usize, vcpu: &Vcpu, run: &mut Run) -> Result<(), Error> {
        self.assist(cpu);
        self.direct(cpu)?;
        self.finish_ripas(vcpu, run)?;
        self.prepare(cpu, vcpu, run);
        match self.rmi().rec_enter(vcpu.rec, vcpu.run) {
            Ok(()) => {
                run.off = false;
                self.after_exit(cpu, vcpu);
                self.dispatch(cpu, vcpu, run)
            }
            // The Realm has powered off while this vCPU was outside.
            Err(refusal) if refusal.status == Some(Status::Realm(1)) => {
                self.gic.lock().fold(cpu, &[0; 16]);
                self.stop(Stop::SystemOff);
                Ok(())
            }
            // A kick sent meanwhile is pending, and ends the wait at once.
            Err(refusal) if refusal.status == Some(Status::Rec) && run.off => {
                self.gic.lock().fold(cpu, &[0; 16]);
                self.machine.wait();
                self.take_interrupts(cpu);
                Ok(())
            }
            Err(refusal) => Err(refusal.into()),
        }
    }

    fn prepare(&self, cpu: usize, vcpu: &Vcpu, run: &mut Run) {
        let lists = self.gic.lock().fill(cpu);
        self.machine.store(vcpu.run + offset_of!(RecEnter, flags) as u64, core::mem::take(&mut run.flags));
        self.machine.store(vcpu.run + offset_of!(RecEnter, gicv3_hcr) as u64, lists.hcr);
        for (at, register) in (vcpu.run + offset_of!(RecEnter, gicv3_lrs) as u64..).step_by(8).zip(lists.registers) {
            self.machine.store(at, register);
        }
        if let Some(value) = run.gpr0.take() {
            self.machine.store(vcpu.run + offset_of!(RecEnter, gprs) as u64, value);
        }
    }

    /// Takes back list registers and samples the timers' lines.
    fn after_exit(&self, cpu: usize, vcpu: &Vcpu) {
        let mut registers = [0; 16];
        for (at, register) in (offset_of!(RecExit, gicv3_lrs)..).step_by(8).zip(&mut registers) {
            *register = self.exit(vcpu, at);
        }
        let virtual_timer = self.exit(vcpu, offset_of!(RecExit, cntv_ctl)) & TIMER_BITS == TIMER_ASSERTED;
        let physical_timer = self.exit(vcpu, offset_of!(RecExit, cntp_ctl)) & TIMER_BITS == TIMER_ASSERTED;
        let mut gic = self.gic.lock();
        gic.fold(cpu, &registers);
        gic.set_line(cpu, VIRTUAL_TIMER, virtual_timer);
        gic.set_line(cpu, PHYSICAL_TIMER, physical_timer);
    }

    fn dispatch(&self, cpu: usize, vcpu: &Vcpu, run: &mut Run) -> Result<(), Error> {
        let reason = self.exit(vcpu, offset_of!(RecExit, exit_reason)) & 0xFF;
        match u8::try_from(reason).ok().and_then(ExitReason::from_number) {
            Some(ExitReason::Irq | ExitReason::Fiq) => {
                run.counts.irq += 1;
                self.take_interrupts(cpu);
                Ok(())
            }
            Some(ExitReason::Sync) => self.synchronous(cpu, vcpu, run),
            Some(ExitReason::Psci) => self.psci(vcpu, run),
            Some(ExitReason::RipasChange) => {
                run.counts.ripas += 1;
                let ripas = Ripas::from_number(self.exit(vcpu, offset_of!(RecExit, ripas_value)) & 0xFF);
                let base = self.exit(vcpu, offset_of!(RecExit, ripas_base));
                run.ripas = Some((base, self.exit(vcpu, offset_of!(RecExit, ripas_top)), ripas));
                Ok(())
            }
            Some(ExitReason::HostCall) => {
                run.counts.host_call += 1;
                self.host_call(vcpu, run);
                Ok(())
            }
            Some(ExitReason::SError) => {
                run.counts.serror += 1;
                Ok(())
            }
            None => Err(Error::Exit { reason }),
        }
    }

    fn synchronous(&self, cpu: usize, vcpu: &Vcpu, run: &mut Run) -> Result<(), Error> {
        let esr = self.exit(vcpu, offset_of!(RecExit, esr));
        match esr >> EC_SHIFT & 0x3F {
            EC_DATA_ABORT => self.data_abort(cpu, vcpu, run, esr),
            EC_SYSREG => {
                if esr & SYSREG_MASK == ICC_SGI1R {
                    run.counts.sgi += 1;
                    self.gic.lock().send_sgi(cpu, self.exit(vcpu, offset_of!(RecExit, gprs)));
                    self.kick_due(cpu);
                }
                Ok(())
            }
            EC_WFX => {
                run.counts.wfx += 1;
                Ok(())
            }
            _ => Err(Error::Syndrome { esr, ipa: self.fault_address(vcpu) }),
        }
    }

    fn data_abort(&self, cpu: usize, vcpu: &Vcpu, run: &mut Run, esr: u64) -> Result<(), Error> {
        let shared_bit = self.realm.shared_bit();
        let ipa = self.fault_address(vcpu);
        if ipa & shared_bit == 0 {
            run.counts.private += 1;
            run.counts.granted += self.private_fault(ipa, &mut run.repeated)?;
            return Ok(());
        }
        let address = ipa & !shared_bit;
        if self.memory.lock().page(address).is_some() {
            run.counts.shared += 1;
            let mapped = self.shared_fault(address)?;
            run.flags = if mapped { 0 } else { enter::INJECT_SEA };
            return Ok(());
        }
        self.device_access(cpu, vcpu, run, esr, address);
        Ok(())
    }

    fn device_access(&self, cpu: usize, vcpu: &Vcpu, run: &mut Run, esr: u64, address: u64) {
        run.counts.mmio += 1;
        let store = (esr & ISS_WNR != 0).then(|| self.exit(vcpu, offset_of!(RecExit, gprs)));
        let access = Mmio { address, size: 1 << (esr >> ISS_SAS_SHIFT & 3), store };
        let emulated = if esr & ISS_ISV == 0 { None } else { self.emulate(cpu, access) };
        match emulated {
            Some(emulated) => {
                run.counts.gic += u64::from(emulated.gic);
                run.flags = enter::EMUL_MMIO;
                run.gpr0 = Some(emulated.value);
            }
            None => run.flags = enter::INJECT_SEA,
        }
    }

    /// Completes what a Realm's CPU asked of another, or notes the end (RMM 1.0, A4.3.7).
    fn psci(&self, vcpu: &Vcpu, run: &mut Run) -> Result<(), Error> {
        run.counts.psci += 1;
        let gprs = offset_of!(RecExit, gprs);
        match self.exit(vcpu, gprs) as u32 {
            psci::CPU_ON_32 | psci::CPU_ON_64 | psci::AFFINITY_INFO_32 | psci::AFFINITY_INFO_64 => {
                let mpidr = self.exit(vcpu, gprs + 8);
                let number = (mpidr & 0xF | (mpidr >> 8 & 0xFF) << 4) as usize;
                let Some(target) = self.vcpus.get(number) else { return Err(Error::Exit { reason: mpidr }) };
                self.rmi().psci_complete(vcpu.rec, target.rec, psci::Status::Success.word())?;
                self.machine.kick(number);
            }
            psci::CPU_OFF => run.off = true,
            psci::SYSTEM_OFF => self.stop(Stop::SystemOff),
            psci::SYSTEM_RESET => self.stop(Stop::Reset),
            _ => {}
        }
        Ok(())
    }

    /// Answers a host call: the three of HOSTCONF, and "not supported" to the rest.
    fn host_call(&self, vcpu: &Vcpu, run: &mut Run) {
        for n in 0..31 {
            let value = self.exit(vcpu, offset_of!(RecExit, gprs) + 8 * n);
            self.machine.store(vcpu.run + (offset_of!(RecEnter, gprs) + 8 * n) as u64, value);
        }
        let imm = self.exit(vcpu, offset_of!(RecExit, imm)) & 0xFFFF;
        run.gpr0 = Some(match (imm, self.exit(vcpu, offset_of!(RecExit, gprs))) {
            (0, RHI_HOSTCONF_VERSION) => 0x1_0000,
            (0, RHI_HOSTCONF_FEATURES) => 1,
            (0, RHI_IPA_CHANGE_ALIGNMENT) => abi::GRANULE_U64,
            _ => u64::MAX,
        });
    }

    /// Carries out the change that the last exit asked for: before the entry that reports it, never after.
    fn finish_ripas(&self, vcpu: &Vcpu, run: &mut Run) -> Result<(), Error> {
        match run.ripas.take() {
            Some((base, top, ripas)) => self.change_ripas(vcpu.rec, ripas::request(base, top), ripas),
            None => Ok(()),
        }
    }

    fn take_interrupts(&self, cpu: usize) {
        if !self.machine.acknowledge().input {
            return;
        }
        while let Some((channel, bytes)) = self.machine.input() {
            if channel == QUIT {
                self.stop(Stop::Asked);
            } else {
                self.feed(cpu, channel, &bytes);
            }
        }
    }

    fn fault_address(&self, vcpu: &Vcpu) -> u64 {
        let page = (self.exit(vcpu, offset_of!(RecExit, hpfar)) & !0xF) << 8;
        page | self.exit(vcpu, offset_of!(RecExit, far)) & 0xFFF
    }

    fn exit(&self, vcpu: &Vcpu, field: usize) -> u64 {
        self.machine.load(vcpu.run + EXIT + field as u64)
    }
}
