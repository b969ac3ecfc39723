//! C ABI over raft-rs 0.7.0. `include/quorate_raft.h` is the contract, `README.md` says why.
//!
//! A thin layer with few decisions of its own: it moves bytes and structs, turns every panic into
//! a fenced node, and refuses what the engine would do wrongly or silently (`guards`).

#![allow(clippy::missing_safety_doc)] // Every exported function is unsafe in the same, C, way.

#[cfg(panic = "abort")]
compile_error!("quorate-raft needs panic=unwind: a panic must fence one group, not the process");

mod abi;
mod determinism;
mod error;
mod guards;
mod input;
mod log;
mod node;
mod ready;
mod status;
mod storage;

#[cfg(test)]
mod tests;
