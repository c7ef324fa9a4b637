//! Small programs by hand: each rule holds with its barrier, and is broken without.

use super::decode::{Code, Kind};
use super::look;
use super::rules::Level;

const NOP: u32 = 0xD503_201F;
const RET: u32 = 0xD65F_03C0;
const ERET: u32 = 0xD69F_03E0;
const DSB_SY: u32 = 0xD503_3F9F;
const DSB_ISH: u32 = 0xD503_3B9F;
const ISB: u32 = 0xD503_3FDF;
const TLBI_VMALLE1IS: u32 = 0xD508_831F;
const TLBI_PAALLOS: u32 = 0xD50E_819F;
const STR: u32 = 0xF900_0000;
const LDR: u32 = 0xF940_0000;
const BL_FORWARDS: u32 = 0x9400_0002;
const MSR_TTBR0_EL3: u32 = 0xD51E_2000;
const MSR_TTBR0_EL2: u32 = 0xD51C_2000;
const MSR_GPCCR_EL3: u32 = 0xD51E_21C0;
const MSR_VTTBR_EL2: u32 = 0xD51C_2100;
const MSR_CPTR_EL2: u32 = 0xD51C_1140;
const MSR_SCR_EL3: u32 = 0xD51E_1100;
const MSR_ICC_EOIR1_EL1: u32 = 0xD518_CC20;
const MSR_MDCR_EL2: u32 = 0xD51C_1120;
const MRS_ICC_IAR1_EL1: u32 = 0xD538_CC00;
const MRS_PAR_EL1: u32 = 0xD538_7400;
const MRS_PMCNTENSET_EL0: u32 = 0xD53B_9C20;
const AT_S1E1R: u32 = 0xD508_7800;
const IC_IALLU: u32 = 0xD508_751F;
const FMOV: u32 = 0x9E67_0000;
/// `b.eq` over two instructions.
const OVER_TWO: u32 = 0x5400_0060;

fn broken(level: Level, program: &[u32]) -> Vec<String> {
    look(&Code::of(program), level).broken
}

/// Each barrier of the program is needed: without it, a rule is broken.
fn needs(level: Level, program: &[u32]) {
    assert_eq!(broken(level, program), Vec::<String>::new(), "with its barriers");
    let findings = look(&Code::of(program), level);
    assert_eq!(findings.needed, findings.barriers, "every barrier is needed: {program:x?}");
    let barriers = (0..program.len()).filter(|at| [DSB_SY, DSB_ISH, ISB].contains(&program[*at]));
    for at in barriers {
        let mut without = program.to_vec();
        without[at] = NOP;
        assert!(!broken(level, &without).is_empty(), "instruction {at} of {program:x?} can go");
    }
}

#[test]
fn invalidations_stand_between_barriers() {
    needs(Level::El2, &[STR, DSB_ISH, TLBI_VMALLE1IS, DSB_ISH, ISB, LDR, RET]);
    needs(Level::El3, &[STR, DSB_SY, TLBI_PAALLOS, DSB_SY, ISB, RET]);
    // Several share their barriers; an exception return is one.
    needs(Level::El2, &[STR, DSB_ISH, TLBI_VMALLE1IS, TLBI_VMALLE1IS, DSB_ISH, ERET]);
    assert_eq!(broken(Level::El2, &[DSB_SY, STR, TLBI_VMALLE1IS, DSB_SY, ISB, RET]).len(), 1, "a store in between");
}

#[test]
fn every_way_is_followed() {
    // The branch goes around the DSB, to the ISB.
    let around = [DSB_SY, TLBI_VMALLE1IS, OVER_TWO, NOP, DSB_SY, ISB, RET];
    assert_eq!(broken(Level::El2, &around).len(), 1, "{:?}", broken(Level::El2, &around));
    let to_it = [DSB_SY, TLBI_VMALLE1IS, OVER_TWO, NOP, NOP, DSB_SY, ISB, RET];
    assert!(broken(Level::El2, &to_it).is_empty());
    // Who calls may have written anything.
    let called = [BL_FORWARDS, RET, TLBI_VMALLE1IS, DSB_SY, ISB, RET];
    assert_eq!(broken(Level::El2, &called).len(), 1);
}

#[test]
fn what_a_program_changes_for_itself_takes_effect() {
    needs(Level::El3, &[MSR_TTBR0_EL3, ISB, LDR, RET]);
    needs(Level::El2, &[MSR_TTBR0_EL2, ISB, LDR, RET]);
    assert!(
        broken(Level::El3, &[MSR_TTBR0_EL2, LDR, RET]).is_empty(),
        "another level's, which an exception return reaches"
    );
    needs(Level::El3, &[MSR_GPCCR_EL3, ISB, STR, DSB_SY, TLBI_PAALLOS, DSB_SY, ISB, RET]);
    needs(Level::El2, &[MSR_CPTR_EL2, ISB, FMOV, RET]);
    assert!(!broken(Level::El3, &[MSR_GPCCR_EL3, TLBI_PAALLOS, DSB_SY, ISB, RET]).is_empty());
}

#[test]
fn translations_counters_and_interrupts_are_in_order() {
    needs(Level::El2, &[MSR_VTTBR_EL2, ISB, AT_S1E1R, ISB, MRS_PAR_EL1, RET]);
    needs(Level::El2, &[MSR_MDCR_EL2, ISB, MRS_PMCNTENSET_EL0, RET]);
    needs(Level::El3, &[MSR_SCR_EL3, ISB, MRS_ICC_IAR1_EL1, DSB_SY, MSR_ICC_EOIR1_EL1, ISB, RET]);
    needs(Level::El3, &[IC_IALLU, DSB_SY, ISB, RET]);
}

#[test]
fn instructions_are_what_the_manual_says() {
    let kinds =
        Code::of(&[0x1400_0002, 0x5400_0041, 0xB4FF_FFE0, 0x37F8_0040, 0xD63F_0000, 0xD61F_0000, 0xD400_0003]).kinds;
    let expected =
        [Kind::Jump(2), Kind::Branch(3), Kind::Branch(1), Kind::Branch(5), Kind::Call, Kind::Return, Kind::Leave];
    assert_eq!(kinds, expected);
    // stp, ldp, stlxr, ldaxr, stlr, ldar, ldadd, ldr (literal), str q0, dc civac, wfi, udf.
    let kinds = Code::of(&[
        0xA900_0400,
        0xA940_0400,
        0xC802_FC01,
        0xC85F_FC01,
        0xC89F_FC01,
        0xC8DF_FC01,
        0xF821_0002,
        0x5800_0040,
        0x3D80_0000,
        0xD50B_7E20,
        0xD503_207F,
        0,
    ])
    .kinds;
    use Kind::{Leave, Load, Simd, Stop, Store};
    assert_eq!(kinds, [Store, Load, Store, Load, Store, Load, Store, Load, Simd, Store, Leave, Stop]);
}
