//! The command line of the service.

use std::process::ExitCode;

use clap::Parser;
use manage::{Arguments, run};
use mimalloc::MiMalloc;

/// The SDK and the engine allocate hundreds of times for a request, which the system's allocator
/// takes longer for.
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
