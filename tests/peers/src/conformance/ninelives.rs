//! The same scenarios, run against ninelives alone: see `nested.rs`.
#![expect(dead_code, reason = "what only other libraries need is unused here")]

mod adapter;
#[path = "../heap.rs"]
mod heap;
#[path = "peers/ninelives.rs"]
mod library;
mod run;
mod scenarios;
mod threads;
mod trial;

fn main() {
    // Scenarios panic a lot, and what comes of it is in the table.
    std::panic::set_hook(Box::new(|_| ()));

    print!("{}", run::record(&library::NineLives));
}
