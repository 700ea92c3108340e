//! Dates and numbers as Django's admin writes them.

use time::OffsetDateTime;

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
    let Ok(time) = OffsetDateTime::from_unix_timestamp(seconds) else {
        return String::new();
    };
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
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
    fn one_is_singular() {
        assert_eq!(counted(0, "user"), "0 users");
        assert_eq!(counted(1, "user"), "1 user");
        assert_eq!(counted(2, "user"), "2 users");
    }
}
