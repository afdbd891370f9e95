//! The attribute on functions that people write: those in `pass/` compile and run, those in `ui/`
//! are rejected with exactly the messages beside them.

use std::io::{self, Write};

/// The compiler whose messages `ui/**/*.stderr` repeat.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn valid_functions_compile_and_run() {
    trybuild::TestCases::new().pass("pass/*.rs");
}

#[test]
fn invalid_functions_are_explained() {
    let compiler = version();
    if !compiler.starts_with(COMPILER) {
        // Not captured, unlike `println!`: a skipped test must not look like one that passed.
        let message = format!(
            "\nSKIPPED: the messages of compile errors, which are those of {COMPILER}x, as this is \
             {compiler}\n"
        );
        let _ = io::stderr().write_all(message.as_bytes());
        return;
    }
    trybuild::TestCases::new().compile_fail("ui/*/*.rs");
}

fn version() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    match std::process::Command::new(rustc).arg("--version").output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Err(error) => format!("unknown: {error}"),
    }
}
