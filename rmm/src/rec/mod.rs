//! RECs: realm execution contexts, the vCPUs (RMM 1.0, A2.3).

pub mod context;
