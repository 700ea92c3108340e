//! Makes both forms of the document that the repository keeps, compressed, and links as the other
//! functions are linked.

use std::{env, error::Error, fs, io::Write, path::Path};

use flate2::{Compression, write::GzEncoder};

#[path = "../build.rs"]
mod link;

/// What `manage openapi` wrote.
const KEPT: &str = "../../docs/openapi.yaml";

fn main() -> Result<(), Box<dyn Error>> {
    link::main();
    println!("cargo::rerun-if-changed={KEPT}");
    let yaml = fs::read_to_string(KEPT)?;
    let document: serde_json::Value = serde_yaml_ng::from_str(&yaml)?;
    let out = env::var("OUT_DIR")?;
    for (name, text) in [
        ("openapi.yaml.gz", yaml),
        ("openapi.json.gz", document.to_string()),
    ] {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text.as_bytes())?;
        fs::write(Path::new(&out).join(name), encoder.finish()?)?;
    }
    Ok(())
}
