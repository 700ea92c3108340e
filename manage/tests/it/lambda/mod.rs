//! The functions as Lambda runs them: events of API Gateway, what the template lets them do, and
//! keys that change under them.

mod account_life;
mod authorizer;
mod calls;
mod canary;
mod every_page;
pub mod keys;
mod needs;
mod odd_events;
mod parameters;
mod policies;
pub mod rotation;
mod rotation_function;
mod samples;
pub mod secrets;
pub mod template;
mod trust;
