//! `docs/conditions.toml`, as far as a test has to know it: tables of strings.

const LIST: &str = include_str!("../../../docs/conditions.toml");
/// Where the tests are whose rows are compared with the list.
pub const HERE: &str = "machine/tests/conditions/";

/// A condition.
#[derive(Default)]
pub struct Condition {
    command: String,
    id: String,
    /// What x0 is, in words.
    pub x0: String,
    /// Conditions that it comes before.
    before: String,
    pub test: String,
}

impl Condition {
    pub fn name(&self) -> String {
        format!("{}.{}", self.command, self.id)
    }

    pub fn is(&self, command: &str, id: &str) -> bool {
        self.command == command && self.id == id
    }

    pub fn precedes(&self, id: &str) -> bool {
        self.before.split(' ').any(|other| other == id)
    }
}

/// Reads the list.
pub fn read() -> Vec<Condition> {
    let mut all: Vec<Condition> = Vec::new();
    for line in LIST.lines() {
        if line == "[[condition]]" {
            all.push(Condition::default());
        }
        let (Some((key, value)), Some(last)) = (line.split_once(" = "), all.last_mut()) else { continue };
        let field = match key {
            "command" => &mut last.command,
            "id" => &mut last.id,
            "x0" => &mut last.x0,
            "before" => &mut last.before,
            "test" => &mut last.test,
            _ => continue,
        };
        *field = value.trim_matches('"').into();
    }
    all
}
