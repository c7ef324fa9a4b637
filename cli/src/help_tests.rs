//! The help of every command has an example, and what it shows can be typed.

use crate::Cli;
use clap::{Command, CommandFactory, Parser};

/// Every command that people see, with its path from the program.
fn commands() -> Vec<(String, Command)> {
    fn walk(path: &str, command: &Command, all: &mut Vec<(String, Command)>) {
        all.push((path.to_string(), command.clone()));
        for below in command.get_subcommands().filter(|it| !it.is_hide_set() && it.get_name() != "help") {
            walk(&format!("{path} {}", below.get_name()), below, all);
        }
    }
    let mut all = Vec::new();
    walk("allod", &Cli::command(), &mut all);
    all
}

/// What stands behind a command's options, with continued lines joined.
fn after(command: &Command) -> String {
    command.get_after_help().map(ToString::to_string).unwrap_or_default().replace("\\\n", " ")
}

/// The command lines of its examples, each as the shell would split it.
fn examples(text: &str) -> Vec<Vec<String>> {
    text.lines().filter_map(typed).flat_map(|it| split(&it)).collect()
}

/// What is to be typed of a line, if it is an example.
fn typed(line: &str) -> Option<String> {
    let (before, rest) = line.split_once("allod ")?;
    matches!(before.trim(), "" | "Example:").then(|| format!("allod {rest}"))
}

/// The words of every command of a line: quotes and the variables of our examples undone, redirections left out.
fn split(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut words = words(line).into_iter();
    while let Some(word) = words.next() {
        match (word.as_str(), commands.last_mut()) {
            ("&&" | "|", _) => commands.push(Vec::new()),
            (">", _) => drop(words.next()),
            (_, Some(command)) => command.push(word),
            (_, None) => {}
        }
    }
    commands.retain(|it| it.first().is_some_and(|word| word == "allod"));
    commands
}

fn words(line: &str) -> Vec<String> {
    let (mut words, mut quote, mut open) = (vec![String::new()], None, false);
    for character in line.chars() {
        match (character, quote) {
            ('\'' | '"', None) => (quote, open) = (Some(character), true),
            (_, Some(mark)) if mark == character => quote = None,
            (' ', None) => {
                if open || words.last().is_some_and(|it| !it.is_empty()) {
                    words.push(String::new());
                }
                open = false;
            }
            _ => words.last_mut().expect("a word").push(character),
        }
    }
    words.retain(|it| !it.is_empty());
    words.into_iter().map(|it| variables(&it)).collect()
}

/// Puts hexadecimal for the variables that stand for it.
fn variables(word: &str) -> String {
    let lengths = [("$INSTANCE", 33), ("$IMPL", 32), ("$NONCE", 64), ("$REM0", 32), ("$REM1", 32), ("$REM2", 32)];
    lengths.iter().fold(word.to_string(), |word, (name, length)| word.replace(name, &"01".repeat(*length)))
}

#[test]
fn the_help_of_every_command_has_an_example() {
    let without: Vec<String> =
        commands().into_iter().filter(|(_, it)| examples(&after(it)).is_empty()).map(|(path, _)| path).collect();
    assert_eq!(without, [""; 0], "these have none");
}

#[test]
fn every_example_can_be_typed() {
    let mut tried = 0;
    for (path, command) in commands() {
        for example in examples(&after(&command)) {
            let parsed = Cli::try_parse_from(&example);
            assert!(parsed.is_ok(), "{path}: {}\n{}", example.join(" "), parsed.err().expect("an error"));
            tried += 1;
        }
    }
    assert!(tried > 25, "{tried} examples were found");
    assert!(Cli::try_parse_from(["allod", "verify", "--no-such-option"]).is_err(), "the control");
}

#[test]
fn an_example_of_a_command_is_of_that_command() {
    for (path, command) in commands().into_iter().filter(|(_, it)| !it.has_subcommands()) {
        let own = examples(&after(&command));
        assert!(own.iter().any(|it| it.join(" ").starts_with(&path)), "{path}: {own:?}");
    }
}
