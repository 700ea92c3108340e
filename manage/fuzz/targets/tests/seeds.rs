//! Every seed through its target, and the lists of targets, which must be the same everywhere.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends so")]

use std::{collections::BTreeSet, fs, path::Path};

use fuzz_targets::TARGETS;

const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The names in a directory, without what follows the last dot.
fn names(directory: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(Path::new(DIRECTORY).join(directory)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let stem = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    paths.map(|path| stem(&path)).collect()
}

#[test]
fn every_target_has_a_program_and_seeds_and_is_run_by_the_workflow() {
    let targets: BTreeSet<String> = TARGETS.map(|(name, _)| name.to_owned()).into();
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("seeds"), targets);
    let text = |path: &str| fs::read_to_string(Path::new(DIRECTORY).join(path)).unwrap();
    let manifest = text("Cargo.toml");
    let programs = manifest.split("[[bin]]\nname = \"").skip(1);
    let programs = programs.map(|program| program.split('"').next().unwrap().to_owned());
    assert_eq!(programs.collect::<BTreeSet<_>>(), targets);
    let workflow = text("../../.github/workflows/fuzz.yml");
    for name in targets {
        assert!(
            workflow.contains(&format!("          - {name}\n")),
            "{name}"
        );
    }
}

#[test]
fn every_seed_and_every_beginning_of_it_keeps_the_promises_of_its_target() {
    for (name, target) in TARGETS {
        let entries = fs::read_dir(Path::new(DIRECTORY).join("seeds").join(name)).unwrap();
        let seeds: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        assert!(seeds.len() >= 5, "{name}");
        for path in seeds {
            let seed = fs::read(&path).unwrap();
            println!("{}", path.display());
            target(&seed);
            // A few dozen of them, whatever the length.
            for end in (0..seed.len()).step_by(seed.len() / 40 + 1) {
                target(&seed[..end]);
            }
        }
    }
}
