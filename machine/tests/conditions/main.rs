//! Every failure condition of every command, by its name in the specification: the exact x0, the outputs, and a digest of
//! the whole machine that is what it was before.
//!
//! `docs/conditions.toml` says the conditions in words; each has a row here, and each row a condition there.

// The crate goes by the name that the rest of the workspace calls it by.
extern crate allod_machine as machine;

mod leftovers;
mod list;
mod realm;
mod rows;
mod running;
mod shallow;
mod stage;

use std::collections::BTreeSet;

use list::Condition;
use rows::{Row, Table, tables};
use stage::{Stage, Words, board, kept_x4};

impl Table {
    /// The call with faults put into it; nothing where two of them need the same place.
    fn with(&self, rows: &[&Row]) -> Option<(Vec<u64>, Words)> {
        let mut x = self.good.clone();
        let mut words = self.page.as_ref().map_or_else(Vec::new, |(_, words)| words.clone());
        let mut taken = BTreeSet::new();
        for row in rows {
            for (argument, value) in &row.arguments {
                taken.insert((0, *argument)).then_some(())?;
                x[*argument] = *value;
            }
            for (at, value) in &row.words {
                taken.insert((1, *at)).then_some(())?;
                words.retain(|(old, _)| old != at);
                words.push((*at, *value));
            }
        }
        Some((x, words))
    }

    /// Makes a call; the page is written before the digest is taken.
    fn refused(&self, stage: &Stage<'_>, (x, words): (Vec<u64>, Words)) -> [u64; 5] {
        if let Some((pa, _)) = &self.page {
            stage.write(*pa, &words);
        }
        let before = stage.machine.digest();
        let answer = stage.call(&x);
        assert_eq!(stage.machine.digest(), before, "{} {x:#x?} {words:x?} is refused with effect", self.name);
        answer
    }

    fn check(&self, stage: &Stage<'_>) {
        for row in &self.rows {
            let call = self.with(&[row]).expect("a row's faults have places of their own");
            let kept = kept_x4(&call.0);
            let [x0, outputs @ ..] = self.refused(stage, call);
            assert_eq!(x0, row.x0, "{}.{} {:#x?} {:x?}", self.name, row.id, row.arguments, row.words);
            let mut wanted = [0, 0, 0, kept];
            row.outputs.iter().for_each(|(at, value)| wanted[at - 1] = *value);
            assert_eq!(outputs, wanted, "{}.{} {:#x?}", self.name, row.id, row.arguments);
        }
    }

    /// Two faults at once: the status is that of the condition that comes first, or of either.
    fn check_pairs(&self, stage: &Stage<'_>, conditions: &[Condition]) -> usize {
        let mut count = 0;
        for (number, one) in self.rows.iter().enumerate() {
            for other in self.rows[..number].iter().filter(|other| other.id != one.id) {
                let Some(call) = self.with(&[one, other]) else { continue };
                let x = format!("{call:#x?}");
                let [x0, ..] = self.refused(stage, call);
                let first = |a: &Row, b: &Row| conditions.iter().any(|it| it.is(self.name, a.id) && it.precedes(b.id));
                let wanted = match (first(one, other), first(other, one)) {
                    (true, _) => vec![one.x0],
                    (_, true) => vec![other.x0],
                    _ => vec![one.x0, other.x0],
                };
                assert!(wanted.contains(&x0), "{}: {} and {}: {x0:#x} {x}", self.name, one.id, other.id);
                count += 1;
            }
        }
        count
    }

    /// Without a fault it succeeds.
    fn control(&self, stage: &Stage<'_>) {
        if let Some((pa, words)) = &self.page {
            stage.write(*pa, words);
        }
        assert_eq!(stage.call(&self.good)[0], 0, "{} is refused", self.name);
    }
}

#[test]
fn every_condition_of_the_hosts_commands_is_met_and_nothing_changes() {
    for table in tables() {
        let board = board();
        let stage = Stage::new(&board);
        table.check(&stage);
        table.control(&stage);
    }
}

#[test]
fn of_two_faults_the_one_that_comes_first_is_told() {
    let conditions = list::read();
    let mut count = 0;
    for table in tables() {
        let board = board();
        let stage = Stage::new(&board);
        count += table.check_pairs(&stage, &conditions);
        table.control(&stage);
    }
    println!("{count} pairs");
}

#[test]
fn every_condition_has_a_row_and_every_row_a_condition() {
    let listed: BTreeSet<String> =
        list::read().iter().filter(|it| it.test.starts_with(list::HERE)).map(Condition::name).collect();
    let mut here: BTreeSet<String> = realm::rows().iter().map(|row| row.name()).collect();
    for table in tables() {
        here.extend(table.rows.iter().map(|row| format!("{}.{}", table.name, row.id)));
    }
    here.extend(running::ROWS.map(String::from));
    let missing: Vec<&String> = listed.difference(&here).collect();
    assert!(missing.is_empty(), "conditions without a row: {missing:#?}");
    let unlisted: Vec<&String> = here.difference(&listed).collect();
    assert!(unlisted.is_empty(), "rows without a condition: {unlisted:#?}");
}

#[test]
fn what_x0_is_stands_in_the_list_too() {
    let conditions = list::read();
    let status = |name: &str, id: &str| conditions.iter().find(|it| it.is(name, id)).map(|it| it.x0.clone());
    for table in tables() {
        for row in &table.rows {
            let index = row.x0 >> 8;
            let told = match row.x0 & 0xFF {
                1 => "RMI_ERROR_INPUT".to_string(),
                2 => format!("RMI_ERROR_REALM {index}"),
                3 => "RMI_ERROR_REC".to_string(),
                _ => "RMI_ERROR_RTT level".to_string(),
            };
            assert_eq!(status(table.name, row.id), Some(told), "{}.{}", table.name, row.id);
        }
    }
}
