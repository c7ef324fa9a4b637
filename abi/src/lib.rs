//! allod-abi
