//! Who runs a command, for the log of changes.

use clap::Args;

use crate::CommandError;

/// As much as a username may have.
const LONGEST: usize = 150;

/// Who runs a command.
#[derive(Args)]
pub struct Operator {
    /// Who runs this command, for the log of changes; the system's user if it is not given.
    #[arg(long = "as", value_name = "NAME", value_parser = valid)]
    name: Option<String>,
}

impl Operator {
    /// Their name: what `--as` gives, or the user of the operating system.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn name(&self) -> Result<String, CommandError> {
        if let Some(name) = &self.name {
            return Ok(name.clone());
        }
        let name = whoami::fallible::username().map_err(|error| error.to_string());
        let name = name.and_then(|name| valid(&name));
        name.map_err(|error| {
            CommandError::new(format!(
                "cannot tell who runs this ({error}): use --as NAME"
            ))
        })
    }
}

/// A name that a line of a log can hold.
fn valid(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        Err("a name cannot be empty".to_owned())
    } else if text.chars().count() > LONGEST || text.chars().any(char::is_control) {
        Err(format!("a name is a text of up to {LONGEST} characters"))
    } else {
        Ok(text.to_owned())
    }
}
