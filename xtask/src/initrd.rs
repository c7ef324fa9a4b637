//! The initramfs: our guest tool as `/init`, and the kernel's own modules that give it evidence. The same inputs give
//! the same bytes, because they are measured.

use crate::kernel::Kernel;
use crate::{Done, room};
use object::{Object, ObjectSection};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The module that answers evidence requests; what it depends on comes with it.
const WANTED: &str = "arm-cca-guest";

/// Writes the initramfs.
pub(crate) fn write(to: &Path, init: &Path, kernel: &Kernel) -> Done {
    let mut archive = Cpio::default();
    for dir in ["dev", "lib", "lib/modules", "proc", "sys"] {
        archive.entry(dir, 0o040_755, &[], (0, 0));
    }
    archive.entry("dev/console", 0o020_600, &[], (5, 1));
    archive.entry("init", 0o100_755, &fs::read(init).map_err(|e| format!("{}: {e}", room::shown(init)))?, (0, 0));
    let modules = load_order(&kernel.modules)?;
    let order: String = modules.iter().map(|(name, _)| format!("{name}.ko\n")).collect();
    archive.entry("lib/modules/order", 0o100_644, order.as_bytes(), (0, 0));
    for (name, bytes) in &modules {
        archive.entry(&format!("lib/modules/{name}.ko"), 0o100_644, bytes, (0, 0));
    }
    Ok(fs::write(to, archive.finish())?)
}

/// The wanted module and all it depends on, each after those it needs, decompressed.
fn load_order(modules: &Path) -> Done<Vec<(String, Vec<u8>)>> {
    let mut files = BTreeMap::new();
    index(modules, &mut files)?;
    let mut order = Vec::new();
    add(WANTED, &files, &mut order)?;
    Ok(order)
}

fn add(name: &str, files: &BTreeMap<String, PathBuf>, order: &mut Vec<(String, Vec<u8>)>) -> Done {
    let name = name.replace('-', "_");
    if order.iter().any(|(known, _)| *known == name) {
        return Ok(());
    }
    let path = files.get(&name).ok_or_else(|| format!("the kernel has no module {name}"))?;
    let bytes = decompress(path)?;
    for needed in depends(&bytes)? {
        add(&needed, files, order)?;
    }
    order.push((name, bytes));
    Ok(())
}

/// The modules below a folder by name, as modprobe spells it (`-` as `_`).
fn index(dir: &Path, files: &mut BTreeMap<String, PathBuf>) -> Done {
    for entry in fs::read_dir(dir)?.flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if entry.file_type()?.is_dir() {
            index(&path, files)?;
        } else if let Some((stem, _)) = name.split_once(".ko") {
            files.insert(stem.replace('-', "_"), path);
        }
    }
    Ok(())
}

fn decompress(path: &Path) -> Done<Vec<u8>> {
    let bytes = fs::read(path)?;
    match path.extension().and_then(|ext| ext.to_str()) {
        Some("ko") => Ok(bytes),
        Some("xz") => {
            let mut plain = Vec::new();
            lzma_rs::xz_decompress(&mut bytes.as_slice(), &mut plain)
                .map_err(|error| format!("{}: {error:?}", room::shown(path)))?;
            Ok(plain)
        }
        _ => Err(format!("{}: compressed in a way we do not read (.ko and .ko.xz are read)", room::shown(path)).into()),
    }
}

/// The modules that a module's own `.modinfo` says it needs.
fn depends(module: &[u8]) -> Done<Vec<String>> {
    let file = object::File::parse(module)?;
    let info = file.section_by_name(".modinfo").ok_or("a module without .modinfo")?.data()?;
    let text = info.split(|byte| *byte == 0).filter_map(|entry| std::str::from_utf8(entry).ok());
    let list = text.filter_map(|entry| entry.strip_prefix("depends=")).flat_map(|list| list.split(','));
    Ok(list.filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// A cpio archive in the "newc" form that the kernel unpacks: no times, no owners, inodes counted up.
#[derive(Default)]
struct Cpio {
    bytes: Vec<u8>,
    inodes: u32,
}

impl Cpio {
    fn entry(&mut self, name: &str, mode: u32, data: &[u8], device: (u32, u32)) {
        self.inodes += 1;
        let links = 1;
        let size = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let length = u32::try_from(name.len() + 1).unwrap_or(u32::MAX);
        let fields = [self.inodes, mode, 0, 0, links, 0, size, 0, 0, device.0, device.1, length, 0];
        self.bytes.extend(b"070701");
        for field in fields {
            self.bytes.extend(format!("{field:08x}").bytes());
        }
        self.bytes.extend(name.bytes().chain([0]));
        self.pad();
        self.bytes.extend(data);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    fn finish(mut self) -> Vec<u8> {
        self.inodes = 0;
        self.entry("TRAILER!!!", 0, &[], (0, 0));
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_headers_names_and_data_each_padded_to_four() {
        let mut archive = Cpio::default();
        archive.entry("init", 0o100_755, b"hello", (0, 0));
        let bytes = archive.finish();
        assert_eq!(&bytes[..14], b"07070100000001");
        assert_eq!(&bytes[14..22], b"000081ed");
        assert_eq!(&bytes[110..116], b"init\0\0");
        assert_eq!(&bytes[116..124], b"hello\0\0\0");
        assert!(bytes.ends_with(b"TRAILER!!!\0\0\0\0") && bytes.len() % 4 == 0);
    }
}
