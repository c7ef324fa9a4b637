//! Where things lie: the repository and what is built and fetched, all under `target/`.

use std::path::{Path, PathBuf};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    here.as_deref().and_then(Path::parent).map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// A path under `target/`, where nothing of this machine's own is kept.
pub(crate) fn target(path: &str) -> PathBuf {
    root().join("target").join(path)
}

/// Where cargo puts what it builds.
pub(crate) fn cargo_target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| target(""), PathBuf::from)
}

/// A path as people read it: from the repository's root where it is inside.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
