//! How many there may be of what is listed whole, so that every list has an end: an answer stays below
//! the 6 MB of Lambda, an item below the 400 KB of DynamoDB. A table that has more already goes on being
//! read, and may lose some; it gets no more.

use super::{FieldError, Permission};

/// Groups.
pub const GROUPS: usize = 1000;
/// Permissions.
pub const PERMISSIONS: usize = 2000;
/// The labels of all permissions, in bytes of UTF-8: one item of the table holds them.
pub const LABEL_BYTES: usize = 250_000;
/// Content types.
pub const CONTENT_TYPES: usize = 1000;
/// Groups that a user is in.
pub const GROUPS_OF_USER: usize = 200;
/// Permissions that a user holds directly.
pub const PERMISSIONS_OF_USER: usize = 1000;
/// Permissions that a group gives: there are no more.
pub const PERMISSIONS_OF_GROUP: usize = PERMISSIONS;

/// The longest label in bytes: two Django columns of 100 characters, and a dot.
const LONGEST_LABEL: usize = 4 * 201;
/// As many permissions fit, whatever their labels.
pub const ALWAYS_FIT: usize = LABEL_BYTES / LONGEST_LABEL;

/// What all permissions take: how many they are, and the bytes of their labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// How many.
    pub permissions: usize,
    /// The bytes.
    pub label_bytes: usize,
}

impl Taken {
    /// What permissions with these labels take.
    pub fn by<'a>(labels: impl IntoIterator<Item = &'a str>) -> Self {
        let add = |taken: Self, label: &str| Self {
            permissions: taken.permissions + 1,
            label_bytes: taken.label_bytes + label.len(),
        };
        labels.into_iter().fold(Self::default(), add)
    }

    /// The error of permissions that grew from `self` to `after`, if those are too many; it belongs to
    /// `codename`.
    pub fn refuses(self, after: Self) -> Option<FieldError> {
        full(
            self.permissions,
            after.permissions,
            PERMISSIONS,
            "permissions",
        )
        .or_else(|| {
            let what = "bytes of labels of permissions";
            full(self.label_bytes, after.label_bytes, LABEL_BYTES, what)
        })
    }

    /// The same after one permission became another, or was made.
    pub fn with(self, before: Option<&Permission>, after: &Permission) -> Self {
        let lost = before.map_or(0, |before| before.label().len());
        Self {
            permissions: self.permissions + usize::from(before.is_none()),
            label_bytes: (self.label_bytes + after.label().len()).saturating_sub(lost),
        }
    }
}

/// The error of a number of `what` that grew beyond the `most` there may be.
pub fn full(before: usize, after: usize, most: usize, what: &str) -> Option<FieldError> {
    let text = || format!("There may be no more than {most} {what}.");
    (after > most && after > before).then(|| FieldError::Said(text().into()))
}

/// DRF's error of a list (`ListField`), for a set that grew beyond the `most` that it may have.
pub fn crowded(before: usize, after: usize, most: usize) -> Option<FieldError> {
    let text = || format!("Ensure this field has no more than {most} elements.");
    (after > most && after > before).then(|| FieldError::Said(text().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_a_quota_may_shrink_but_not_grow() {
        for (before, after, refused) in [
            (0, 1000, false),
            (1000, 1001, true),
            (1500, 1501, true),
            (1500, 1500, false),
            (1500, 1400, false),
        ] {
            let error = full(before, after, 1000, "groups");
            assert_eq!(error.is_some(), refused, "{before} to {after}");
            let error = crowded(before, after, 1000);
            assert_eq!(error.is_some(), refused, "{before} to {after}");
        }
    }

    #[test]
    fn labels_have_a_quota_of_their_own() {
        let fits = Taken {
            permissions: 10,
            label_bytes: LABEL_BYTES - 1,
        };
        let more = |label_bytes| Taken {
            permissions: 11,
            label_bytes,
        };
        assert_eq!(fits.refuses(more(LABEL_BYTES)), None);
        let text = "There may be no more than 250000 bytes of labels of permissions.";
        assert_eq!(
            fits.refuses(more(LABEL_BYTES + 1)),
            Some(FieldError::said(text))
        );
    }
}
