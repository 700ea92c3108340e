//! What the service's Lambda functions share. Each line uses those below it, none above:
//!
//! - [`lambda`]: a function's start, and API Gateway's events
//! - [`http`], [`web`]: the JSON API's routes, extractors and errors; what pages need
//! - [`accounts`]: the use cases, and who may do what
//! - [`forms`]: what a body or form must hold
//! - [`app`]: the parts of the service, put together
//! - [`store`], [`keyring`], [`jwt`], [`tags`], [`aws`]: the DynamoDB table, what is signed, and
//!   the keys
//! - [`mail`]: mails that are owed, and the tokens of their links
//! - [`hashing`], [`input`]: passwords; JSON and forms as Python and DRF read them
//! - [`telemetry`], [`settings`], [`clock`]: logs and metrics, the environment, the time
//! - [`domain`], [`python`]: users, groups, permissions and their rules; Python's own rules

pub mod accounts;
pub mod app;
pub mod aws;
pub mod clock;
pub mod domain;
pub mod forms;
pub mod hashing;
pub mod http;
pub mod input;
pub mod jwt;
pub mod keyring;
pub mod lambda;
pub mod mail;
pub mod python;
pub mod settings;
pub mod store;
pub mod tags;
pub mod telemetry;
pub mod web;
