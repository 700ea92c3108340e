//! What reads bytes from outside, each as a function of any bytes that ends by itself and holds its
//! promises: cargo-fuzz looks for bytes at which one panics. The seeds in `../seeds/` are the first that
//! it tries, and the tests of this crate try them too.
//!
//! Nothing here waits or hashes a password, so that a target takes many inputs a second.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is how a target tells that a promise is broken"
)]

mod bodies;
mod events;
mod links;
mod service;
mod stored;
mod tokens;

pub use bodies::{bodies, forms, json, multipart, names};
pub use events::{authorizer, events, requests, streams};
pub use links::{cookies, cursors, uids};
pub use stored::{fixtures, hashes, items};
pub use tokens::tokens;

/// A target.
pub type Target = fn(&[u8]);

/// Every target by its name, which is that of its seeds' directory and of its program too.
pub const TARGETS: [(&str, Target); 16] = [
    ("authorizer", authorizer),
    ("bodies", bodies),
    ("cookies", cookies),
    ("cursors", cursors),
    ("events", events),
    ("fixtures", fixtures),
    ("forms", forms),
    ("hashes", hashes),
    ("items", items),
    ("json", json),
    ("multipart", multipart),
    ("names", names),
    ("requests", requests),
    ("streams", streams),
    ("tokens", tokens),
    ("uids", uids),
];

/// The text of an input, of which a part before its first line break is often another thing than the
/// rest.
fn lines(data: &[u8]) -> Option<(&str, &str)> {
    let text = str::from_utf8(data).ok()?;
    Some(text.split_once('\n').unwrap_or((text, "")))
}
