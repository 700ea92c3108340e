//! The admin pages over HTTP, as a browser without a script sees them.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on ends so"
)]

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/pages.rs"]
mod pages;
#[path = "../support/proxy.rs"]
mod proxy;

mod bulk;
mod cookies;
mod forms;
mod history;
mod limits;
mod listing;
mod rights;
mod sessions;
mod site;
mod weight;
mod words;
