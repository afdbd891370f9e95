use circuit_runtime::circuit_breaker;

#[circuit_breaker]
struct Client;

#[circuit_breaker]
pub(crate) enum State {
    Open,
}

#[circuit_breaker]
union Bits {
    float: f32,
    integer: u32,
}

#[circuit_breaker]
impl Client {
    fn quote(&self) {}
}

#[circuit_breaker]
trait Quotes {
    fn quote(&self);
}

#[circuit_breaker]
unsafe trait Unchecked {}

#[circuit_breaker]
unsafe impl Unchecked for Client {}

#[circuit_breaker]
mod quotes {}

#[circuit_breaker]
const LIMIT: u32 = 5;

#[circuit_breaker]
static NAME: &str = "payments";

#[circuit_breaker]
type Failure = std::io::Error;

#[circuit_breaker]
use std::fmt;

#[circuit_breaker]
unsafe extern "C" {}

#[circuit_breaker]
macro_rules! quote {
    () => {};
}

fn main() {
    // Every item is there all the same.
    let _client: Client = Client;
    let _state = State::Open;
    let _bits = Bits { integer: LIMIT };
    let _failure: Option<(Failure, fmt::Error)> = None;
    println!("{NAME}");
    quote!();
}
