//! The time, which tests can set.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// A time in seconds since 1970 as DRF's `DateTimeField` writes it (RFC 3339, in UTC); empty if it
/// is no date.
pub fn rfc3339(seconds: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok();
    let text = time.and_then(|time| time.format(&Rfc3339).ok());
    text.unwrap_or_default()
}

/// A time in milliseconds since 1970 likewise.
pub fn rfc3339_of_ms(milliseconds: i64) -> String {
    let nanoseconds = i128::from(milliseconds) * 1_000_000;
    let time = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok();
    let text = time.and_then(|time| time.format(&Rfc3339).ok());
    text.unwrap_or_default()
}

/// Where the time comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A time that stands until it is changed, in seconds since 1970.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// Whole seconds since 1970-01-01 UTC (RFC 7519's NumericDate).
    pub fn now(&self) -> i64 {
        self.now_in_ms() / 1000
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub fn now_in_ms(&self) -> i64 {
        match self {
            Self::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH);
                let milliseconds = since.as_ref().map_or(0, Duration::as_millis);
                i64::try_from(milliseconds).unwrap_or(i64::MAX)
            }
            Self::Fixed(time) => time.load(Ordering::SeqCst).saturating_mul(1000),
        }
    }
}
