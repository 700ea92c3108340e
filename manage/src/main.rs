//! The command line of the service.

use std::process::ExitCode;

use clap::Parser;
use manage::{Arguments, run};
use mimalloc::MiMalloc;

/// Under load several times as fast as that of the system, and its memory does not grow with the
/// passwords that are hashed.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}
