//! The same scenarios, run against ninelives alone: see `nested.rs`.
#![expect(dead_code, reason = "some of it is for other libraries only")]

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
    // Scenarios panic a lot. The table has the outcomes.
    std::panic::set_hook(Box::new(|_| ()));

    print!("{}", run::record(&library::NineLives));
}
