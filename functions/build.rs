//! How the functions are linked.

use std::env;

/// Also a part of build scripts that do more.
pub fn main() {
    println!("cargo::rerun-if-changed=../build.rs");
    // At a fixed address, as Go links its programs: to move this one to another at each start,
    // the loader would write 11,000 pointers on 50 pages, a seventh of the time to its readiness.
    // The stack, the heap and the libraries are at random addresses all the same.
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
