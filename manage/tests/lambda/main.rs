//! The functions as Lambda runs them: events of API Gateway, what the template lets them do, and
//! keys that change under them.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on ends so"
)]

mod authorizer;
mod calls;
mod event;
mod every_page;
mod keys;
mod odd_events;
#[path = "../support/pages.rs"]
mod pages;
mod parameters;
mod policies;
#[path = "../support/proxy.rs"]
mod proxy;
#[path = "../support/routes.rs"]
mod routes;
mod samples;
mod secrets;
#[path = "../support/mod.rs"]
mod support;
mod template;
mod trust;
