//! Texts for a terminal. Names, addresses, user agents and what servers answer may hold anything.

/// A text on one line, without what steers a terminal.
pub fn clean(text: &str) -> String {
    let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(shown).collect()
}

/// Lines without what steers a terminal.
pub fn clean_lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(clean).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_not_printed() {
        let text = "a\u{1b}[2J\u{9b}1m\r\nb\té";
        assert_eq!(
            clean(text),
            "a\u{fffd}[2J\u{fffd}1m\u{fffd}\u{fffd}b\u{fffd}é"
        );
        assert_eq!(
            clean_lines(text),
            "a\u{fffd}[2J\u{fffd}1m\u{fffd}\nb\u{fffd}é"
        );
    }
}
