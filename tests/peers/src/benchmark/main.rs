//! The cost of a call through a circuit breaker: ours, the others' and the least possible, side by
//! side in one run. Writes `RESULTS.md` and `results.svg`.
//!
//!     cargo run --release --bin benchmark
//!     cargo run --release --bin benchmark -- compile-time
//!
//! `-- quick` takes three short rounds and writes nothing.
#![expect(
    clippy::inline_always,
    reason = "the calls of every library are compiled into the loop that measures them"
)]

mod answer;
mod budget;
mod compile_time;
#[path = "../heap.rs"]
mod heap;
mod hot_key;
mod keyed;
mod limits;
mod measure;
mod memory;
mod one_core;
mod ours;
mod peers;
mod plot;
mod report;
mod row;
mod run;
mod runtime;
mod samples;
mod tail;
mod window;

use std::path::Path;

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    match std::env::args().nth(1).as_deref() {
        None => {
            let measured = run::run(&run::FULL);
            report::write(&measured, &folder.join("RESULTS.md"))?;
            std::fs::write(folder.join("results.svg"), plot::draw(&measured))
        }
        Some("quick") => {
            print!("{}", report::text(&run::run(&run::QUICK)));
            Ok(())
        }
        Some("compile-time") => {
            let section = compile_time::section(folder)?;
            report::replace_compile_time(&section, &folder.join("RESULTS.md"))
        }
        Some(other) => {
            eprintln!("unknown argument `{other}`; write `compile-time`, `quick` or nothing");
            std::process::exit(2)
        }
    }
}
