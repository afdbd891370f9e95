use circuit_runtime::circuit_breaker;

#[circuit_breaker(max_failures = 0, windows = "10s", reset "30s", timeout = "2x", name = "")]
fn every_option_and_the_function() -> u8 {
    1
}

#[circuit_breaker(max_failures = 0 windows = "10s" reset = 30)]
async fn without_commas() {}

fn main() {
    let _number: u8 = every_option_and_the_function();
}
