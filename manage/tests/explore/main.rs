//! Operations at the same time, in every order of their calls to the table: each is answered as if it
//! had been alone, one after the other, and the table is what they leave then. See
//! [`testkit::schedule`].
//!
//! Each test is a pair, or three, and says what must be so besides.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on ends so"
)]

mod actors;
mod attempts;
mod groups;
mod mails;
mod migration;
mod passwords;
mod permissions;
mod sessions;
mod users;
mod world;
