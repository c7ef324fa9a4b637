//! Performance monitors (Arm ARM, D13), switched for Realms that have them. For others they trap, and the Normal world's
//! stand still.

use cpu::{read, write};
use rmm::rec::context::Pmu;

/// PMCR_EL0.E: they count.
const COUNTING: u64 = 1;
/// What of PMCR_EL0 is state: E, D, X, DP, LC, LP. C and P would reset counters.
const STATE: u64 = 0xf9;
const ALL: u64 = 0xffff_ffff;

macro_rules! bank {
    ($($index:literal $counter:ident $kind:ident,)*) => {
        fn read_event(index: usize) -> (u64, u64) {
            match index {
                $($index => (read!($counter), read!($kind)),)*
                _ => (0, 0),
            }
        }

        fn write_event(index: usize, counter: u64, kind: u64) {
            match index {
                $($index => {
                    write!($counter, counter);
                    write!($kind, kind);
                })*
                _ => {}
            }
        }
    };
}

bank! {
    0 pmevcntr0_el0 pmevtyper0_el0, 1 pmevcntr1_el0 pmevtyper1_el0, 2 pmevcntr2_el0 pmevtyper2_el0,
    3 pmevcntr3_el0 pmevtyper3_el0, 4 pmevcntr4_el0 pmevtyper4_el0, 5 pmevcntr5_el0 pmevtyper5_el0,
    6 pmevcntr6_el0 pmevtyper6_el0, 7 pmevcntr7_el0 pmevtyper7_el0, 8 pmevcntr8_el0 pmevtyper8_el0,
    9 pmevcntr9_el0 pmevtyper9_el0, 10 pmevcntr10_el0 pmevtyper10_el0, 11 pmevcntr11_el0 pmevtyper11_el0,
    12 pmevcntr12_el0 pmevtyper12_el0, 13 pmevcntr13_el0 pmevtyper13_el0, 14 pmevcntr14_el0 pmevtyper14_el0,
    15 pmevcntr15_el0 pmevtyper15_el0, 16 pmevcntr16_el0 pmevtyper16_el0, 17 pmevcntr17_el0 pmevtyper17_el0,
    18 pmevcntr18_el0 pmevtyper18_el0, 19 pmevcntr19_el0 pmevtyper19_el0, 20 pmevcntr20_el0 pmevtyper20_el0,
    21 pmevcntr21_el0 pmevtyper21_el0, 22 pmevcntr22_el0 pmevtyper22_el0, 23 pmevcntr23_el0 pmevtyper23_el0,
    24 pmevcntr24_el0 pmevtyper24_el0, 25 pmevcntr25_el0 pmevtyper25_el0, 26 pmevcntr26_el0 pmevtyper26_el0,
    27 pmevcntr27_el0 pmevtyper27_el0, 28 pmevcntr28_el0 pmevtyper28_el0, 29 pmevcntr29_el0 pmevtyper29_el0,
    30 pmevcntr30_el0 pmevtyper30_el0,
}

/// Gives the number of event counters: PMCR_EL0.N, at EL2.
pub fn counters() -> u64 {
    read!(pmcr_el0) >> 11 & 0x1f
}

/// Where one CPU keeps the Normal world's.
pub struct Aside {
    normal: Pmu,
    given: bool,
}

impl Aside {
    /// Makes an empty place.
    pub const fn new() -> Self {
        let normal = Pmu {
            pmcr: 0,
            enabled: 0,
            interrupts: 0,
            overflows: 0,
            selr: 0,
            userenr: 0,
            cycles: 0,
            filter: 0,
            counters: [0; 31],
            types: [0; 31],
        };
        Self { normal, given: false }
    }

    /// Says whether the vCPU has the monitors.
    pub const fn given(&self) -> bool {
        self.given
    }

    /// Gives them to a vCPU. `number` is that of the processor's event counters.
    #[cold]
    pub fn give(&mut self, number: usize, pmu: &Pmu) {
        save(&mut self.normal, number);
        load(pmu, number);
        self.given = true;
    }

    /// Gives them back to the Normal world; the vCPU's are in `pmu` then.
    #[cold]
    pub fn take_back(&mut self, number: usize, pmu: &mut Pmu) {
        save(pmu, number);
        load(&self.normal, number);
        self.given = false;
    }
}

/// Stops counting, and saves who used the monitors last.
fn save(into: &mut Pmu, number: usize) {
    into.pmcr = read!(pmcr_el0) & STATE;
    write!(pmcr_el0, into.pmcr & !COUNTING);
    cpu::barrier::isb();
    into.enabled = read!(pmcntenset_el0);
    into.interrupts = read!(pmintenset_el1);
    into.overflows = read!(pmovsset_el0);
    into.selr = read!(pmselr_el0);
    into.userenr = read!(pmuserenr_el0);
    into.cycles = read!(pmccntr_el0);
    into.filter = read!(pmccfiltr_el0);
    let events = into.counters.iter_mut().zip(&mut into.types).take(number);
    events.enumerate().for_each(|(index, (counter, kind))| (*counter, *kind) = read_event(index));
}

/// Loads who uses the monitors next, all of them: nothing is left of who used them last.
fn load(from: &Pmu, number: usize) {
    write!(pmcntenclr_el0, ALL);
    write!(pmcntenset_el0, from.enabled);
    write!(pmintenclr_el1, ALL);
    write!(pmintenset_el1, from.interrupts);
    write!(pmovsclr_el0, ALL);
    write!(pmovsset_el0, from.overflows);
    write!(pmselr_el0, from.selr);
    write!(pmuserenr_el0, from.userenr);
    write!(pmccntr_el0, from.cycles);
    write!(pmccfiltr_el0, from.filter);
    let events = from.counters.iter().zip(&from.types).take(number);
    events.enumerate().for_each(|(index, (counter, kind))| write_event(index, *counter, *kind));
    cpu::barrier::isb();
    write!(pmcr_el0, from.pmcr & STATE);
}
