//! How the crate works inside, for readers who want to verify it or to change it.
//!
//! The names in `code` are those of the source: [`CircuitBreaker`] is the handle; everything else
//! here is private. `ARCHITECTURE.md` in the repository says which file holds what.
//!
//! # One call
//!
//! The attribute leaves the signature as written and replaces the body:
//!
//! ```text
//! async fn quote(symbol: &str) -> Result<Quote, QuoteError> {
//!     return guard(
//!         { static BREAKER: LazyBreaker<CircuitBreaker> = ..; &BREAKER },
//!         async move { .. the body .. },
//!         |result| .. classify the result ..,
//!         |error| .. convert a rejection into the function's error ..,
//!     )
//!     .await;
//! }
//! ```
//!
//! 1. **Poll.** The future that `guard` returns is written by hand. It holds a `CallGuard`, which
//!    does everything except polling the body, and the body itself.
//! 2. **Admission.** On the first poll, `CallGuard` calls `Circuit::admit`, which loads the state
//!    word. A closed circuit issues a `Ticket`. An open one returns a `Rejection`, and the body
//!    never runs. A half-open one requests a probe slot.
//! 3. **Body.** While the body is polled, an `OutcomeGuard` stands by: if the poll unwinds, its
//!    destructor settles the ticket as panicked. No lock is held.
//! 4. **Pending.** The ticket is put back into the `CallGuard`. From here on, dropping the future
//!    settles the ticket as cancelled. If there is a timeout, the timer is polled after the body,
//!    so that a result which is ready when the deadline passes is the result.
//! 5. **Ready.** The result is classified: its [`Verdict`](crate::Verdict) settles the ticket with
//!    an `Outcome`: succeeded, failed, timed out, panicked, ignored or cancelled.
//! 6. **Settling.** `Circuit::settle` counts the outcome in the totals and hands it to the window,
//!    or to the probes if the ticket is that of a probe.
//! 7. **Transition.** If a limit is reached or a probe decides, the pure function `transition`
//!    computes the next word, and one compare-and-swap stores it, under the lock of transitions.
//!    The swap expects the word in the ticket: if the state has changed since the call was
//!    admitted, nothing happens.
//! 8. **Report.** The change is recorded in a journal under the same lock, so that the journal has
//!    the order of the states, and delivered without it.
//!
//! A permit from [`try_acquire`] is a ticket in the caller's hands: steps 2, 5, 6 and 7 without a
//! future.
//!
//! # The state word
//!
//! The state is one `AtomicU64`:
//!
//! ```text
//! | turn: 56 bits | first | has an end | slot | spare | phase: 4 bits |
//! ```
//!
//! - The *phase* is closed, ramp, open, forced closed or forced open. There is no half-open phase:
//!   an open phase becomes half-open when its wait is over. So no timer and no thread has to end
//!   it, and [`state`] shows it without any traffic. The lowest bit is set if a call needs more
//!   than the word to be admitted.
//! - The *turn* is the time of the transition in 32nds of a microsecond, and at least one more than
//!   the turn before. It therefore dates the state, is unique to it, and cannot wrap: it lasts for
//!   seventy years. With the bit after it, which is set until the first transition, it is the
//!   *generation*.
//! - The *details* of a phase, for which the word has no room, are in a box that the first
//!   transition creates: how often the circuit has reopened, since when the state holds, and when
//!   the phase ends, unless that follows from the rules or only an order ends it. There are two
//!   *slots* for them, used in turn. A transition writes the slot that the current word does not
//!   name; a reader reads the one that it names, and then checks that the word is still the same,
//!   as with a sequence lock.
//! - The wait is `reset`, doubled by each reopening up to `max_reset`, plus jitter. The jitter is a
//!   hash of the generation, the breaker's name and a random salt, so the wait of one open phase is
//!   the same whenever it is computed, and need not be stored. A wait that a service or an operator
//!   asks for is stored as the end of the phase.
//!
//! `transition(word, details, state, trigger, now)` returns the next word, its details and the
//! change that observers see. It knows neither atomics nor a clock, so its test is a table of all
//! phases and triggers.
//!
//! # Ramps
//!
//! On a ramp, every call adds the admitted share to a sum in fixed point, and is admitted when the
//! sum passes a whole number: an even spread, as by Bresenham's algorithm for lines, in one atomic
//! addition. A call is admitted as well if none was for a tenth of the ramp. The circuit is closed
//! by time alone when the ramp ends; the next call makes that a transition, without evidence.
//!
//! # Reports
//!
//! A change is recorded in the journal of the process, a ring of 256, and in the breaker's box,
//! together with the listeners that are subscribed at that moment. The thread that caused it calls
//! the log and these listeners, if there are any, unless an earlier change of the same breaker is
//! still being delivered: then the change waits in the queue of the breaker, which the thread that
//! delivers empties. A thread that is delivering already does not begin another delivery: it queues
//! the first change of each breaker by its number in the journal, and delivers the earliest next.
//! So listeners see the changes of a breaker one by one and in order. No breaker waits for the
//! listeners of another unless they change it: a change that a listener causes, of any breaker, is
//! delivered after the current one.
//!
//! # New rules
//!
//! Rules change in place, while calls run and without a new generation: a generation would make the
//! calls in flight stale. A call must observe the rules from before or after a change, never some
//! of each, and no call may pay for it. Each rule is kept where it is needed, in one of three ways:
//!
//! - A number that decides something by itself, such as the timeout, is one atomic word of the
//!   `Policy`. Each decision reads it once. Two decisions of one call may read it before and after
//!   a change, and are chosen so that this does no harm: a ramp that is not over by its old length,
//!   and is by its new one, admits the call.
//! - Words that belong together, such as those of the wait, the probes and the ramp, are
//!   `Sequenced`: a *sequence counter* is odd while they change, and a reader that finds it odd, or
//!   another number after reading than before, reads the configuration as a whole under its lock.
//!   The usual wait, without `max_reset` and `jitter`, is a single word, too.
//! - The limits that judge evidence, `Limits`, are kept beside the evidence, and change under the
//!   same lock. A result is counted and judged in one section, under the limits of one
//!   configuration. A `max_failures` beside a rate is judged in a section of its own. When it is
//!   added or removed, the failures so far are *handed over*, and both sides count how often: a
//!   failure that only the rate has counted by then is not recorded again.
//!
//! A change has three steps, one change at a time. First, compact windows are *suspended* if calls
//! would count in them wrongly under the new rules: their words are marked as moved, so that no
//! thread which knows an earlier word changes it. If a call is in flight, the window moves to the
//! full ledger for good. Otherwise, its successes are kept if the window stays the same, and
//! dropped if it does not. Then the words are published. Finally, each window adopts the new limits
//! under its lock, and keeps its evidence if the kind and the length of the window are the same. A
//! call that is judged in between is judged by the limits from before, against evidence that was
//! counted for them.
//!
//! The breakers of all keys share one policy. A change visits each of them under the lock of the
//! bookkeeping, retired ones included: no breaker is created or revived with the limits from
//! before.
//!
//! # Overrides
//!
//! The overrides that were applied last are kept under a lock of the process, which is held while
//! the rules of all breakers are checked and replaced. A breaker that is created takes the lock,
//! too: it gets the rules and the hold that are in force, and is registered after that. So either a
//! thread that applies overrides finds it registered, or it finds them in force, and no thread
//! finds it before it is held. The change to held is delivered without the lock, as a listener may
//! use the breaker: that of an annotated function once its `LazyBreaker` is set. The breaker of a
//! new key is held in the same way before it is in the index. A policy keeps the configuration of
//! the program beside the one in force, and overrides start from it.
//!
//! The hold of a file is a fact about the policy, which each breaker follows after the lock is
//! released, as an order runs listeners. It reads the hold, gives the order, and starts again if
//! the hold has changed by then. So the last of concurrent overrides decide, and in the end every
//! breaker is held as they say. The origin of an order is kept under the lock of transitions: only
//! a hold from a file is replaced or released by one.
//!
//! # Fleets
//!
//! A verdict of a fleet is a trigger of `transition`, as an order is: it needs no state of its own,
//! and a call finds nothing but a word. An opening carries its end in the details, as one that a
//! service asks for does, and a lease moves that end to now. So an open circuit that hears nothing
//! more becomes half-open by time alone.
//!
//! The latest epoch, and the words of the phases that a verdict has begun or taken over, are in a
//! `Standing`, under the lock of transitions, which the first verdict creates. An epoch is
//! compared and stored in the same section as the compare-and-swap, so that of concurrent verdicts
//! the latest decides, in whatever order they arrive. A closing applies to the words noted there
//! alone. A word is unique to its phase: if a failed probe or an order has begun another since, it
//! is not the fleet's.
//!
//! For a verdict, a circuit is open until its first probe is reported: one whose wait is over goes
//! on waiting without an event, and nobody has seen it half-open.
//!
//! # Generations
//!
//! A result counts only in the state in which its call was admitted. Each ticket carries its word,
//! and everything that is counted is tagged with a generation: on first use by a newer generation
//! it is cleared, and a result of an older one is discarded. A late failure cannot open a circuit
//! that has recovered, a late success cannot close one, and an old probe cannot free a slot of a
//! later generation. The passing of time alone makes no result stale: a call that takes an hour in
//! an unchanged state still counts.
//!
//! # Windows
//!
//! A window counts and reports when a limit is reached. It decides nothing. Evidence expires by
//! time stamp, not by timer, so a stalled runtime makes no difference.
//!
//! | rule | kept as |
//! |---|---|
//! | consecutive failures | one length, reset by a success |
//! | `max_failures` in a window of time | the times of the latest failures, or failures per hundredth of the window above 1 000 |
//! | rates over a window of time | calls, failures and slow calls in 10 buckets |
//! | the last N calls | a bit per call for failed, another for slow |
//! | overdue calls | calls in flight in groups by start time, a seventh of `slow_call` to a group |
//!
//! Rules on rates and on the last calls have a *ledger*. It begins compact: ten bits for the
//! successes of each tenth of the window, and two groups of calls in flight, in three atomic words
//! and a half. Only a success that begins a tenth takes a lock, one of a few that all breakers
//! share, as there is no room for one of its own. A call that does not fit marks the words as
//! moved, under the same lock, and moves their contents to the *full* ledger. A thread that finds
//! the mark waits for the lock once, and then finds the full ledger. So each call is counted in
//! exactly one of the two.
//!
//! In the full ledger, a success that is fast enough is counted on the thread's own stripe, without
//! a lock. It takes the lock of the ledger only when the outcome could matter: when time moves the
//! window on, when a rate is exceeded but `min_calls` is not reached, or when the evidence is of an
//! earlier generation. One word, read by every call, holds the time until which none of these is
//! the case.
//!
//! # Probes are leases
//!
//! A half-open circuit has `probes` slots. A call requests one under a lock and is granted a lease
//! that lasts for `reset`, or for `timeout` if that is longer. A probe that fails reopens the
//! circuit; one that is cancelled or ignored releases its slot; one that is still running when its
//! lease expires has lost it to the next caller. So a probe that never ends, or a permit that is
//! leaked, cannot keep a circuit half-open forever. Exactly as many of the threads that race for
//! the slots succeed as there are slots. A hint beside the lock says until when all slots are
//! taken, so that most rejections do not take the lock.
//!
//! # Keyed breakers
//!
//! The breakers of a `key`, or of a [`CircuitBreakers`], are *residents* of a concurrent index. A
//! lookup takes no lock; creation and eviction take one. Residents are queued by what would be lost
//! with them, as far as is known: closed ones; *expired* ones, which have been half-open for as
//! long as another `reset` without a probe; closed ones with *evidence*, a failure or slow call
//! that counts; and those that are required, because they are open, held by an operator or in use.
//! Those that a file holds count as closed: the next breaker of the key follows the file, too.
//! Beyond `max_keys`, all but the required ones are evicted in this order, closed ones by the CLOCK
//! algorithm (second chance): each lookup sets a reference bit, and those whose bit is clear are
//! evicted first. If no resident can be evicted, the bound gives way.
//!
//! The work for each new key is bounded: at most 128 residents are examined. While there are more
//! than `max_keys`, each of them that may be evicted is evicted. Up to half of those examined are
//! required ones, which move to another queue once they are no longer required.
//!
//! A key longer than 256 bytes is kept as its beginning and a 128-bit keyed hash (`SipHash`) of the
//! rest. The length of a key is examined only if the index does not contain the key as it is, so
//! that short keys do not pay for long ones.
//!
//! A thread may find a breaker in the index and be preempted before it clones the handle. An
//! evicted breaker is therefore *retired*, not dropped: it is kept until no thread can still reach
//! it. If its key is looked up meanwhile, it becomes resident again; so it does if it has opened,
//! or counted its first failure, since. A sweep, which continues with each new key, drops the
//! retired breakers that only the bookkeeping still refers to. One that was last reported as open,
//! half-open or held is first closed, and stays retired until listeners have been told: so its key
//! has no other breaker, whose changes might be told before.
//!
//! Each thread keeps some handles of busy keys in a *cache*. A call takes one out and puts it back,
//! each with one atomic exchange, so an eviction can withdraw the handles of any thread, idle ones
//! included. While a call holds a handle, its breaker is in use. A cached handle keeps its breaker
//! from being dropped: it stays resident or retired, and its key has no other.
//!
//! # Locks
//!
//! Transitions, evidence and probe slots are kept under locks of few instructions. A waiter spins
//! for a few microseconds, then parks; it never spins until a preempted holder runs again. The
//! bookkeeping of keys, the registry, the journal and the lists of listeners are kept under the
//! standard library's `Mutex`. The remaining loops retry a compare-and-swap, which fails only when
//! that of another thread has succeeded: none waits for a thread that is not running.
//!
//! # Clocks
//!
//! All time is monotonic, in whole microseconds, and read in one module. It offers two readings:
//! the exact clock, and a coarse one that is cheaper and lags by less than 20 ms (Linux only).
//! Where a deadline is nearer than the lag, the exact clock decides. A hypervisor that preempts the
//! processor lets the coarse clock lag by more. Therefore nothing that would be wrong too early
//! follows from it: no probe is admitted by it, and no timeout is measured with it.
//!
//! With the feature `test-util`, both follow tokio's clock, and each breaker has a time line of its
//! own. It adds up how far the paused clocks of all runtimes that use the breaker are advanced, and
//! real time only when a thread on the system's clock asks. Each clock is compared with its own
//! previous reading only, and those of all runtimes that use the breaker are read together,
//! whichever of them asks: an advance counts in full for everything that came before it, and for
//! nothing that comes after it. The clocks of other runtimes are noted before each transition, so
//! that a runtime that uses the breaker for the first time is counted from there. So time never
//! runs backwards for a breaker that tests share, and while one runtime uses it, no other clock is
//! read. Under a model checker, the model moves the clock.
//!
//! # Memory orderings
//!
//! | data | ordering | reason |
//! |---|---|---|
//! | state word, read by a call | acquire | a thread that observes a state also observes everything that led to it, such as evidence that was cleared |
//! | state word, changed | compare-and-swap, acquire and release | of racing transitions one wins, and a thread that acts on the new state sees what led to it; the others are stale |
//! | details of a phase | stored with release before the word, loaded with acquire between two readings of it | a reader that sees a value of a later phase also sees that the word has changed |
//! | the word under which a probe was admitted last | stored with release after the end of its phase, loaded with acquire | a reader that finds the end fixed also finds the end |
//! | sum of a ramp, and its latest admission | relaxed | each is a number by itself; the phase is verified by reading the word |
//! | whether a listener is subscribed | relaxed | a delivery that has begun may still call it |
//! | totals | relaxed | a reader wants a number, not an order; the next owner of a stripe is ordered by the next row |
//! | thread slots | taken with acquire, released with release | everything counted under a slot is visible to its next owner |
//! | whether a streak of failures is running | relaxed | a failure that happened before a success, in any order a caller could observe, is visible to it; of concurrent ones either may come first |
//! | until when a rate needs no attention | relaxed | a thread that needs to know more takes the lock; one that misses the latest value counts its call, and the next call to end is evaluated |
//! | fast successes while the ledger is compact | added with release, moved with acquire | a thread that moves a call as a success must not move it as in flight, too |
//! | fast successes and calls in flight, per stripe | stored with release, summed with acquire | a reader that counts a call as a success must not count it as in flight, too, and one that counts it as in flight must know its start |
//! | until when all probe slots are taken | relaxed | a hint; a call that passes it takes the lock |
//! | cached handles | exchanged with acquire and release | of a call and an eviction that both want a handle, exactly one gets it, and sees all that happened before it was put there |
//! | numbers of the rules | relaxed | each decides something by itself; a call that misses the latest was concurrent with the change |
//! | words of the wait, the probes and the ramp | stored with release, loaded with acquire | a reader that sees a word of a later change also finds another number |
//! | sequence counter of these words | the even number stored with release and first loaded with acquire; the odd one, and the second load, relaxed | a reader that finds an even number also sees the words from before it; the words order the rest |
//! | the wait if every one is the same | stored with release, loaded with acquire | a reader of a new wait also sees which circuits had admitted a probe before |
//! | tags of cached handles | relaxed | the owner of the thread slot is their only writer; an eviction that misses the latest finds the breaker in use, and tries again later |
//! | reference bit of a key | relaxed | orders eviction; safety rests on the reference count |
//! | state word of a breaker that no other thread can reach | read-modify-write without effect, acquire and release | an open circuit is not mistaken for a closed one; dropping the last other handle guarantees as much, but model checkers do not see that |
//!
//! # What checks it
//!
//! Each ordering is covered by a model that [`loom`](https://docs.rs/loom) runs through every
//! interleaving (longer models: those with at most two or three preemptions), unless only a
//! statistic depends on it, as the table says. Longer programs with more threads run at random
//! under [`shuttle`](https://docs.rs/shuttle). Random histories of operations, on one thread and
//! on several, are compared with a plain reference breaker that keeps a list of time stamps.
//!
//! [`CircuitBreaker`]: crate::CircuitBreaker
//! [`CircuitBreakers`]: crate::CircuitBreakers
//! [`try_acquire`]: crate::CircuitBreaker::try_acquire
//! [`state`]: crate::CircuitBreaker::state
