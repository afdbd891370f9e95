//! The compile time of the breaker: in a cold build, and for each annotated function.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::samples::Samples;

const ROUNDS: usize = 3;
const FUNCTIONS: usize = 500;

const TOKIO: &str =
    "tokio = { version = \"1.49\", features = [\"macros\", \"rt-multi-thread\", \"time\"] }\n";

/// Measures it, with the repository two folders above `folder`.
pub(crate) fn section(folder: &Path) -> io::Result<String> {
    let runtime = folder.join("../../circuit-runtime").canonicalize()?;
    let ours = format!(
        "{TOKIO}circuit-runtime = {{ path = '{}' }}\n",
        runtime.display()
    );
    let temp = TempFolder::new()?;
    let empty = "fn main() {}\n";
    let crates = [
        temp.package("tokio_alone", TOKIO, empty)?,
        temp.package("with_ours", &ours, empty)?,
        temp.package("plain_functions", &ours, &functions(""))?,
        temp.package("annotated_functions", &ours, &functions(ANNOTATION))?,
    ];
    let [alone, with_ours, plain, annotated] = &crates;

    let mut text = format!(
        "Medians of {ROUNDS}, with the least in brackets, in seconds.\n\n\
         | build | without | with | more |\n|---|---|---|---|\n",
    );
    for profile in [Profile::Debug, Profile::Release] {
        let (without, with) = in_turns(|| alone.cold(profile), || with_ours.cold(profile))?;
        let what = format!(
            "cold, {}, tokio and then circuit-runtime too",
            profile.name()
        );
        text += &line(&what, &without, &with);
    }
    for package in [plain, annotated] {
        package.cold(Profile::Debug)?;
    }
    let (without, with) = in_turns(|| plain.warm(), || annotated.warm())?;
    text += &line(
        &format!("debug, {FUNCTIONS} async functions, annotated"),
        &without,
        &with,
    );
    let more = with.median() - without.median();
    let _ = write!(
        text,
        "\nAn annotated function takes {:.1} ms more than a plain one; the budget of a cold build is 3 s more.\n",
        more * 1e3 / count(FUNCTIONS),
    );
    Ok(text)
}

const ANNOTATION: &str =
    "#[circuit_runtime::circuit_breaker(max_failures = 5, window = \"10s\", timeout = \"2s\")]\n";

/// Returns [`FUNCTIONS`] functions, and tasks that call them, so that code is generated for each.
fn functions(annotation: &str) -> String {
    let mut text = String::from(
        "#[derive(Debug)]\npub struct Failed;\n\
         impl From<circuit_runtime::CircuitError> for Failed {\n    \
         fn from(_: circuit_runtime::CircuitError) -> Self { Failed }\n}\n\
         async fn ask(number: u32) -> Result<u32, Failed> {\n    \
         tokio::task::yield_now().await;\n    Ok(number)\n}\n",
    );
    for number in 0..FUNCTIONS {
        let _ = write!(
            text,
            "{annotation}async fn function_{number}(of: &str) -> Result<String, Failed> {{\n    \
             let answer = ask({number}).await?;\n    Ok(format!(\"{{of}} {{answer}}\"))\n}}\n"
        );
    }
    text += "#[tokio::main]\nasync fn main() {\n";
    for number in 0..FUNCTIONS {
        let _ = writeln!(
            text,
            "    tokio::spawn(async {{ function_{number}(\"x\").await.is_ok() }});"
        );
    }
    text + "}\n"
}

/// Measures both in turn, so that a disturbance affects both.
fn in_turns(
    without: impl Fn() -> io::Result<Duration>,
    with: impl Fn() -> io::Result<Duration>,
) -> io::Result<(Samples, Samples)> {
    let (mut one, mut other) = (Samples::default(), Samples::default());
    for _ in 0..ROUNDS {
        one.add(without()?.as_secs_f64());
        other.add(with()?.as_secs_f64());
    }
    Ok((one, other))
}

fn line(what: &str, without: &Samples, with: &Samples) -> String {
    let seconds = |samples: &Samples| format!("{:.2} ({:.2})", samples.median(), samples.least());
    format!(
        "| {what} | {} | {} | {:.2} |\n",
        seconds(without),
        seconds(with),
        with.median() - without.median(),
    )
}

#[expect(clippy::cast_precision_loss, reason = "some hundreds")]
fn count(number: usize) -> f64 {
    number as f64
}

#[derive(Clone, Copy)]
enum Profile {
    Debug,
    Release,
}

impl Profile {
    fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }
}

/// A temporary folder, removed on drop.
struct TempFolder(PathBuf);

impl TempFolder {
    fn new() -> io::Result<Self> {
        let folder =
            std::env::temp_dir().join(format!("circuit-compile-time-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    /// Creates a program, with its dependencies fetched.
    fn package(&self, name: &str, dependencies: &str, source: &str) -> io::Result<Package> {
        let folder = self.0.join(name);
        fs::create_dir_all(folder.join("src"))?;
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\n{dependencies}"
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        fs::write(folder.join("src/main.rs"), source)?;
        let package = Package(folder);
        package.cargo(&["fetch"])?;
        Ok(package)
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        // If that fails, the folder remains among the temporary ones of the system.
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Package(PathBuf);

impl Package {
    /// Builds everything from scratch.
    fn cold(&self, profile: Profile) -> io::Result<Duration> {
        let _ = fs::remove_dir_all(self.0.join("target"));
        self.build(profile)
    }

    /// Builds the crate itself, with its dependencies built.
    fn warm(&self) -> io::Result<Duration> {
        let main = self.0.join("src/main.rs");
        let source = fs::read_to_string(&main)?;
        fs::write(&main, source)?;
        self.build(Profile::Debug)
    }

    fn build(&self, profile: Profile) -> io::Result<Duration> {
        let started = Instant::now();
        match profile {
            Profile::Debug => self.cargo(&["build", "--offline"])?,
            Profile::Release => self.cargo(&["build", "--offline", "--release"])?,
        }
        Ok(started.elapsed())
    }

    fn cargo(&self, arguments: &[&str]) -> io::Result<()> {
        let output = Command::new("cargo")
            .args(arguments)
            .current_dir(&self.0)
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_TARGET_DIR", self.0.join("target"))
            .output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(io::Error::other(String::from_utf8_lossy(&output.stderr)))
    }
}
