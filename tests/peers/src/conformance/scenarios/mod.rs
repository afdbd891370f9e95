//! The rules that a breaker has to get right, a file for each topic.
//!
//! Scenarios with the same number test the same rule; 0 is what every breaker is for.

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
    0 "Control: failures open the circuit, it rejects while open, it recovers after the wait"
        control::opens_rejects_recovers
    0 "A recovery forgets earlier failures"
        control::recovery_forgets
    1 "A late success does not close an open circuit"
        late::success_while_open
    1 "A late success beside a running probe admits no call"
        late::success_beside_probe
    1 "A late failure beside a running probe does not reopen the circuit"
        late::failure_beside_probe
    1 "Late failures do not open a circuit that has recovered"
        late::failures_after_recovery
    1 "A probe of an earlier half-open phase decides nothing in the next"
        late::probe_of_an_earlier_phase
    2 "A slow result counts while the state is unchanged"
        late::slow_results
    3 "A probe dropped before it is polled does not block the circuit"
        unfinished::dropped_before_poll
    3 "A probe dropped after it is polled does not block the circuit"
        unfinished::dropped_after_poll
    3 "A dropped probe releases its slot at once"
        unfinished::dropped_releases_slot
    3 "A probe that panics does not block the circuit"
        unfinished::panic_releases_slot
    3 "A probe that panics has failed: the circuit reopens"
        unfinished::panic_fails_probe
    3 "A predicate that panics on a probe's error does not block the circuit"
        unfinished::panic_in_predicate
    3 "A panic is one failure"
        unfinished::panic_in_closed
    3 "A panic keeps unwinding unchanged"
        unfinished::panic_unchanged
    3 "Calls dropped while another panic unwinds are not failures"
        unfinished::dropped_while_unwinding
    4 "A probe still running after the wait does not block the circuit"
        half_open::overdue_probe
    4 "A leaked probe (`mem::forget`) does not block the circuit"
        half_open::leaked_probe
    5 "One probe is admitted, of 50 concurrent calls"
        half_open::one_of_fifty
    5 "One probe is admitted, of 8 threads, in every round"
        half_open::one_of_eight_threads
    6 "Rejected calls are not counted, and do not prolong the wait"
        closed::rejections
    6 "Dropped calls are neither failures nor successes"
        closed::drops
    7 "Failures count until the end of the window, and not after"
        window::slides
    7 "Old evidence has expired after a stall, whatever is in flight"
        window::stall
    7 "Failures count among the last 100 calls, and not after"
        window::last_calls
    7 "1 % failures over 1,000 calls do not open the circuit"
        closed::one_percent
    7 "After 20,000 successes as few failures as before open the circuit"
        closed::after_successes
    7 "After 20,000 successes, and later, 100 failures are enough for a rate of a half"
        rates::after_successes
    7 "After 20,000 successes 100 failures are half of the last 100 calls"
        rates::last_calls_after_successes
    10 "A result that is ready at the deadline wins"
        timeout::ready_at_deadline
    3 "Calls that take longer than the timeout are failures"
        timeout::timeouts_are_failures
    11 "100 % failures open the circuit at every rate"
        rates::every_rate
    11 "A wait of `Duration::MAX` neither panics nor ends"
        extremes::longest_wait
    12 "An order to close is not undone by late failures"
        orders::closing_is_final
    12 "An order to open is not undone by late successes"
        orders::opening_is_final
    13 "Concurrent calls run concurrently"
        together::concurrent_calls
    14 "Each key opens, rejects and recovers on its own"
        keys::each_on_its_own
    14 "Keys that come and go leave no memory behind"
        keys::come_and_go
    14 "Keys that open, recover and are evicted leave no memory behind"
        keys::recover_and_go
    14 "An open circuit is not evicted by a crowd of idle keys"
        keys::open_among_idle
    14 "As many open circuits as there may be keys are not evicted by a crowd of idle ones"
        keys::all_open_among_idle
}
