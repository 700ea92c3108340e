//! The API through the whole router, on a real table: what the recorded scenarios do not cover.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on ends so"
)]

#[path = "../support/mod.rs"]
mod support;

mod actions;
mod client;
mod flags;
mod input;
mod listing;
mod properties;
mod requests;
mod revocation;
mod settings;
mod superusers;
mod tokens;
