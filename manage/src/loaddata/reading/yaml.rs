//! YAML: a sequence whose entries begin in the first column, as PyYAML writes it. Each is parsed by
//! itself, since a parser of whole documents would hold all of a dump.

use std::io::BufRead;

use super::{Object, Sink, unreadable};
use crate::CommandError;

/// Reads the sequence, one entry at a time.
pub(super) fn objects(mut input: impl BufRead, sink: Sink<'_>) -> Result<(), CommandError> {
    let (mut entry, mut line) = (String::new(), String::new());
    let (mut number, mut begins) = (0, 1);
    loop {
        line.clear();
        let read = input.read_line(&mut line).map_err(unreadable)?;
        number += 1;
        let is_mark = line.trim_end() == "---" && entry.is_empty();
        if read == 0 || line.starts_with("- ") {
            if !entry.trim().is_empty() {
                parse(&entry, begins, sink)?;
            }
            if read == 0 {
                return Ok(());
            }
            entry.clear();
            begins = number;
        }
        if !is_mark {
            entry.push_str(&line);
        }
    }
}

fn parse(entry: &str, line: usize, sink: Sink<'_>) -> Result<(), CommandError> {
    let objects: Vec<Object> = serde_yaml_ng::from_str(entry).map_err(|error| {
        CommandError::new(format!("not a dump: the object at line {line}: {error}"))
    })?;
    objects.into_iter().try_for_each(sink)
}
