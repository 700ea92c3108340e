//! What needs a table, a process or a browser, in one binary: `cargo test -p manage --test it admin::`
//! runs the tests of one part.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on ends so"
)]

mod admin;
mod api;
mod browser;
#[cfg(unix)]
mod commands;
mod conformance;
mod docs;
mod foreign;
mod lambda;
mod mail;
mod openapi;
mod pipeline;
mod store;
