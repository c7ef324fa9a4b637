//! What makes each command of the host fail: the fault that is put into a call which otherwise succeeds.

use machine::model::{GRANULE, fid};

use crate::stage::*;

/// RMI_ERROR_INPUT.
pub const INPUT: u64 = 1;
/// RMI_ERROR_REC.
const REC: u64 = 3;

/// RMI_ERROR_REALM.
const fn in_realm(index: u64) -> u64 {
    2 | index << 8
}

/// RMI_ERROR_RTT.
const fn at_level(level: u64) -> u64 {
    4 | level << 8
}

/// One way to meet a condition.
pub struct Row {
    pub id: &'static str,
    /// Arguments that are other than in the good call.
    pub arguments: Vec<(usize, u64)>,
    /// Words that are other in its page.
    pub words: Words,
    /// What x0 is then, and the outputs that are not zero.
    pub x0: u64,
    pub outputs: Vec<(usize, u64)>,
}

/// A command: a call that succeeds, and rows each of which makes it fail.
pub struct Table {
    pub name: &'static str,
    /// x0 and up.
    pub good: Vec<u64>,
    /// The page that it names.
    pub page: Option<(u64, Words)>,
    pub rows: Vec<Row>,
}

impl Table {
    fn new(name: &'static str, good: &[u64]) -> Table {
        Table { name, good: good.into(), page: None, rows: vec![] }
    }

    fn page(mut self, pa: u64, words: Words) -> Table {
        self.page = Some((pa, words));
        self
    }

    /// An argument is one of several others.
    fn row(self, id: &'static str, argument: usize, values: &[u64], x0: u64) -> Table {
        values.iter().fold(self, |table, value| table.rows(id, &[(argument, *value)], x0))
    }

    /// Arguments are others.
    fn rows(mut self, id: &'static str, arguments: &[(usize, u64)], x0: u64) -> Table {
        self.rows.push(Row { id, arguments: arguments.into(), words: vec![], x0, outputs: vec![] });
        self
    }

    /// A word of the page is one of several others.
    fn word(mut self, id: &'static str, at: usize, values: &[u64], x0: u64) -> Table {
        let row = |value: &u64| Row { id, arguments: vec![], words: vec![(at, *value)], x0, outputs: vec![] };
        self.rows.extend(values.iter().map(row));
        self
    }

    /// Words of the page are others.
    fn words(mut self, id: &'static str, words: &[(usize, u64)], x0: u64) -> Table {
        self.rows.push(Row { id, arguments: vec![], words: words.into(), x0, outputs: vec![] });
        self
    }

    /// The last row has an output.
    fn output(mut self, register: usize, value: u64) -> Table {
        self.rows.last_mut().expect("a row").outputs.push((register, value));
        self
    }

    /// An argument is no granule that the RMM tracks.
    fn address(self, align: &'static str, bound: &'static str, argument: usize) -> Table {
        let good = self.good[argument];
        let table = self.row(align, argument, &[good + 1, good + 8, good | 0x800, u64::MAX], INPUT);
        table.row(bound, argument, &[DEVICE, BEYOND, 0, 0xFFFF_FFFF_FFFF_F000], INPUT)
    }

    /// The realm's descriptor is none.
    fn rd(self, argument: usize) -> Table {
        let table = self.address("rd_align", "rd_bound", argument);
        table.row("rd_state", argument, &[NORMAL, SPARE, ROOT, NEW_REC, NEW_REC + GRANULE, DATA], INPUT)
    }

    /// A granule that has to be delegated and free is not.
    fn free(self, ids: [&'static str; 3], argument: usize) -> Table {
        let table = self.address(ids[0], ids[1], argument);
        table.row(ids[2], argument, &[NORMAL, EMPTY, ROOT, NEW_REC, NEW_REC + GRANULE, DATA], INPUT)
    }

    /// A REC is none.
    fn rec(self, ids: [&'static str; 3], argument: usize) -> Table {
        let table = self.address(ids[0], ids[1], argument);
        table.row(ids[2], argument, &[NORMAL, SPARES[7], ACTIVE, ROOT, NEW_REC + GRANULE, DATA], INPUT)
    }

    /// A page that has to be the host's is not.
    fn normal(self, ids: [&'static str; 3], argument: usize) -> Table {
        let table = self.address(ids[0], ids[1], argument);
        table.row(ids[2], argument, &[SPARES[7], DATA, NEW, STOLEN], INPUT)
    }
}

/// Levels of no table below the first ones.
const NO_TABLE: [u64; 5] = [0, 4, u64::MAX, 1 << 32, 1 << 63];
const DELEGATED: [&str; 3] = ["data_align", "data_bound", "data_state"];

/// Every command and every condition of it, but those that need another CPU.
pub fn tables() -> Vec<Table> {
    [granules(), data(), realms(), recs(), entries(), ranges()].into_iter().flatten().collect()
}

fn granules() -> Vec<Table> {
    let delegate = Table::new("RMI_GRANULE_DELEGATE", &[fid::GRANULE_DELEGATE, NORMAL])
        .address("gran_align", "gran_bound", 1)
        .row("gran_state", 1, &[SPARE, NEW, ROOT, NEW_REC, NEW_REC + GRANULE, DATA], INPUT)
        .row("gran_gpt", 1, &[STOLEN], INPUT);
    let undelegate = Table::new("RMI_GRANULE_UNDELEGATE", &[fid::GRANULE_UNDELEGATE, SPARE])
        .address("gran_align", "gran_bound", 1)
        .row("gran_state", 1, &[NORMAL, NEW, ROOT, NEW_REC, NEW_REC + GRANULE, DATA], INPUT);
    vec![delegate, undelegate]
}

fn data() -> Vec<Table> {
    let create = Table::new("RMI_DATA_CREATE", &[fid::DATA_CREATE, NEW, SPARE, GRANULE, SOURCE, 1])
        .normal(["src_align", "src_bound", "src_pas"], 4)
        .free(DELEGATED, 2)
        .row("data_bound2", 2, &[BEYOND, 1 << 51], INPUT)
        .rd(1)
        .row("flags_valid", 5, &[2, 3, 1 << 32, u64::MAX], INPUT)
        .row("ipa_align", 3, &[GRANULE + 8, GRANULE | 0x800], INPUT)
        .row("ipa_bound", 3, &[HALF, END, u64::MAX << 12], INPUT)
        .row("realm_state", 1, &[ACTIVE, OFF], in_realm(0))
        .row("rtt_walk", 3, &[SIZE_2], at_level(2))
        .row("rtt_walk", 3, &[SIZE_1 + GRANULE], at_level(1))
        .row("rtte_state", 3, &[0], at_level(3));
    let unknown = Table::new("RMI_DATA_CREATE_UNKNOWN", &[fid::DATA_CREATE_UNKNOWN, NEW, SPARE, GRANULE])
        .free(DELEGATED, 2)
        .row("data_bound2", 2, &[BEYOND, 1 << 51], INPUT)
        .rd(1)
        .row("ipa_align", 3, &[GRANULE + 8, GRANULE | 0x800], INPUT)
        .row("ipa_bound", 3, &[HALF, END, u64::MAX << 12], INPUT)
        .row("rtt_walk", 3, &[SIZE_2], at_level(2))
        .row("rtt_walk", 3, &[SIZE_1 + GRANULE], at_level(1))
        .row("rtte_state", 3, &[0], at_level(3));
    let destroy = Table::new("RMI_DATA_DESTROY", &[fid::DATA_DESTROY, NEW, 0])
        .rd(1)
        .row("ipa_align", 2, &[8, 0x800], INPUT)
        .row("ipa_bound", 2, &[HALF, END, u64::MAX << 12], INPUT)
        .row("rtt_walk", 2, &[SIZE_2], at_level(2))
        .output(2, IDLE)
        .row("rtt_walk", 2, &[SIZE_1 + GRANULE], at_level(1))
        .output(2, 512 * SIZE_1)
        .row("rtte_state", 2, &[GRANULE], at_level(3))
        .output(2, SIZE_2);
    vec![create, unknown, destroy]
}

fn realms() -> Vec<Table> {
    let activate = Table::new("RMI_REALM_ACTIVATE", &[fid::REALM_ACTIVATE, NEW]).rd(1).row(
        "realm_state",
        1,
        &[ACTIVE, OFF],
        in_realm(0),
    );
    let destroy = Table::new("RMI_REALM_DESTROY", &[fid::REALM_DESTROY, EMPTY]).rd(1).row(
        "realm_live",
        1,
        &[NEW, ACTIVE, OFF, TABLED],
        in_realm(0),
    );
    let count = Table::new("RMI_REC_AUX_COUNT", &[fid::REC_AUX_COUNT, NEW]).rd(1);
    vec![activate, destroy, count, realm_create()]
}

fn realm_create() -> Table {
    // Four first tables from level 2 on for 32 bits: enough to be misaligned.
    let root = SPARES[3];
    Table::new("RMI_REALM_CREATE", &[fid::REALM_CREATE, SPARE, PARAMS])
        .page(PARAMS, vec![(0x8, 32), (0x18, 1), (0x20, 2), (0x800, 9), (0x808, root), (0x810, 2), (0x818, 4)])
        .normal(["params_align", "params_bound", "params_pas"], 2)
        .word("params_valid", 0x30, &[2, 3, 0xFF], INPUT)
        .word("params_valid", 0x18, &[0], INPUT)
        .word("params_valid", 0x20, &[0], INPUT)
        .word("params_supp", 0x0, &[1, 4, 5], INPUT)
        .words("params_supp", &[(0, 2), (0x10, 2)], INPUT)
        .words("params_supp", &[(0, 2), (0x10, 0xFF)], INPUT)
        .word("params_supp", 0x8, &[0, 31, 49, 52, 0xFF], INPUT)
        .word("params_supp", 0x18, &[6, 0xFF], INPUT)
        .word("params_supp", 0x20, &[4, 0xFF], INPUT)
        .rows("alias", &[(1, root)], INPUT)
        .rows("alias", &[(1, root + 3 * GRANULE)], INPUT)
        .free(["rd_align", "rd_bound", "rd_state"], 1)
        .word("rtt_align", 0x808, &[root + GRANULE, root + 8, root | 0x800], INPUT)
        .word("rtt_num_level", 0x818, &[0, 1, 2, 8, 0xFFFF_FFFF], INPUT)
        .word("rtt_num_level", 0x810, &[0, 1, 3, 4, u64::MAX, 1 << 32], INPUT)
        .word("rtt_state", 0x808, &[NORMAL & !(4 * GRANULE - 1), NEW_REC & !(4 * GRANULE - 1), DEVICE, BEYOND], INPUT)
        .word("vmid_valid", 0x800, &[1, 2, 256, 0xFFFF], INPUT)
}

fn recs() -> Vec<Table> {
    let destroy = Table::new("RMI_REC_DESTROY", &[fid::REC_DESTROY, NEW_REC])
        .rec(["rec_align", "rec_bound", "rec_gran_state"], 1);
    let enter = Table::new("RMI_REC_ENTER", &[fid::REC_ENTER, FRESH, RUN])
        .page(RUN, vec![])
        .normal(["run_align", "run_bound", "run_pas"], 2)
        .rec(["rec_align", "rec_bound", "rec_gran_state"], 1)
        .row("realm_new", 1, &[NEW_REC, NEW_REC_1], in_realm(0))
        .row("system_off", 1, &[OFF_REC, OFF_REC_1], in_realm(1))
        .row("rec_runnable", 1, &[STOPPED], REC)
        .row("rec_psci", 1, &[CALLING], REC)
        .word("rec_mmio", 0, &[1, 1 | 16], REC)
        .word("rec_gicv3", 0x300, &[1, 1 << 8, 1 << 10, 1 << 11, 1 << 15, 1 << 27, 1 << 63], REC)
        .word("rec_gicv3", 0x308, &[3 << 61 | 40, 1 << 62 | 1020, 1 << 62 | 1 << 48 | 40, 1 << 62 | 1 << 32 | 40], REC);
    vec![rec_create(), destroy, enter, psci_complete()]
}

fn rec_create() -> Table {
    let [aux, other, ..] = SPARES;
    Table::new("RMI_REC_CREATE", &[fid::REC_CREATE, NEW, SPARE, PARAMS])
        .page(PARAMS, rec_words(2, true, 0, &SPARES[..2]))
        .normal(["params_align", "params_bound", "params_pas"], 3)
        .free(["rec_align", "rec_bound", "rec_state"], 2)
        .rd(1)
        .row("realm_state", 1, &[ACTIVE, OFF], in_realm(0))
        .word("mpidr_index", 0x100, &[0, 1, 3, 0x12, 1 << 4, 2 | 1 << 31, 1 << 32 | 2, u64::MAX], INPUT)
        .word("num_aux", 0x800, &[0, 1, 3, 16, 17, u64::MAX], INPUT)
        .word("aux_align", 0x808, &[aux + 1, aux | 0x800], INPUT)
        .word("aux_alias", 0x808, &[SPARE, other], INPUT)
        .word("aux_state", 0x808, &[NORMAL, NEW, ROOT, NEW_REC, NEW_REC + GRANULE, DATA, DEVICE, BEYOND], INPUT)
        .word("aux_state", 0x810, &[NORMAL, NEW, ROOT, NEW_REC, NEW_REC + GRANULE, DATA, DEVICE, BEYOND], INPUT)
}

fn psci_complete() -> Table {
    Table::new("RMI_PSCI_COMPLETE", &[fid::PSCI_COMPLETE, CALLING, STOPPED, 0])
        .rows("alias", &[(2, CALLING)], INPUT)
        .rows("alias", &[(1, STOPPED)], INPUT)
        .rec(["calling_align", "calling_bound", "calling_state"], 1)
        .rec(["target_align", "target_bound", "target_state"], 2)
        .row("pending", 1, &[FRESH, CHANGING], INPUT)
        .row("owner", 2, &[NEW_REC_1, OFF_REC_1], INPUT)
        .row("target", 2, &[FRESH, CHANGING], INPUT)
        .row("status", 3, &[1, (-1_i64).cast_unsigned(), (-3_i64).cast_unsigned(), u64::MAX >> 1, 1 << 32], INPUT)
}

fn entries() -> Vec<Table> {
    vec![rtt_create(), rtt_destroy(), rtt_fold(), rtt_read_entry(), map(), unmap()]
}

/// Arguments that name no table: the address is argument `ipa`, the level the one after it.
fn names_table(table: Table, ipa: usize) -> Table {
    table
        .rd(1)
        .row("level_bound", ipa + 1, &NO_TABLE, INPUT)
        .row("ipa_align", ipa, &[IDLE + GRANULE, IDLE + 1], INPUT)
        .row("ipa_bound", ipa, &[END, !(SIZE_1 - 1)], INPUT)
}

fn rtt_create() -> Table {
    names_table(Table::new("RMI_RTT_CREATE", &[fid::RTT_CREATE, NEW, SPARE, SIZE_2, 3]), 3)
        .free(["rtt_align", "rtt_bound", "rtt_state"], 2)
        .row("rtt_bound2", 2, &[BEYOND, 1 << 51], INPUT)
        .row("rtt_walk", 3, &[SIZE_1], at_level(1))
        .row("rtt_walk", 3, &[512 * SIZE_1 - SIZE_2], at_level(1))
        .row("rtte_state", 3, &[0, HALF], at_level(2))
        .rows("rtte_state", &[(3, 0), (4, 1)], at_level(0))
}

fn rtt_destroy() -> Table {
    names_table(Table::new("RMI_RTT_DESTROY", &[fid::RTT_DESTROY, NEW, IDLE, 3]), 2)
        .row("rtt_walk", 2, &[SIZE_1], at_level(1))
        .output(2, 512 * SIZE_1)
        .row("rtte_state", 2, &[SIZE_2], at_level(2))
        .output(2, IDLE)
        .row("rtt_live", 2, &[0], at_level(3))
        .output(2, 0)
        .rows("rtt_live", &[(2, HALF), (3, 1)], at_level(1))
        .output(2, HALF)
}

fn rtt_fold() -> Table {
    names_table(Table::new("RMI_RTT_FOLD", &[fid::RTT_FOLD, NEW, IDLE, 3]), 2)
        .row("rtt_walk", 2, &[SIZE_1], at_level(1))
        .row("rtte_state", 2, &[SIZE_2], at_level(2))
        .row("rtt_homo", 2, &[0, HALF], at_level(3))
        .rows("rtt_homo", &[(2, 0), (3, 2)], at_level(2))
}

fn rtt_read_entry() -> Table {
    Table::new("RMI_RTT_READ_ENTRY", &[fid::RTT_READ_ENTRY, NEW, 0, 3])
        .rd(1)
        .row("level_bound", 3, &[4, u64::MAX, 1 << 32], INPUT)
        .row("ipa_align", 2, &[1, 0x800], INPUT)
        .rows("ipa_align", &[(2, GRANULE), (3, 2)], INPUT)
        .row("ipa_bound", 2, &[END, u64::MAX << 12], INPUT)
}

fn map() -> Table {
    let desc = NORMAL | ATTRIBUTES;
    let page = HALF + GRANULE;
    Table::new("RMI_RTT_MAP_UNPROTECTED", &[fid::RTT_MAP_UNPROTECTED, NEW, page, 3, desc])
        .row("attr_valid", 4, &[NORMAL | 0xD0, desc | 1, desc | 1 << 5, desc | 1 << 9, desc | 1 << 55], INPUT)
        .rd(1)
        .row("level_bound", 3, &NO_TABLE, INPUT)
        .rows("addr_align", &[(2, HALF + SIZE_2), (3, 2)], INPUT)
        .row("addr_bound", 4, &[BEYOND | ATTRIBUTES, 1 << 51 | ATTRIBUTES], INPUT)
        .row("ipa_align", 2, &[page + 1, page | 0x800], INPUT)
        .row("ipa_bound", 2, &[GRANULE, HALF - GRANULE, END, u64::MAX << 12], INPUT)
        .row("rtt_walk", 2, &[HALF + SIZE_1], at_level(1))
        .row("rtt_walk", 2, &[HALF + SIZE_2], at_level(2))
        .row("rtte_state", 2, &[HALF], at_level(3))
        .rows("rtte_state", &[(2, HALF), (3, 2), (4, ATTRIBUTES)], at_level(2))
}

fn unmap() -> Table {
    Table::new("RMI_RTT_UNMAP_UNPROTECTED", &[fid::RTT_UNMAP_UNPROTECTED, NEW, HALF, 3])
        .rd(1)
        .row("level_bound", 3, &NO_TABLE, INPUT)
        .row("ipa_align", 2, &[HALF + 1, HALF | 0x800], INPUT)
        .row("ipa_bound", 2, &[GRANULE, HALF - GRANULE, END, u64::MAX << 12], INPUT)
        .row("rtt_walk", 2, &[HALF + SIZE_1], at_level(1))
        .output(1, END)
        .row("rtt_walk", 2, &[HALF + SIZE_2], at_level(2))
        .output(1, HALF + SIZE_1)
        .row("rtte_state", 2, &[HALF + GRANULE], at_level(3))
        .output(1, HALF + SIZE_2)
        .rows("rtte_state", &[(3, 2)], at_level(2))
        .output(1, HALF)
}

fn ranges() -> Vec<Table> {
    let init = Table::new("RMI_RTT_INIT_RIPAS", &[fid::RTT_INIT_RIPAS, NEW, GRANULE, 2 * GRANULE])
        .rd(1)
        .row("size_valid", 3, &[GRANULE, 0], INPUT)
        .row("top_bound", 3, &[HALF + GRANULE, END, u64::MAX << 12], INPUT)
        .row("realm_state", 1, &[ACTIVE, OFF], in_realm(0))
        .rows("base_align", &[(2, SIZE_2 + GRANULE), (3, 3 * SIZE_2)], at_level(2))
        .rows("rtte_state", &[(2, 0)], at_level(3))
        .row("top_gran_align", 3, &[2 * GRANULE + 8, (2 * GRANULE) | 0x800], INPUT)
        .rows("no_progress", &[(2, SIZE_2), (3, SIZE_2 + GRANULE)], at_level(2));
    let set = Table::new("RMI_RTT_SET_RIPAS", &[fid::RTT_SET_RIPAS, ACTIVE, CHANGING, 2 * GRANULE, 4 * GRANULE])
        .rd(1)
        .rec(["rec_align", "rec_bound", "rec_gran_state"], 2)
        .row("rec_owner", 1, &[NEW], REC)
        .row("rec_owner", 2, &[NEW_REC], REC)
        .row("size_valid", 4, &[2 * GRANULE, GRANULE], INPUT)
        .row("base_bound", 3, &[0, GRANULE, 3 * GRANULE, 2 * GRANULE + 8], INPUT)
        .row("base_bound", 2, &[FRESH], INPUT)
        .row("top_bound", 4, &[5 * GRANULE, HALF, u64::MAX << 12], INPUT)
        .rows("base_align", &[(2, CHANGING_INSIDE), (3, SIZE_2 + GRANULE), (4, 3 * SIZE_2)], at_level(2))
        .row("top_gran_align", 4, &[4 * GRANULE - 8, (3 * GRANULE) | 0x800], INPUT)
        .rows("no_progress", &[(2, CHANGING_LESS), (3, SIZE_2), (4, SIZE_2 + GRANULE)], at_level(2));
    vec![init, set]
}
