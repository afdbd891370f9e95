//! Live output: a heading for each phase, a line for each second.

use std::time::Duration;

use circuit_runtime::State;

use crate::measure::Tally;
use crate::paint::{Colour, Paint};
use crate::scenario::{CALLERS, MAX_FAILURES, PAUSE, Phase, RESET, TIMEOUT, WINDOW};

const WIDTH: usize = 79;
const BAR: u32 = 8;

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

    pub(crate) fn second(&mut self, unprotected: &Tally, state: State, protected: &Tally) {
        self.seconds += 1;
        println!(
            "{:>2}s {} {} │ {} {} {} {}",
            self.seconds,
            self.calls(unprotected),
            self.waited(unprotected),
            self.state(state),
            self.calls(protected),
            self.rejected(protected),
            self.waited(protected),
        );
    }

    fn calls(&self, tally: &Tally) -> String {
        let failed = format!("{:>6}", tally.failures);
        let failed = self.paint.paint_if(tally.failures > 0, Colour::Red, failed);
        format!("{:>5} {failed}", tally.calls)
    }

    fn rejected(&self, tally: &Tally) -> String {
        let rejected = format!("{:>8}", tally.rejections);
        self.paint
            .paint_if(tally.rejections > 0, Colour::Yellow, rejected)
    }

    fn waited(&self, tally: &Tally) -> String {
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
         open it for {RESET:?}.\n\
         A bar shows how much of the callers' {:?} in each second was spent waiting. The\n\
         state is that at the end of the second. Calls in flight when it opens still fail.\n",
        capacity(),
    );
    println!("    unprotected                 │ protected");
    println!("    calls failed waited         │ state     calls failed rejected waited");
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
