//! The results as a page.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use crate::budget;
use crate::hot_key::THREADS;
use crate::row::Scenario;
use crate::run::{Figures, Measured};
use crate::samples::{Samples, figure};
use crate::window::COUNTS;

const COMPILE_TIME: &str = "## Compile time\n";

/// Writes the page, except for the section that another command writes.
pub(crate) fn write(measured: &Measured, path: &Path) -> io::Result<()> {
    let compile_time = compile_time_in(path)?;
    fs::write(path, text(measured) + &compile_time)
}

pub(crate) fn replace_compile_time(section: &str, path: &Path) -> io::Result<()> {
    let page = fs::read_to_string(path).unwrap_or_default();
    let before = page.split(COMPILE_TIME).next().unwrap_or_default();
    fs::write(path, format!("{before}{COMPILE_TIME}\n{section}"))
}

fn compile_time_in(path: &Path) -> io::Result<String> {
    if !path.exists() {
        return Ok(format!("{COMPILE_TIME}\nNot measured yet.\n"));
    }
    let page = fs::read_to_string(path)?;
    let section = page
        .split_once(COMPILE_TIME)
        .map_or("\nNot measured yet.\n", |(_, section)| section);
    Ok(format!("{COMPILE_TIME}{section}"))
}

pub(crate) fn text(measured: &Measured) -> String {
    let mut text = format!(
        "# What a call costs\n\n\
         Written by `cargo run --release --bin benchmark`, in {:.0?}, and by the same with `-- compile-time`; not\n\
         by hand. {}.\n\n\
         F is one uncontended relaxed `fetch_add`, here {} ns, and I one `Instant::now()`, here {} ns.\n\
         L is the least that a breaker must do, C that and a reading of the coarse clock: rows of the limits below.\n\
         Every figure is the median of {} rounds, with the least and the greatest in brackets. In each round every row has its\n\
         turn, and on one thread gives the median of batches of 20 us. On two threads a figure is what a call\n\
         takes on each of them, and a round counts if both ran all the time: nine tenths of their spans in\n\
         common, and neither kept waiting for a tenth of it, in one of five tries. Calls are made in a tokio\n\
         task, on a breaker that all threads share; the body of a call is ready at once. What is in **bold** is\n\
         ours. All rounds are of one process: an odd figure should be confirmed by a second\n\
         run. The layers of tower are compared in [TOWER.md](TOWER.md).\n\n\
         ![Nanoseconds of a call](results.svg)\n\n\
         ## Budgets\n\n",
        measured.took,
        machine(),
        figure(measured.addition()),
        figure(measured.clock()),
        measured.rounds,
    );
    text += &budget::table(measured);
    text += "\n## Limits\n\n";
    text += &calls(measured, Scenario::Limit);
    for (title, scenario, about) in [
        ("Closed, success", Scenario::Success, ""),
        (
            "Closed, failure below the limit",
            Scenario::Failure,
            "Limits are out of reach, or windows so short that nothing adds up.\n\n",
        ),
        (
            "Open, rejected",
            Scenario::Rejection,
            "Opened by failures, for an hour. Our rejections name the circuit, and when to retry.\n\n",
        ),
        ("The attribute", Scenario::Attribute, ""),
        (
            "Keys",
            Scenario::Keys,
            "A whole call through a function with a breaker for each key, and the lookup in a map alone. \
             A million breakers do not fit into the cache.\n\n",
        ),
    ] {
        text += &format!("\n## {title}\n\n{about}");
        text += &calls(measured, scenario);
    }
    text += "\nLeft out: ninelives 0.2.0, which holds tokio below 1.49 and cannot be built beside ours.\n";
    text += &tasks(measured);
    text += &hot_keys(measured);
    text += &scaling(measured);
    text += &tails(measured);
    text += &on_one_core(measured);
    text += &windows(measured);
    text += &memory(measured);
    text + "\n"
}

fn machine() -> String {
    let processor = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(": ")?.1.to_owned())
    });
    let threads = std::thread::available_parallelism().map_or(0, usize::from);
    let compiler = Command::new("rustc").arg("--version").output();
    let compiler = compiler.map_or(String::new(), |output| {
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    });
    format!(
        "{}, {threads} hardware threads, {}, {compiler}, fat LTO",
        processor.as_deref().unwrap_or("A processor without a name"),
        std::env::consts::OS,
    )
}

fn with_range(samples: &Samples) -> String {
    if samples.count() == 0 {
        return "-".to_owned();
    }
    format!(
        "{} ({} to {})",
        figure(samples.median()),
        figure(samples.least()),
        figure(samples.greatest())
    )
}

fn calls(measured: &Measured, scenario: Scenario) -> String {
    let mut text = String::from(
        "| | call | rule | one thread, ns | in F | in I | two threads, ns | in F | in I | rounds | allocations |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    let (addition, clock) = (measured.addition(), measured.clock());
    for figures in measured.for_scenario(scenario) {
        let row = figures.row;
        let (one, two) = (figures.one.median(), figures.two.median());
        text += &format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
            name(figures),
            row.setting,
            row.rule.name(),
            with_range(&figures.one),
            figure(one / addition),
            figure(one / clock),
            with_range(&figures.two),
            figure(two / addition),
            figure(two / clock),
            figures.two.count(),
            allocations(figures),
        );
    }
    text
}

fn name(figures: &Figures) -> String {
    emphasized(figures.row.library)
}

fn emphasized(library: &str) -> String {
    if library == crate::row::OURS {
        format!("**{library}**")
    } else {
        library.to_owned()
    }
}

fn allocations(figures: &Figures) -> String {
    if figures.allocations == 0.0 {
        return "none".to_owned();
    }
    format!("{:.1}, {:.0} bytes", figures.allocations, figures.bytes)
}

fn tasks(measured: &Measured) -> String {
    let mut text = String::from(
        "\n## In the tasks of a multi-thread runtime\n\n\
         The time of a worker for a call: alone with one task, and two workers with 64 tasks. A body that is\n\
         pending once yields, and is polled again.\n\n\
         | | call | body | one worker, ns | two workers, ns |\n|---|---|---|---|---|\n",
    );
    for tasks in &measured.tasks {
        text += &format!(
            "| {} | {} | {} | {} | {} |\n",
            emphasized(tasks.library),
            tasks.setting,
            tasks.body,
            with_range(&tasks.alone),
            with_range(&tasks.many),
        );
    }
    text
}

fn hot_keys(measured: &Measured) -> String {
    let mut text = String::from(
        "\n## A hot key\n\n\
         A whole call through a function with a breaker for each key, all threads with the same key. Nanoseconds\n\
         of a call where all threads run at once, and how many times those on one thread that is.\n\n\
         | | call | threads | ns | of one thread | all threads, millions of calls in a second |\n\
         |---|---|---|---|---|---|\n",
    );
    for hot_key in &measured.hot_keys {
        let samples = hot_key.nanos.iter().zip(&hot_key.rates);
        let one = hot_key.nanos.first().map_or(f64::NAN, Samples::median);
        for (threads, (nanos, rates)) in THREADS.into_iter().zip(samples) {
            text += &format!(
                "| {} | {} | {threads} | {} | {} | {} |\n",
                emphasized(hot_key.row.library),
                hot_key.row.setting,
                with_range(nanos),
                figure(nanos.median() / one),
                figure(rates.median() / 1e6),
            );
        }
    }
    text
}

fn scaling(measured: &Measured) -> String {
    let mut text = String::from(
        "\n## Scaling\n\n\
         Millions of calls in a second, of all threads together, and how many times those of one thread that\n\
         is. Sixteen threads are more than this machine runs at once.\n\n\
         | | call | | one thread | two | sixteen |\n|---|---|---|---|---|---|\n",
    );
    for (state, scenario) in [
        ("limit", Scenario::Limit),
        ("success", Scenario::Success),
        ("failure", Scenario::Failure),
        ("rejection", Scenario::Rejection),
        ("attribute", Scenario::Attribute),
        ("key", Scenario::Keys),
    ] {
        for figures in measured.for_scenario(scenario) {
            let one = 1e9 / figures.one.median();
            let times = |rate: &Samples| {
                let rate = rate.median();
                format!("{} = {} x", figure(rate / 1e6), figure(rate / one))
            };
            text += &format!(
                "| {} | {} | {state} | {} | {} | {} |\n",
                name(figures),
                figures.row.setting,
                figure(one / 1e6),
                times(&figures.two_rate),
                times(&figures.sixteen_rate),
            );
        }
    }
    text
}

fn tails(measured: &Measured) -> String {
    let mut text = String::from(
        "\n## The slowest calls\n\n\
         Nanoseconds of single successes on a breaker that two threads share, including the two clock\n\
         readings around each.\n\n\
         | | call | median | 99 % | 99.9 % | rounds |\n|---|---|---|---|---|---|\n",
    );
    for tail in &measured.tails {
        text += &format!(
            "| {} | {} | {} | {} | {} | {} |\n",
            emphasized(tail.row.library),
            tail.row.setting,
            figure(tail.median.median()),
            figure(tail.p99.median()),
            with_range(&tail.p999),
            tail.median.count(),
        );
    }
    text
}

fn on_one_core(measured: &Measured) -> String {
    let mut text = String::from(
        "\n## A failure that finds the breaker in use, on one core\n\n\
         Microseconds of single failures of a thread that wakes up now and then, on the only core of a\n\
         thread that does nothing but fail. Some of them find a lock whose holder is preempted.\n\n\
         | | call | other thread | median | 99 % | 99.9 % | calls |\n|---|---|---|---|---|---|---|\n",
    );
    for tail in &measured.on_one_core {
        let micros = |thousandth| figure(tail.nanos(thousandth) / 1_000.0);
        text += &format!(
            "| {} | {} | {} | {} | {} | {} | {} |\n",
            emphasized(tail.row.library),
            tail.row.setting,
            tail.other.name(),
            micros(500),
            micros(990),
            micros(999),
            tail.calls(),
        );
    }
    text
}

fn windows(measured: &Measured) -> String {
    let mut text = String::from(
        "\n## A success, with this many calls in the window\n\n\
         Nanoseconds on one thread, over 200 calls. `-`: to make that many would take minutes.\n\n| | rule |",
    );
    for count in COUNTS {
        text += &format!(" {count} |");
    }
    text += "\n|---|---|---|---|---|---|\n";
    for filled in &measured.filled {
        text += &format!("| {} | {} |", emphasized(filled.library), filled.rule);
        for nanos in &filled.nanos {
            text += &format!(" {} |", with_range(nanos));
        }
        text += "\n";
    }
    text
}

fn memory(measured: &Measured) -> String {
    let mut text = String::from(
        "\n## Memory\n\n\
         In bytes. `future`: what wrapping adds to a future. The heap of a new breaker does not show what it\n\
         allocates later.\n\n| | handle | heap | future |\n|---|---|---|---|\n",
    );
    for size in &measured.sizes {
        let future = size
            .future
            .map_or("-".to_owned(), |bytes| format!("+ {bytes}"));
        text += &format!(
            "| {} | {} | {} | {future} |\n",
            emphasized(size.library),
            size.handle,
            size.heap
        );
    }
    let (plain, timed) = measured.futures;
    text += &format!(
        "\nThe attribute adds {plain} bytes to a future, and {timed} with a timeout.\n\n\
         The heap that a breaker of ours holds, by its rule: that of a key after one call, with its name and its \
         share of the map; and without a key, new, after a failure, and after one on each of sixteen threads.\n\n\
         | rule | of a key | new | failed | by sixteen |\n|---|---|---|---|---|\n",
    );
    for held in &measured.held {
        text += &format!(
            "| {} | {} | {} | {} | {} |\n",
            held.rule, held.key, held.new, held.used, held.on_sixteen
        );
    }
    text
}
