use super::{FIRST_SPI, Gic, LR_ACTIVE, LR_EOI, LR_GROUP1, LR_PENDING, UNDERFLOW, VIRTUAL_TIMER};

const SGI_FRAME: u64 = 0x1_0000;

/// Two vCPUs, four list registers, group 1 on, every private interrupt of both enabled in group 1.
fn ready() -> Gic {
    let mut gic = Gic::new(2, 4);
    gic.write_distributor(0, 4, 0x12);
    for cpu in 0..2 {
        gic.write_redistributor(cpu * 0x2_0000 + SGI_FRAME + 0x80, 4, 0xFFFF_FFFF);
        gic.write_redistributor(cpu * 0x2_0000 + SGI_FRAME + 0x100, 4, 0xFFFF_FFFF);
    }
    gic
}

fn only(register: u64) -> [u64; 16] {
    let mut registers = [0; 16];
    registers[0] = register;
    registers
}

#[test]
fn a_level_interrupt_asks_for_its_end_and_is_sampled_again() {
    let mut gic = ready();
    gic.set_line(0, VIRTUAL_TIMER, true);
    let entered = gic.fill(0).registers;
    assert_eq!(entered, only(LR_PENDING | LR_GROUP1 | LR_EOI | 27));
    gic.fold(0, &only(entered[0] & !LR_PENDING | LR_ACTIVE));
    assert_eq!(gic.fill(0).registers, only(LR_ACTIVE | LR_GROUP1 | LR_EOI | 27), "active, not pending as well");
    gic.fold(0, &[0; 16]);
    assert_eq!(gic.fill(0).registers[0] & LR_PENDING, LR_PENDING, "the line is still high");
    gic.fold(0, &[0; 16]);
    gic.set_line(0, VIRTUAL_TIMER, false);
    assert_eq!(gic.fill(0).registers, [0; 16]);
}

#[test]
fn an_sgi_sent_while_the_last_one_is_listed_is_not_lost() {
    let mut gic = ready();
    gic.send_sgi(0, 1 << 24 | 0b10);
    assert_eq!(gic.due(), 0b10);
    let entered = gic.fill(1).registers;
    assert_eq!(entered, only(LR_PENDING | LR_GROUP1 | 1));
    assert_eq!(gic.due(), 0, "listed");
    gic.send_sgi(0, 1 << 24 | 0b10);
    assert_eq!(gic.due(), 0b10, "the guest may have taken the first");
    gic.fold(1, &[0; 16]);
    assert_eq!(gic.due(), 0b10);
    assert_eq!(gic.fill(1).registers, only(LR_PENDING | LR_GROUP1 | 1));
    gic.fold(1, &only(entered[0]));
    assert_eq!(gic.due(), 0b10, "not taken: still pending");
}

#[test]
fn an_sgi_to_everyone_else_spares_its_sender() {
    let mut gic = ready();
    gic.send_sgi(1, 1 << 40 | 5 << 24);
    assert_eq!(gic.due(), 0b01);
}

#[test]
fn a_shared_interrupt_goes_where_it_is_routed_and_stays_while_active() {
    let mut gic = ready();
    let intid = FIRST_SPI + 3;
    gic.write_distributor(0x84, 4, 1 << 3);
    gic.write_distributor(0x104, 4, 1 << 3);
    gic.write_distributor(0x6000 + 8 * u64::from(intid), 8, 1);
    assert_eq!(gic.read_distributor(0x6000 + 8 * u64::from(intid), 8), 1);
    gic.set_line(0, intid, true);
    assert_eq!(gic.due(), 0b10);
    assert_eq!(gic.fill(0).registers, [0; 16]);
    let entered = gic.fill(1).registers;
    assert_eq!(entered[0] & 0x3FF, u64::from(intid));
    gic.write_distributor(0x6000 + 8 * u64::from(intid), 8, 0);
    assert_eq!(gic.fill(0).registers, [0; 16], "the other vCPU has it");
    gic.fold(1, &only(entered[0] & !LR_PENDING | LR_ACTIVE));
    assert_eq!(gic.fill(0).registers, [0; 16], "the other vCPU is serving it");
    assert_eq!(gic.read_distributor(0x304, 4), 1 << 3);
}

#[test]
fn more_interrupts_than_list_registers_ask_for_an_underflow_and_come_by_priority() {
    let mut gic = ready();
    for intid in 0..6u64 {
        gic.write_redistributor(SGI_FRAME + 0x400 + intid, 1, 0xF0 - 0x10 * intid);
        gic.send_sgi(1, intid << 24 | 1);
    }
    let lists = gic.fill(0);
    assert_eq!(lists.hcr, UNDERFLOW);
    let order = lists.registers.map(|register| register & 0x3FF);
    assert_eq!(order[..5], [5, 4, 3, 2, 0]);
}

#[test]
fn nothing_is_delivered_before_the_distributor_and_the_interrupt_are_enabled() {
    let mut gic = Gic::new(1, 4);
    gic.set_line(0, VIRTUAL_TIMER, true);
    assert_eq!((gic.due(), gic.fill(0).registers), (0, [0; 16]));
    gic.write_distributor(0, 4, 2);
    assert_eq!(gic.due(), 0);
    gic.write_redistributor(SGI_FRAME + 0x100, 4, 1 << 27);
    assert_eq!(gic.due(), 1);
    gic.write_redistributor(SGI_FRAME + 0x180, 4, 1 << 27);
    assert_eq!(gic.due(), 0);
}

#[test]
fn identification_is_what_linux_reads() {
    let mut gic = ready();
    assert_eq!(gic.read_distributor(0xFFE8, 4) >> 4 & 0xF, 3);
    assert_eq!(gic.read_distributor(4, 4) & 0x1F, 1, "64 interrupts");
    assert_eq!(gic.read_redistributor(8, 8), 0);
    assert_eq!(gic.read_redistributor(0x2_0008, 8), 1 << 32 | 1 << 8 | 1 << 4);
    assert_eq!(gic.read_redistributor(0x2_000C, 4), 1);
    assert_eq!(gic.read_redistributor(0x14, 4), 0b110);
    gic.write_redistributor(0x14, 4, 0);
    assert_eq!(gic.read_redistributor(0x14, 4), 0);
    assert_eq!(gic.read_redistributor(0x4_0008, 8), 0, "no such vCPU");
}

#[test]
fn wild_accesses_are_harmless() {
    let mut gic = ready();
    for offset in (0..0x1_0000).step_by(4) {
        for size in [1, 4, 8] {
            gic.write_distributor(offset, size, u64::MAX);
            let _ = gic.read_distributor(offset, size);
            gic.write_redistributor(offset + SGI_FRAME, size, u64::MAX);
            let _ = gic.read_redistributor(offset + SGI_FRAME, size);
        }
    }
    assert_eq!(
        gic.fill(0).registers[0] & 0x1FFF_0000_0000 & !LR_EOI,
        0,
        "no physical interrupt number, whatever was written"
    );
}
