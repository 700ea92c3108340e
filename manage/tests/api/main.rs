//! The API through the whole router, on a real table: what the recorded scenarios do not cover.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on ends so"
)]

#[path = "../support/mod.rs"]
mod support;

mod access;
mod actions;
mod charsets;
mod client;
mod climbing;
mod flags;
mod input;
mod listing;
mod model;
mod permissions;
mod properties;
mod requests;
mod revocation;
#[path = "../support/routes.rs"]
mod routes;
mod settings;
mod superusers;
mod tokens;
