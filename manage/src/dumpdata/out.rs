//! The objects of a dump, in a file.

use std::io::{BufWriter, Write};

use serde_json::Value;

use super::{Format, unwritable};
use crate::CommandError;

/// Objects written one by one.
pub(super) struct Objects {
    out: BufWriter<Box<dyn Write>>,
    format: Format,
    count: u64,
}

impl Objects {
    pub(super) fn new(out: Box<dyn Write>, format: Format) -> Result<Self, CommandError> {
        let mut out = BufWriter::new(out);
        if format == Format::Json {
            out.write_all(b"[").map_err(unwritable)?;
        }
        Ok(Self {
            out,
            format,
            count: 0,
        })
    }

    pub(super) fn write(&mut self, object: &Value) -> Result<(), CommandError> {
        let between = match (self.format, self.count) {
            (Format::Jsonl, _) => "",
            (Format::Json, 0) => "\n",
            (Format::Json, _) => ",\n",
        };
        let after = if self.format == Format::Jsonl {
            "\n"
        } else {
            ""
        };
        self.count += 1;
        write!(self.out, "{between}{object}{after}").map_err(unwritable)
    }

    pub(super) fn end(mut self) -> Result<(), CommandError> {
        if self.format == Format::Json {
            self.out.write_all(b"\n]\n").map_err(unwritable)?;
        }
        self.out.flush().map_err(unwritable)
    }
}
