//! The way of a mail: from what is owed in the table to what a mail server gets.

mod delivery;
mod forged;
mod rules;
mod senders;
mod stream;
pub mod world;
