//! The layer of ninelives, in a program of its own.

#[path = "../../src/heap.rs"]
#[expect(dead_code, reason = "the bytes are counted for another program")]
mod heap;
mod measure;
mod report;
mod scenarios;
mod subject;

use ninelives::{CircuitBreakerConfig, CircuitBreakerLayer};
use tower::Layer;

use crate::subject::{FAILURES, Inner, RESET, Subject};

struct NineLives(CircuitBreakerLayer);

impl Subject for NineLives {
    type Service = <CircuitBreakerLayer as Layer<Inner>>::Service;

    const TITLE: &'static str = "ninelives 0.2.0";

    #[expect(clippy::expect_used, reason = "a legal configuration")]
    fn new() -> Self {
        let config = CircuitBreakerConfig::new(FAILURES, RESET, 1).expect("legal");
        Self(CircuitBreakerLayer::new(config).expect("legal"))
    }

    fn layer(&self, inner: Inner) -> Self::Service {
        self.0.layer(inner)
    }
}

fn main() {
    for line in report::lines(vec![report::Column::new::<NineLives>()]) {
        println!("{line}");
    }
}
