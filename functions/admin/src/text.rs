//! Dates and numbers as Django's admin writes them.

use time::{OffsetDateTime, PrimitiveDateTime, macros::format_description};

const MONTHS: [&str; 12] = [
    "Jan.", "Feb.", "March", "April", "May", "June", "July", "Aug.", "Sept.", "Oct.", "Nov.",
    "Dec.",
];

/// Django's `N j, Y, P` of a time in seconds since 1970, in UTC: `Nov. 25, 2026, 3:04 p.m.`
pub fn date(seconds: i64) -> String {
    let Ok(time) = OffsetDateTime::from_unix_timestamp(seconds) else {
        return String::new();
    };
    let month = MONTHS[usize::from(u8::from(time.month())) - 1];
    let clock = match (time.hour(), time.minute()) {
        (0, 0) => "midnight".to_owned(),
        (12, 0) => "noon".to_owned(),
        (hour, minute) => {
            let half = if hour < 12 { "a.m." } else { "p.m." };
            let hour = match hour % 12 {
                0 => 12,
                hour => hour,
            };
            match minute {
                0 => format!("{hour} {half}"),
                minute => format!("{hour}:{minute:02} {half}"),
            }
        }
    };
    format!("{month} {}, {}, {clock}", time.day(), time.year())
}

/// A time in seconds since 1970 as HTML's `datetime` attribute takes it.
pub fn iso(seconds: i64) -> String {
    format!("{}Z", local(seconds))
}

/// A time in seconds since 1970 as the value of an `<input type="datetime-local">`, in UTC.
pub fn local(seconds: i64) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok();
    let text = time.and_then(|time| time.format(format).ok());
    text.unwrap_or_default()
}

/// The time that such an input sends, with seconds or without, in seconds since 1970; of a year of
/// four digits, as Django's.
pub fn parsed(text: &str) -> Option<i64> {
    let format = format_description!(
        version = 2,
        "[year]-[month padding:none]-[day padding:none][first [T][ ]][hour padding:none]:[minute \
         padding:none][optional [:[second padding:none]]]"
    );
    let time = PrimitiveDateTime::parse(text.trim(), format).ok()?;
    (time.year() > 0).then(|| time.assume_utc().unix_timestamp())
}

/// `1 user`, `2 users`.
pub fn counted(count: usize, name: &str) -> String {
    match count {
        1 => format!("1 {name}"),
        count => format!("{count} {name}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_djangos() {
        for (seconds, text) in [
            (0, "Jan. 1, 1970, midnight"),
            (12 * 3600, "Jan. 1, 1970, noon"),
            (12 * 3600 + 60, "Jan. 1, 1970, 12:01 p.m."),
            (5 * 60, "Jan. 1, 1970, 12:05 a.m."),
            (1_795_619_040, "Nov. 25, 2026, 3:04 p.m."),
            (1_795_618_800, "Nov. 25, 2026, 3 p.m."),
        ] {
            assert_eq!(date(seconds), text);
        }
        assert_eq!(date(i64::MAX), "");
        assert_eq!(iso(1_795_619_040), "2026-11-25T15:04:00Z");
    }

    #[test]
    fn times_are_read_as_they_are_written() {
        for seconds in [0, -1, 1_795_619_040, 253_402_300_799] {
            assert_eq!(parsed(&local(seconds)), Some(seconds));
        }
        assert_eq!(parsed(" 2026-11-25 15:04 "), Some(1_795_619_040));
        for text in [
            "",
            "x",
            "2026-11-25",
            "2026-11-25T",
            "2026-13-01T00:00",
            "2026-02-30T00:00",
            "2026-11-25T24:00",
            "2026-11-25T15:60",
            "2026-11-25T15:04:05:06",
            "26-11-25T+1:00",
            "0000-01-01T00:00",
            "20260-01-01T00:00",
            "2026-11-25T15:é",
        ] {
            assert_eq!(parsed(text), None, "{text:?}");
        }
    }

    #[test]
    fn one_is_singular() {
        assert_eq!(counted(0, "user"), "0 users");
        assert_eq!(counted(1, "user"), "1 user");
        assert_eq!(counted(2, "user"), "2 users");
    }
}
