//! The `manage` binary as its users meet it: real processes, signals, terminals and files.
//!
//! - [`process`] starts the binary,
//! - [`proxy`] stands before a `runserver`,
//! - [`terminal`] is a user at a keyboard,
//! - every other module holds the tests of one part.

mod accounts;
mod check;
mod cors;
mod drill;
mod failures;
mod help;
mod kill;
mod mails;
mod migration;
mod operators;
#[cfg(unix)]
mod owner;
mod process;
mod prompts;
mod proxy;
mod runserver;
mod smoketest;
mod stack;
mod syncpermissions;
mod table;
mod terminal;
