//! The same scenarios, run against ours in virtual time: see `nested.rs`.
#![expect(dead_code, reason = "some of it is for other libraries only")]

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
    // Scenarios panic a lot. The table has the outcomes.
    std::panic::set_hook(Box::new(|_| ()));

    let undetected = mistakes::undetected();
    if !undetected.is_empty() {
        println!("mistakes that no scenario detects: {undetected:#?}");
        return;
    }
    print!("{}", run::record(&paused::Paused));
    print!("{}", run::record(&attribute::Attribute));
}
