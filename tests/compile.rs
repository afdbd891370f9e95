//! What the attribute makes of what people write: `pass/` compiles and runs, `ui/` is refused with
//! exactly the words beside it.

/// The compiler whose words `ui/**/*.stderr` repeat.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn what_is_right_compiles() {
    trybuild::TestCases::new().pass("pass/*.rs");
}

#[test]
fn what_is_wrong_is_explained() {
    let compiler = version();
    if !compiler.starts_with(COMPILER) {
        println!("skipped: the expected words are those of {COMPILER}x, and this is {compiler}");
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
