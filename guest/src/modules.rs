//! Loads the kernel's modules, in the order that whoever packed them wrote down.

use rustix::io::Errno;
use std::fs::{self, File};
use std::path::{Component, Path};

/// Folder of the modules, decompressed.
const FOLDER: &str = "/lib/modules";
/// File of their names, one on a line, each after those that it needs.
const ORDER: &str = "order";

/// Loads every module of the list; one that is loaded or built in already is none the worse. A file that is not there
/// means that there is nothing to load.
pub fn load_all() -> Result<usize, String> {
    let list = Path::new(FOLDER).join(ORDER);
    let text = match fs::read_to_string(&list) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(format!("{}: {error}", list.display())),
    };
    let names = text.lines().map(str::trim).filter(|name| !name.is_empty());
    names.map(load).try_fold(0_usize, |count, loaded| loaded.map(|()| count.saturating_add(1)))
}

fn load(name: &str) -> Result<(), String> {
    let mut parts = Path::new(name).components();
    if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
        return Err(format!("module {name:?}: expected the name of a file in {FOLDER}"));
    }
    let file = File::open(Path::new(FOLDER).join(name)).map_err(|error| format!("module {name}: {error}"))?;
    match rustix::system::finit_module(&file, c"", 0) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(format!("module {name}: {error}")),
    }
}
