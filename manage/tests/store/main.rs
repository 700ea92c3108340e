//! The table under everything that may happen to it: what a request costs, what a fault leaves
//! behind, what requests at the same time do to each other, and how damage is found.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on ends so"
)]

#[path = "../support/mod.rs"]
mod support;

mod check;
mod concurrency;
mod counts;
mod faults;
mod faulty_reads;
mod memberships;
#[path = "../support/proxy.rs"]
mod proxy;
mod race;
mod registrations;
mod world;
