//! The admin pages in a real browser: chromium, driven through chromedriver. Where there is none,
//! the tests pass and say that they were skipped.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on ends so"
)]

#[path = "../support/mod.rs"]
mod support;

mod accessibility;
mod accounts;
mod browser;
#[allow(dead_code, reason = "the API's own tests use all of it")]
#[path = "../api/client.rs"]
mod client;
mod driver;
mod forms;
mod header;
mod keyboard;
mod log_in;
mod pictures;
mod selector;
mod site;
mod stability;
mod staff;
mod tour;
