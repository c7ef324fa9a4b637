//! The attacks that the machine must refuse.
