//! The same scenarios, run against ours in virtual time: see `nested.rs`.
#![expect(dead_code, reason = "what only other libraries need is unused here")]

mod adapter;
#[path = "peers/attribute.rs"]
mod attribute;
#[path = "../heap.rs"]
mod heap;
mod mistakes;
#[path = "peers/paused.rs"]
mod paused;
mod run;
#[path = "peers/runtime.rs"]
mod runtime;
mod scenarios;
mod threads;
mod trial;

fn main() {
    // Scenarios panic a lot, and what comes of it is in the table.
    std::panic::set_hook(Box::new(|_| ()));

    let overlooked = mistakes::overlooked();
    if !overlooked.is_empty() {
        println!("scenarios that do not find what they are for: {overlooked:#?}");
        return;
    }
    print!("{}", run::record(&paused::Paused));
    print!("{}", run::record(&attribute::Attribute));
}
