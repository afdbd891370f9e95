//! What a breaker has to get right, a file for each topic.
//!
//! Each scenario asks for a rule of the design, by its number in section 4; 0 is what every breaker
//! is for.

mod closed;
mod control;
mod extremes;
mod half_open;
mod keys;
mod late;
mod orders;
mod rates;
mod timeout;
mod together;
mod unfinished;
mod window;

use std::pin::Pin;

use crate::adapter::Library;
use crate::trial::Verdict;

type Running<'l> = Pin<Box<dyn Future<Output = Verdict> + 'l>>;

pub(crate) struct Scenario {
    pub(crate) rule: u8,
    pub(crate) title: &'static str,
    pub(crate) run: fn(&dyn Library) -> Running<'_>,
}

macro_rules! scenarios {
    ($($rule:literal $title:literal $topic:ident::$name:ident)*) => {
        pub(crate) const ALL: &[Scenario] = &[$(Scenario {
            rule: $rule,
            title: $title,
            run: |library| Box::pin($topic::$name(library)),
        }),*];
    };
}

scenarios! {
    0 "Control: failures open it, it rejects while open, it recovers after the wait"
        control::opens_rejects_recovers
    0 "A recovery forgets the failures of before"
        control::recovery_forgets
    1 "A late success does not close an open circuit"
        late::success_while_open
    1 "A late success beside a probe that runs lets nobody in"
        late::success_beside_probe
    1 "A late failure beside a probe that runs re-opens nothing"
        late::failure_beside_probe
    1 "Late failures do not open a circuit that has recovered"
        late::failures_after_recovery
    1 "A probe of an earlier half-open phase decides nothing in the next"
        late::probe_of_an_earlier_phase
    2 "A slow result counts while the state is the same"
        late::slow_results
    3 "A probe that is dropped before it is polled keeps nobody out for ever"
        unfinished::dropped_before_poll
    3 "A probe that is dropped after it is polled keeps nobody out for ever"
        unfinished::dropped_after_poll
    3 "A probe that is dropped makes room for another at once"
        unfinished::dropped_makes_room
    3 "A probe that panics keeps nobody out for ever"
        unfinished::panic_frees_place
    3 "A probe that panics has failed: the circuit is open again"
        unfinished::panic_fails_probe
    3 "A predicate that panics about a probe's error keeps nobody out for ever"
        unfinished::panic_in_predicate
    3 "A panic is a failure, once"
        unfinished::panic_in_closed
    3 "A panic goes on unwinding unchanged"
        unfinished::panic_unchanged
    3 "Calls that are dropped while another panic unwinds are no failures"
        unfinished::dropped_while_unwinding
    4 "A probe that hangs for longer than the wait keeps nobody out for ever"
        half_open::hung_probe
    4 "A probe that is forgotten (`mem::forget`) keeps nobody out for ever"
        half_open::forgotten_probe
    5 "One probe is let in, of 50 concurrent calls"
        half_open::one_of_fifty
    5 "One probe is let in, of 8 threads, again and again"
        half_open::one_of_eight_threads
    6 "Rejected calls are no evidence, and do not prolong the wait"
        closed::rejections
    6 "Dropped calls are neither failures nor successes"
        closed::drops
    7 "Failures count until the end of the window, and not after"
        window::slides
    7 "Old evidence is gone after a stall, whatever is pending"
        window::stall
    7 "Failures count among the last 100 calls, and not after"
        window::last_calls
    7 "1 % failures over 1,000 calls open nothing"
        closed::one_percent
    7 "After 20,000 successes it opens at as few failures as before"
        closed::after_successes
    7 "After 20,000 successes, and later, 100 failures are enough for a rate of a half"
        rates::after_successes
    7 "After 20,000 successes 100 failures are half of the last 100 calls"
        rates::last_calls_after_successes
    10 "What is ready when the deadline passes is the result"
        timeout::ready_at_deadline
    3 "Calls that take longer than the timeout are failures"
        timeout::timeouts_are_failures
    11 "100 % failures open it at every rate"
        rates::every_rate
    11 "A wait of `Duration::MAX` neither panics nor ends"
        extremes::longest_wait
    12 "An order to close is not undone by late failures"
        orders::closing_is_final
    12 "An order to open is not undone by late successes"
        orders::opening_is_final
    13 "Concurrent calls run concurrently"
        together::concurrent_calls
    14 "Each key opens, rejects and recovers by itself"
        keys::each_by_itself
    14 "Keys that come and go leave no memory behind"
        keys::come_and_go
    14 "Keys that open, recover and go leave no memory behind"
        keys::recover_and_go
    14 "An open circuit is kept while a crowd of idle keys comes by"
        keys::open_among_idle
    14 "Open circuits are kept, as many as there may be keys, while a crowd of idle ones comes by"
        keys::all_open_among_idle
}
