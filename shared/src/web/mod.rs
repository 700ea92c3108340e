//! What all pages need: cookies, sessions, forms that were sent on purpose, messages, and what the
//! browser is forbidden.

pub mod assets;
pub mod cookies;
pub mod csrf;
pub mod guard;
pub mod messages;
pub mod session;

/// A secret that nobody guesses: 128 bits from the system's random source, as 32 hex digits.
fn random_secret() -> String {
    format!("{:032x}", rand::random::<u128>())
}
