//! Live output: a heading for each phase, a line for each second.

use std::time::Duration;

use circuit_runtime::{State, StateChange};

use crate::measure::Second;
use crate::paint::{Colour, Paint};
use crate::scenario::{CALLERS, MAX_FAILURES, PAUSE, Phase, RESET, TIMEOUT, WINDOW};

const WIDTH: usize = 79;
const BAR: u32 = 5;

pub(crate) struct Screen {
    paint: Paint,
    seconds: u32,
}

impl Screen {
    /// Creates a screen and prints an introduction.
    pub(crate) fn new(paint: Paint) -> Self {
        introduce();
        Self { paint, seconds: 0 }
    }

    pub(crate) fn heading(&self, phase: Phase) {
        let Phase { condition, seconds } = phase;
        let title = format!("── the service {condition}, for {seconds} s ");
        let line = format!("{title:─<WIDTH$}");
        println!("{}", self.paint.paint(Colour::Bold, line));
    }

    /// Prints a change as its log event shows it, but for the fields that are always the same. The
    /// half-open states are left out: each is over within milliseconds.
    pub(crate) fn change(&self, change: &StateChange) {
        let (colour, what) = match change.to {
            State::Open => (Colour::Red, "WARN circuit opened"),
            State::Closed => (Colour::Green, "INFO circuit closed"),
            State::HalfOpen => return,
        };
        let mut line = format!("    {what} cause=\"{}\"", change.cause);
        if let Some(window) = change.window {
            line = format!("{line} failures={}", window.failed);
        }
        if let Some(wait) = change.retry_after {
            line = format!("{line} retry_after_ms={}", wait.as_millis());
        }
        println!("{}", self.paint.paint(colour, line));
    }

    pub(crate) fn second(&mut self, unprotected: &Second, state: State, protected: &Second) {
        self.seconds += 1;
        println!(
            "{:>2}s {} {} │ {} {} {} {}",
            self.seconds,
            self.reached(unprotected),
            self.waited(unprotected),
            self.state(state),
            self.reached(protected),
            self.rejected(protected),
            self.waited(protected),
        );
    }

    fn reached(&self, Second { tally, reached }: &Second) -> String {
        let failed = format!("{:>6}", tally.failures);
        let failed = self.paint.paint_if(tally.failures > 0, Colour::Red, failed);
        format!("{reached:>7} {failed}")
    }

    fn rejected(&self, Second { tally, .. }: &Second) -> String {
        let rejected = format!("{:>8}", tally.rejections);
        self.paint
            .paint_if(tally.rejections > 0, Colour::Yellow, rejected)
    }

    fn waited(&self, Second { tally, .. }: &Second) -> String {
        let share = tally.waited.div_duration_f64(capacity());
        let bar = self.paint.paint_if(share > 0.5, Colour::Red, bar(share));
        format!("{:>4.1}s {bar}", tally.waited.as_secs_f64())
    }

    fn state(&self, state: State) -> String {
        let colour = match state {
            State::Closed => Colour::Green,
            State::Open => Colour::Red,
            State::HalfOpen => Colour::Yellow,
        };
        self.paint.paint(colour, format!("{state:<9}"))
    }
}

fn introduce() {
    println!(
        "Two clients call one HTTP service, each with {CALLERS} callers: call, wait for the\n\
         answer, pause for {PAUSE:?}, call again. Both drop a call after {TIMEOUT:?}. The protected\n\
         client also has a circuit breaker: {MAX_FAILURES} failures within {WINDOW:?} \
         open it for {RESET:?}.\n\n\
         reached   what reached the service: requests, and connections that it refused\n\
         failed    calls that failed, those in flight when the circuit opens included\n\
         rejected  calls that the circuit rejected: they reach nothing\n\
         waited    the time that callers waited, of the {:?} that they have in a second\n\
         state     the circuit, at the end of the second\n\
         WARN/INFO the circuit's log: what it says when the circuit opens and closes\n",
        capacity(),
    );
    println!("    unprotected                 │ protected");
    println!("    reached failed waited       │ state     reached failed rejected waited");
}

/// The time that all callers of a client have in one second.
fn capacity() -> Duration {
    Duration::from_secs(1) * CALLERS
}

fn bar(share: f64) -> String {
    let filled = share * f64::from(BAR);
    let cells = (1..=BAR).map(|cell| {
        if f64::from(cell) <= filled.round() {
            '█'
        } else {
            '░'
        }
    });
    cells.collect()
}
