//! The program `allod`: see [`allod::main`].
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    allod::main()
}
