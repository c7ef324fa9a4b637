//! The conversation on the second console: a line asks, a line answers (docs/architecture.md §7).

use crate::hex;
use std::io::{BufRead, Read, Write};
use std::time::{Duration, Instant};

/// Bytes of a line that are read, at most; the longest question has 135.
const LONGEST_LINE: u64 = 1024;
/// The longest sleep, in milliseconds: one hour.
const LONGEST_SLEEP: u64 = 3_600_000;
/// Length of a challenge in this conversation, in bytes.
const CHALLENGE: usize = 64;

/// How a conversation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The machine is to be switched off.
    PowerOff,
    /// The machine is to start again.
    Reboot,
    /// Nobody is there any more.
    Gone,
}

/// What a guest can do when it is asked.
pub trait Guest {
    /// A token with this challenge, or why there is none.
    fn token(&mut self, challenge: &[u8]) -> Result<Vec<u8>, String>;
    /// How many CPUs are at work.
    fn cpus(&mut self) -> usize;
}

/// Answers questions until one of them ends it.
pub fn converse(guest: &mut impl Guest, questions: &mut impl BufRead, answers: &mut impl Write) -> End {
    loop {
        let answer = match question(questions) {
            Err(_) | Ok(None) => return End::Gone,
            Ok(Some(line)) => match reply(guest, &line) {
                Reply::Nothing => continue,
                Reply::Line(text) => text,
                Reply::End(end) => return end,
            },
        };
        if answers.write_all(answer.as_bytes()).and_then(|()| answers.write_all(b"\n")).is_err() {
            return End::Gone;
        }
    }
}

/// The next line, without its end; `None` when there are no more. What is too long is cut, and so refused.
fn question(questions: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let read = questions.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut bytes)?;
    Ok((read > 0).then(|| String::from_utf8_lossy(&bytes).trim().to_string()))
}

enum Reply {
    Nothing,
    Line(String),
    End(End),
}

fn reply(guest: &mut impl Guest, line: &str) -> Reply {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    match words.as_slice() {
        [] => Reply::Nothing,
        ["attest", challenge] => Reply::Line(attest(guest, challenge)),
        ["nproc"] => Reply::Line(format!("cpus {}", guest.cpus())),
        ["sleep", milliseconds] => Reply::Line(sleep(milliseconds)),
        ["poweroff"] => Reply::End(End::PowerOff),
        ["reboot"] => Reply::End(End::Reboot),
        _ => Reply::Line("error expected attest, nproc, sleep, poweroff or reboot".into()),
    }
}

fn attest(guest: &mut impl Guest, challenge: &str) -> String {
    let Some(challenge) = hex::decode(challenge).filter(|it| it.len() == CHALLENGE) else {
        return "error expected 128 hexadecimal digits".into();
    };
    match guest.token(&challenge) {
        Ok(token) => format!("token {}", hex::encode(&token)),
        Err(why) => format!("error {}", why.replace('\n', " ")),
    }
}

/// Sleeps, and says how long by the guest's own clock: a host that tampers with time shows here.
fn sleep(milliseconds: &str) -> String {
    let Some(asked) = milliseconds.parse().ok().filter(|it| *it <= LONGEST_SLEEP) else {
        return format!("error expected at most {LONGEST_SLEEP} milliseconds");
    };
    let start = Instant::now();
    std::thread::sleep(Duration::from_millis(asked));
    format!("slept {asked} {}", start.elapsed().as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fake;

    impl Guest for Fake {
        fn token(&mut self, challenge: &[u8]) -> Result<Vec<u8>, String> {
            match challenge.first() {
                Some(0xFF) => Err("no\nsource".into()),
                _ => Ok(challenge.iter().rev().copied().collect()),
            }
        }

        fn cpus(&mut self) -> usize {
            3
        }
    }

    fn heard(questions: &str) -> (End, String) {
        let mut answers = Vec::new();
        let end = converse(&mut Fake, &mut questions.as_bytes(), &mut answers);
        (end, String::from_utf8_lossy(&answers).into_owned())
    }

    #[test]
    fn every_question_has_its_answer() {
        let challenge = format!("01{}", "00".repeat(63));
        let (end, answers) = heard(&format!("nproc\r\nattest {challenge}\n\npoweroff\nnproc\n"));
        assert_eq!(end, End::PowerOff);
        assert_eq!(answers, format!("cpus 3\ntoken {}01\n", "00".repeat(63)));
        assert_eq!(heard("reboot\n"), (End::Reboot, String::new()));
        assert_eq!(heard(""), (End::Gone, String::new()));
    }

    #[test]
    fn sleep_measures() {
        let (_, answer) = heard("sleep 20\n");
        let measured: u64 = answer.trim().rsplit(' ').next().and_then(|it| it.parse().ok()).unwrap_or(0);
        assert!(answer.starts_with("slept 20 ") && (20..5000).contains(&measured), "{answer}");
    }

    #[test]
    fn wrong_questions_are_answered_with_an_error_and_the_conversation_goes_on() {
        let refusing = format!("attest ff{}", "00".repeat(63));
        for wrong in ["attest", "attest 00", "attest zz", "sleep", "sleep -1", "sleep 99999999999", "shell", &refusing]
        {
            let (end, answers) = heard(&format!("{wrong}\nnproc\n"));
            assert_eq!(end, End::Gone);
            let lines: Vec<&str> = answers.lines().collect();
            assert!(matches!(lines.as_slice(), [first, "cpus 3"] if first.starts_with("error ")), "{wrong}: {answers}");
        }
    }

    #[test]
    fn a_line_without_end_fills_no_memory() {
        let (end, answers) = heard(&"a".repeat(5000));
        assert_eq!(end, End::Gone);
        assert!(answers.lines().count() == 5 && answers.lines().all(|it| it.starts_with("error ")));
    }
}
