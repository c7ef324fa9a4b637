//! The committed corpora, through the same functions as under libFuzzer, memory counted.

use allod_fuzz_targets::TARGETS;
use std::path::PathBuf;

#[global_allocator]
static ALLOCATOR: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

/// One test, so that nobody else allocates meanwhile.
#[test]
fn every_input_that_was_kept_is_taken() {
    for (name, run) in TARGETS {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(name);
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(&folder).expect("a corpus").map(|file| file.expect("a file").path()).collect();
        files.sort();
        assert!(!files.is_empty(), "{name} has no corpus");
        for file in files {
            println!("{name} {:?}", file.file_name());
            run(&std::fs::read(&file).expect("readable"));
        }
    }
}
