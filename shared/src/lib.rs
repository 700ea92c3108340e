//! What the service's Lambda functions share: settings, tokens, hashing, the DynamoDB table,
//! and the reading of requests in the manner of Django REST Framework.

pub mod app;
pub mod aws;
pub mod domain;
pub mod error;
pub mod forms;
pub mod hashing;
pub mod http;
pub mod input;
pub mod jwt;
pub mod keyring;
pub mod lambda;
pub mod login;
pub mod python;
pub mod settings;
pub mod store;
pub mod tags;
pub mod web;
