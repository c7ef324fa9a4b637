//! Links the image at its fixed address when the target is the bare machine.

fn main() {
    println!("cargo:rerun-if-changed=bench.ld");
    println!("cargo:rerun-if-changed=src/entry.s");
    println!("cargo:rerun-if-changed=src/inside.s");
    println!("cargo:rerun-if-changed=src/residue.s");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("none") {
        let directory = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo:rustc-link-arg-bins=-T{directory}/bench.ld");
    }
}
