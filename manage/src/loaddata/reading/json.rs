//! A JSON array of objects, and a line of JSON for each.

use std::{fmt, io::Read};

use serde::{
    Deserializer as _,
    de::{SeqAccess, Visitor},
};
use serde_json::Deserializer;

use super::{Object, Sink};
use crate::CommandError;

/// Reads an array, one element at a time.
pub(super) fn array(input: impl Read, sink: Sink<'_>) -> Result<(), CommandError> {
    let mut refused = None;
    let mut deserializer = Deserializer::from_reader(input);
    let elements = Elements {
        sink,
        refused: &mut refused,
    };
    let read = deserializer
        .deserialize_seq(elements)
        .and_then(|()| deserializer.end());
    match (refused, read) {
        (Some(error), _) => Err(error),
        (None, Err(error)) => Err(CommandError::new(format!("not a dump: {error}"))),
        (None, Ok(())) => Ok(()),
    }
}

/// Reads objects that follow each other.
pub(super) fn lines(input: impl Read, sink: Sink<'_>) -> Result<(), CommandError> {
    for object in Deserializer::from_reader(input).into_iter::<Object>() {
        sink(object.map_err(|error| CommandError::new(format!("not a dump: {error}")))?)?;
    }
    Ok(())
}

struct Elements<'a, 'b> {
    sink: Sink<'a>,
    /// The sink's error, which is no error of the text.
    refused: &'b mut Option<CommandError>,
}

impl<'de> Visitor<'de> for Elements<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(object) = elements.next_element::<Object>()? {
            if let Err(error) = (self.sink)(object) {
                *self.refused = Some(error);
                return Err(serde::de::Error::custom("refused"));
            }
        }
        Ok(())
    }
}
