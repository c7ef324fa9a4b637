//! Whether the firmware's images have the barriers that the architecture asks for.
//!
//! Emulation shows nothing of a barrier that is missing: QEMU does what it is told at once. So the built programs are
//! read, instruction by instruction, and every way through them is followed from each place where a rule begins.

mod decode;
mod rules;
#[cfg(test)]
mod tests;

use crate::{Done, images};
use decode::{Code, Kind};
use rules::{Level, RULES, broken};

/// Programs that are looked at, and where each runs.
const PROGRAMS: [(&str, Level); 3] = [("boot", Level::El3), ("monitor", Level::El3), ("rmm", Level::El2)];

/// What was found in one program.
struct Findings {
    /// Places where a rule begins, rule by rule.
    places: [usize; RULES.len()],
    /// Barriers without which a rule would be broken, and barriers in all.
    needed: usize,
    barriers: usize,
    /// Each place where a rule is broken, in words.
    broken: Vec<String>,
}

/// Builds the firmware that ships and looks through it; prints how many barriers a rule asks for.
pub(crate) fn check() -> Done {
    let mut places = [0; RULES.len()];
    let mut found = Vec::new();
    for (program, level) in PROGRAMS {
        let findings = look(&Code::read(&images::elf(program, &[])?)?, level);
        println!("  {program}: a rule asks for {} of {} barriers", findings.needed, findings.barriers);
        places.iter_mut().zip(findings.places).for_each(|(sum, count)| *sum += count);
        found.extend(findings.broken.into_iter().map(|what| format!("{program}: {what}")));
    }
    let idle = RULES.iter().zip(places).filter(|(_, count)| *count == 0);
    found.extend(idle.map(|(rule, _)| format!("nothing in the firmware begins the rule that {}", rule.says)));
    if found.is_empty() { Ok(()) } else { Err(found.join("; ").into()) }
}

/// Follows every rule through a program.
fn look(code: &Code, level: Level) -> Findings {
    let forwards: Vec<Vec<usize>> = (0..code.kinds.len()).map(|at| onwards(code, at)).collect();
    let mut backwards = vec![Vec::new(); forwards.len()];
    for (at, next) in forwards.iter().enumerate() {
        next.iter().for_each(|next| backwards[*next].push(at));
    }
    let mut findings = Findings { places: [0; RULES.len()], needed: 0, barriers: 0, broken: Vec::new() };
    let mut needed = vec![false; code.kinds.len()];
    for (rule, count) in RULES.iter().zip(&mut findings.places) {
        let ways = if rule.back { &backwards } else { &forwards };
        for at in (0..code.kinds.len()).filter(|at| (rule.from)(code.kinds[*at], level)) {
            *count += 1;
            match broken(code, ways, rule, at, None) {
                Ok(met) => met.into_iter().for_each(|it| needed[it] |= broken(code, ways, rule, at, Some(it)).is_err()),
                Err(by) => {
                    findings.broken.push(format!("{}: from {} to {}", rule.says, code.place(at), code.place(by)))
                }
            }
        }
    }
    let barriers = (0..code.kinds.len()).filter(|at| matches!(code.kinds[*at], Kind::Dsb | Kind::Isb));
    for at in barriers {
        findings.barriers += 1;
        findings.needed += usize::from(needed[at]);
    }
    findings
}

/// Where a program goes from a place.
fn onwards(code: &Code, at: usize) -> Vec<usize> {
    let next = at + 1;
    let to = match code.kinds[at] {
        Kind::Return | Kind::Eret | Kind::Stop => vec![],
        Kind::Jump(to) => vec![to],
        Kind::Branch(to) => vec![next, to],
        _ => vec![next],
    };
    to.into_iter().filter(|to| *to < code.kinds.len()).collect()
}
