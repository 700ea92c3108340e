//! What the tests share. What one part of them needs alone stands beside it.
//!
//! - [`Server`] is a whole service: the engine, the table and every function's routes, on loopback.
//!   [`Observed`] is one with its clock and its calls to the table in the test's hand, and
//!   the items of its table.
//! - [`accounts`] makes users, groups and permissions in the table itself.
//! - [`Client`] sends requests and [`Pages`] is a browser without scripts; both bring an [`Answer`].
//! - [`contract`] refuses every answer that the OpenAPI document does not allow.
//! - [`chaos`] are faults by chance, for the proxy.
//! - [`proxy`] stands between the service and the table, records calls and injects faults.
//! - [`schedule`] runs operations at the same time, in every order of their calls to the table.
//! - [`events`] are API Gateway's, [`runtime`] is Lambda's Runtime API, [`samples`] those of
//!   `events/`.
//! - [`SmtpSink`] is a mail server that keeps what it gets.
//! - [`process`] runs binaries, [`routes`] knows every route.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on ends so"
)]

pub mod accounts;
mod answer;
pub mod chaos;
mod client;
pub mod contract;
pub mod events;
mod items;
mod pages;
pub mod process;
pub mod proxy;
pub mod routes;
pub mod runtime;
pub mod samples;
pub mod schedule;
mod server;
pub mod smtp;

pub use answer::{Answer, detail, forbidden, not_found, unauthenticated};
pub use client::{Account, Caller, Client, NOBODY, registration, user_path};
pub use pages::{Pages, percent_encoded};
pub use server::{
    NOW, Observed, PASSWORD, SIGNING_KEY, Server, TABLE, app, engine, serve, serve_meanwhile,
    settings,
};
pub use smtp::SmtpSink;

use shared::domain::names::TextField;

/// A username, an address or another checked text.
#[track_caller]
pub fn parsed<T: TextField>(text: &str) -> T {
    T::parse(text.into()).unwrap_or_else(|errors| panic!("{text}: {errors:?}"))
}
