//! The cost of a success when there are many calls in the window.

use std::hint::black_box;
use std::time::{Duration, Instant};

use circuit_runtime::CircuitBreaker;

use crate::answer::at_once;
use crate::measure::whole;
use crate::ours;
use crate::peers;
use crate::row::OURS;
use crate::samples::{Samples, nanos_of};

pub(crate) const COUNTS: [u32; 4] = [1_000, 10_000, 100_000, 10_000_000];

/// Longer than all rounds together.
const WINDOW: Duration = Duration::from_secs(1_800);

/// Makes a number of calls that succeed.
type Calls = Box<dyn FnMut(u32)>;

pub(crate) struct Filled {
    pub(crate) library: &'static str,
    pub(crate) rule: &'static str,
    make: fn() -> Calls,
    /// More calls would take minutes to make.
    max: u32,
    pub(crate) nanos: [Samples; COUNTS.len()],
    /// The fullest window, kept from round to round.
    full: Option<Calls>,
}

pub(crate) fn all() -> Vec<Filled> {
    let filled = |library, rule, max, make| Filled {
        library,
        rule,
        make,
        max,
        nanos: Default::default(),
        full: None,
    };
    vec![
        filled(OURS, "50 % of 30 min", u32::MAX, || {
            ours(ours::breaker(ours::rate_in(WINDOW)))
        }),
        filled(OURS, "50 % slower than 1 s, of 30 min", u32::MAX, || {
            let slow = ours::rate_in(WINDOW).slow_call(Duration::from_secs(1));
            ours(ours::breaker(slow))
        }),
        filled("seatbelt", "50 % of 30 min", u32::MAX, || {
            use layered::Service;
            let service = peers::seatbelt_with(1_000, WINDOW);
            Box::new(move |calls| {
                for _ in 0..calls {
                    let _ = black_box(at_once(service.execute(Ok(7))));
                }
            })
        }),
        filled(
            "tower-resilience-circuitbreaker",
            "50 % of 30 min",
            10_000,
            || {
                use tower::Service;
                let mut service = peers::tower_rate(0.5, WINDOW);
                Box::new(move |calls| {
                    for _ in 0..calls {
                        let _ = black_box(at_once(service.call(Ok(7))));
                    }
                })
            },
        ),
    ]
}

fn ours(breaker: CircuitBreaker) -> Calls {
    Box::new(move |calls| {
        for _ in 0..calls {
            if let Ok(permit) = black_box(&breaker).try_acquire() {
                permit.success();
            }
        }
    })
}

impl Filled {
    pub(crate) fn round(&mut self) {
        for (count, nanos) in COUNTS.into_iter().zip(&mut self.nanos) {
            if count > self.max {
                continue;
            }
            let mut calls = match self.full.take() {
                Some(full) if count == 10_000_000 => full,
                full => {
                    self.full = full;
                    let mut calls = (self.make)();
                    calls(count);
                    calls
                }
            };
            nanos.add(cost(&mut calls));
            if count == 10_000_000 {
                self.full = Some(calls);
            }
        }
    }
}

/// Returns the cost of a call, over few calls, so that the window stays as full.
fn cost(calls: &mut Calls) -> f64 {
    const MEASURED: u32 = 200;
    calls(MEASURED / 4);
    let started = Instant::now();
    calls(MEASURED);
    nanos_of(started.elapsed()) / whole(MEASURED.into())
}
