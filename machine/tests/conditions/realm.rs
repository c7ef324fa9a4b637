//! What makes each call of a Realm fail.

use machine::model::GRANULE;

use crate::stage::*;

const RSI: u64 = 0xC400_0190;
const CONTINUE: u64 = RSI + 5;
const INPUT: u64 = 1;
const STATE: u64 = 2;
const CPU_ON: u64 = 0xC400_0003;
const AFFINITY_INFO: u64 = 0xC400_0004;
const INVALID_PARAMETERS: u64 = (-2_i64).cast_unsigned();
const ALREADY_ON: u64 = (-4_i64).cast_unsigned();
const INVALID_ADDRESS: u64 = (-9_i64).cast_unsigned();

/// A call that fails, beside one that does not.
pub struct Row {
    command: &'static str,
    id: &'static str,
    /// x0 and up.
    good: Vec<u64>,
    bad: Vec<u64>,
    x0: u64,
    /// What is called before either.
    first: Option<Vec<u64>>,
}

impl Row {
    pub fn name(&self) -> String {
        format!("{}.{}", self.command, self.id)
    }
}

fn row(command: &'static str, id: &'static str, good: &[u64], argument: usize, value: u64, x0: u64) -> Row {
    let mut bad = good.to_vec();
    bad[argument] = value;
    Row { command, id, good: good.into(), bad, x0, first: None }
}

pub fn rows() -> Vec<Row> {
    [attestation(), addresses(), services(), psci()].into_iter().flatten().collect()
}

fn attestation() -> Vec<Row> {
    let good = [CONTINUE, 0, 0, 64];
    let begun = |row: Row| Row { first: Some(vec![RSI + 4]), ..row };
    let input = |id, argument, value| begun(row("RSI_ATTESTATION_TOKEN_CONTINUE", id, &good, argument, value, INPUT));
    // Without an INIT there is no token in progress; the control has one.
    let state = Row {
        bad: good.into(),
        first: None,
        ..row("RSI_ATTESTATION_TOKEN_CONTINUE", "state", &[RSI + 4], 0, CONTINUE, STATE)
    };
    vec![
        state,
        input("addr_align", 1, 8),
        input("addr_align", 1, 0x800),
        input("addr_bound", 1, HALF),
        input("addr_bound", 1, END),
        input("offset_bound", 2, GRANULE),
        input("offset_bound", 2, u64::MAX),
        input("size_overflow", 3, u64::MAX),
        begun(Row {
            bad: vec![CONTINUE, 0, 8, u64::MAX],
            ..row("RSI_ATTESTATION_TOKEN_CONTINUE", "size_overflow", &good, 0, CONTINUE, INPUT)
        }),
        input("size_bound", 3, GRANULE + 1),
        begun(Row {
            bad: vec![CONTINUE, 0, 8, GRANULE],
            ..row("RSI_ATTESTATION_TOKEN_CONTINUE", "size_bound", &good, 0, CONTINUE, INPUT)
        }),
    ]
}

fn addresses() -> Vec<Row> {
    let range = 2 * GRANULE;
    let top = 4 * GRANULE;
    let get = |id, argument, value| row("RSI_IPA_STATE_GET", id, &[RSI + 8, range, top], argument, value, INPUT);
    let set = |id, argument, value| row("RSI_IPA_STATE_SET", id, &[RSI + 7, range, top, 1, 0], argument, value, INPUT);
    let call = |id, value| row("RSI_HOST_CALL", id, &[RSI + 9, 0], 1, value, INPUT);
    let config = |id, value| row("RSI_REALM_CONFIG", id, &[RSI + 6, 0], 1, value, INPUT);
    vec![
        get("base_align", 1, range + 8),
        get("end_align", 2, top + 8),
        get("size_valid", 2, range),
        get("size_valid", 2, 0),
        get("rgn_bound", 2, HALF + GRANULE),
        get("rgn_bound", 2, u64::MAX << 12),
        set("base_align", 1, range + 8),
        set("top_align", 2, top | 0x800),
        set("size_valid", 2, range),
        set("size_valid", 2, GRANULE),
        set("rgn_bound", 2, HALF + GRANULE),
        set("rgn_bound", 1, END),
        set("ripas_valid", 3, 2),
        set("ripas_valid", 3, 0xFF),
        call("addr_align", 8),
        call("addr_align", 0x80),
        call("addr_bound", HALF),
        call("addr_bound", END),
        config("addr_align", 8),
        config("addr_align", 0x800),
        config("addr_bound", HALF),
        config("addr_bound", END),
    ]
}

fn services() -> Vec<Row> {
    let extend = |id, argument, value| row("RSI_MEASUREMENT_EXTEND", id, &[RSI + 3, 1, 64], argument, value, INPUT);
    let read = |value| row("RSI_MEASUREMENT_READ", "index_bound", &[RSI + 2, 0], 1, value, INPUT);
    vec![
        extend("index_bound", 1, 0),
        extend("index_bound", 1, 5),
        extend("index_bound", 1, u64::MAX),
        extend("size_bound", 2, 65),
        extend("size_bound", 2, u64::MAX),
        read(5),
        read(u64::MAX),
    ]
}

fn psci() -> Vec<Row> {
    let on = |id, argument, value, x0| row("PSCI_CPU_ON", id, &[CPU_ON, 1, 0, 7], argument, value, x0);
    let info = |id, argument, value| {
        row("PSCI_AFFINITY_INFO", id, &[AFFINITY_INFO, 0, 0], argument, value, INVALID_PARAMETERS)
    };
    vec![
        on("entry", 2, HALF, INVALID_ADDRESS),
        on("entry", 2, u64::MAX, INVALID_ADDRESS),
        on("mpidr", 1, 15, INVALID_PARAMETERS),
        on("mpidr", 1, 1 << 32, INVALID_PARAMETERS),
        on("runnable", 1, 0, ALREADY_ON),
        info("target_bound", 2, 1),
        info("target_bound", 2, 1 << 32),
        info("target_match", 1, 15),
        info("target_match", 1, 1 << 8),
    ]
}

#[test]
fn every_condition_of_a_realms_calls_is_met_and_nothing_but_its_registers_changes() {
    for row in rows() {
        let board = board();
        let stage = Stage::new(&board);
        if let Some(first) = &row.first {
            assert_eq!(stage.realm_call(first)[0], 0);
        }
        // The vCPU's own granules hold its registers; the host's page how it was entered and left.
        let own: Vec<u64> = (0..=stage.aux).map(|n| CALLER + n * GRANULE).chain([RUN]).collect();
        let before = stage.machine.digest_without(&own);
        let [x0, outputs @ ..] = stage.realm_call(&row.bad);
        assert_eq!(x0, row.x0, "{} {:#x?}", row.name(), row.bad);
        assert_eq!(outputs, [0; 3], "{}", row.name());
        assert_eq!(stage.machine.digest_without(&own), before, "{} has an effect", row.name());
        let control = stage.realm_call(&row.good)[0];
        // More of the token than fits is to come: RSI_INCOMPLETE.
        let done = if row.good[0] == CONTINUE { 3 } else { 0 };
        assert_eq!(control, done, "the control of {}", row.name());
    }
}

#[test]
fn an_argument_of_a_tokens_piece_that_is_wrong_comes_before_a_token_that_is_not_begun() {
    let board = board();
    let stage = Stage::new(&board);
    for (ipa, offset) in [(8, 0), (HALF, 0), (0, GRANULE)] {
        assert_eq!(stage.realm_call(&[CONTINUE, ipa, offset, 64]), [INPUT, 0, 0, 0], "{ipa:#x} {offset:#x}");
    }
    assert_eq!(stage.realm_call(&[CONTINUE, 0, 0, 64])[0], STATE);
}
