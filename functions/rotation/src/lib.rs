//! The rotation of the keys of tokens: its steps, which `manage rotatekey` does too, and the function
//! that Secrets Manager's own rotation calls. It also makes the first key of a stack, which
//! CloudFormation cannot.

mod events;
pub mod generate;
mod secret;
pub mod steps;

use shared::settings::SettingsError;
use thiserror::Error;

pub use events::{Event, Function};
pub use secret::{Described, Secret, Version};

/// Why a step was not done. It never shows a key.
#[derive(Debug, Error)]
pub enum Failure {
    /// Somebody else changed the secret in between.
    #[error("somebody else changed the secret at the same time: look at it, and try again")]
    Conflict,
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    /// A failure with that text.
    pub fn new(text: impl Into<String>) -> Self {
        Self::Other(text.into())
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self::new(error.to_string())
    }
}
