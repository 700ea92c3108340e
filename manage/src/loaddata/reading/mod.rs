//! Reads what Django's `dumpdata` writes: JSON, JSON lines, XML or YAML, packed by gzip or not, one
//! object at a time, whatever the size of the file.

mod json;
mod xml;
mod yaml;

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::CommandError;

/// An object of a dump, as it stands there.
#[derive(Clone, Debug, Deserialize)]
pub struct Object {
    /// `app_label.model`, in lower case.
    pub model: String,
    /// The primary key; absent with `--natural-primary`.
    #[serde(default)]
    pub pk: Option<Value>,
    /// The fields. Relations are keys or natural keys.
    pub fields: Map<String, Value>,
}

/// What takes the objects of a file; an error ends the reading.
pub type Sink<'a> = &'a mut dyn FnMut(Object) -> Result<(), CommandError>;

/// The forms of a dump.
enum Form {
    Json,
    JsonLines,
    Xml,
    Yaml,
}

const BUFFER: usize = 256 * 1024;

/// Reads the objects of a file, in order.
///
/// # Errors
/// The file cannot be read, or is no dump; or what the sink says.
pub fn read(path: &Path, sink: Sink<'_>) -> Result<(), CommandError> {
    let named = |error: CommandError| CommandError::new(format!("{}: {error}", path.display()));
    let file = File::open(path)
        .map_err(|error| CommandError::new(format!("cannot read {}: {error}", path.display())))?;
    from_reader(Box::new(BufReader::with_capacity(BUFFER, file)), sink).map_err(named)
}

/// Reads the objects of a stream, in order.
///
/// # Errors
/// As [`read`].
pub fn from_reader(mut input: Box<dyn BufRead + '_>, sink: Sink<'_>) -> Result<(), CommandError> {
    if start(&mut *input)?.starts_with(&[0x1f, 0x8b]) {
        let unpacked = MultiGzDecoder::new(input);
        input = Box::new(BufReader::with_capacity(BUFFER, unpacked));
    }
    let beginning = start(&mut *input)?;
    if beginning.starts_with(b"\xef\xbb\xbf") {
        input.consume(3);
    } else if is_utf16(beginning) {
        return Err(CommandError::new(
            "the file is in UTF-16, as PowerShell's > writes it: dump it again with --output, or \
             convert it to UTF-8",
        ));
    }
    let mut input = Prefixed::skip_blank(input)?;
    let mut sink = |mut object: Object| {
        object.model.make_ascii_lowercase();
        sink(object)
    };
    match form(start(&mut input)?)? {
        Form::Json => json::array(input, &mut sink),
        Form::JsonLines => json::lines(input, &mut sink),
        Form::Xml => xml::objects(input, &mut sink),
        Form::Yaml => yaml::objects(input, &mut sink),
    }
}

/// What a stream begins with, without taking it.
fn start<'a>(input: &'a mut (dyn BufRead + '_)) -> Result<&'a [u8], CommandError> {
    input.fill_buf().map_err(unreadable)
}

fn unreadable(error: io::Error) -> CommandError {
    CommandError::new(format!("cannot read it: {error}"))
}

fn is_utf16(beginning: &[u8]) -> bool {
    beginning.starts_with(&[0xff, 0xfe])
        || beginning.starts_with(&[0xfe, 0xff])
        || beginning.iter().take(2).any(|byte| *byte == 0)
}

fn form(beginning: &[u8]) -> Result<Form, CommandError> {
    match beginning.first() {
        // An empty dump.
        None => Ok(Form::JsonLines),
        Some(b'[') => Ok(Form::Json),
        Some(b'{') => Ok(Form::JsonLines),
        Some(b'<') => Ok(Form::Xml),
        Some(b'-') => Ok(Form::Yaml),
        Some(_) => Err(CommandError::new(
            "not a dump: JSON, JSON lines, XML or YAML of Django's dumpdata is read, packed by gzip or \
             not",
        )),
    }
}

/// A stream without the white space that it began with.
struct Prefixed<'a>(Box<dyn BufRead + 'a>);

impl<'a> Prefixed<'a> {
    fn skip_blank(mut input: Box<dyn BufRead + 'a>) -> Result<Self, CommandError> {
        loop {
            let buffer = input.fill_buf().map_err(unreadable)?;
            let blank = buffer
                .iter()
                .take_while(|b| b.is_ascii_whitespace())
                .count();
            let is_all = blank == buffer.len() && blank > 0;
            input.consume(blank);
            if !is_all {
                return Ok(Self(input));
            }
        }
    }
}

impl Read for Prefixed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl BufRead for Prefixed<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(text: &[u8]) -> Result<Vec<Object>, String> {
        let mut found = Vec::new();
        let mut sink = |object| {
            found.push(object);
            Ok(())
        };
        match from_reader(Box::new(text), &mut sink) {
            Ok(()) => Ok(found),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn every_form_gives_the_same_objects() {
        let json = r#"[{"model": "auth.Group", "pk": 3, "fields": {"name": "a: \"b\" <c>",
            "permissions": [["add_post", "blog", "post"], 7]}}]"#;
        let lines = r#"{"model": "auth.group", "pk": 3, "fields": {"name": "a: \"b\" <c>", "permissions": [["add_post", "blog", "post"], 7]}}
"#;
        let yaml = "- model: auth.group\n  pk: 3\n  fields:\n    name: 'a: \"b\" <c>'\n    permissions:\n    - - add_post\n      - blog\n      - post\n    - 7\n";
        let xml = r#"<?xml version="1.0" encoding="utf-8"?>
<django-objects version="1.0"><object model="auth.group" pk="3"><field name="name"
type="CharField">a: "b" &lt;c&gt;</field><field name="permissions" rel="ManyToManyRel"
to="auth.permission"><object><natural>add_post</natural><natural>blog</natural><natural>post</natural></object><object pk="7"></object></field></object></django-objects>"#;
        let expected = objects(json.as_bytes()).unwrap();
        assert_eq!(expected[0].model, "auth.group");
        for text in [lines, yaml] {
            let found = objects(text.as_bytes()).unwrap();
            assert_eq!(format!("{found:?}"), format!("{expected:?}"));
        }
        // XML has texts only: what they mean is known by the model.
        let found = objects(xml.as_bytes()).unwrap();
        assert_eq!(found[0].pk, Some(Value::from("3")));
        assert_eq!(
            Value::Object(found[0].fields.clone()),
            serde_json::json!({"name": "a: \"b\" <c>", "permissions": [["add_post", "blog", "post"], 7]})
        );
    }

    #[test]
    fn a_number_is_read_to_its_last_digit() {
        let numbers = "[31.245270191439438,121.48791951161945,100.78399658203125,5e-324]";
        let json = format!(r#"[{{"model": "a.b", "fields": {{"x": {numbers}}}}}]"#);
        let found = objects(json.as_bytes()).unwrap();
        assert_eq!(found[0].fields["x"].to_string(), numbers);
    }

    #[test]
    fn a_byte_order_mark_is_skipped_and_utf_16_is_named() {
        assert!(objects(b"\xef\xbb\xbf[]").unwrap().is_empty());
        let utf16: Vec<u8> = "[]".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(objects(&utf16).unwrap_err().contains("UTF-16"));
        assert!(objects(b"\xff\xfe[\0]\0").unwrap_err().contains("UTF-16"));
        assert!(objects(b"hello").unwrap_err().contains("not a dump"));
        assert!(objects(b"[{\"model\": 1}]").is_err());
        assert!(objects(b"[{\"model\": \"a.b\", \"fields\": {}}").is_err());
    }
}
