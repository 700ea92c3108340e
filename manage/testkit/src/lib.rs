//! What the tests share.

#![allow(
    missing_docs,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on ends so"
)]

pub mod client;
pub mod events;
pub mod pages;
pub mod proxy;
pub mod routes;
pub mod server;
