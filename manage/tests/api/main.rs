//! The API through the whole router, on a real table: what the recorded scenarios do not cover.

#[path = "../support/mod.rs"]
mod support;

mod actions;
mod client;
mod flags;
mod input;
mod listing;
mod properties;
mod settings;
mod tokens;
