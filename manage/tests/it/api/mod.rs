//! The API through the whole router, on a real table: what the recorded scenarios do not cover.

pub mod access;
mod account;
mod actions;
mod charsets;
mod climbing;
pub mod discovery;
mod edge;
mod flags;
mod input;
mod limits;
mod listing;
mod model;
mod permissions;
mod properties;
mod quotas;
mod requests;
mod revocation;
mod rotation;
mod security_events;
mod sessions;
mod settings;
mod superusers;
pub mod tokens;
