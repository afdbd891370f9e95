//! The cost of a call, and the reasons for it.
//!
//! The figures are in `tests/peers/RESULTS.md` of the repository, beside those of other libraries
//! and those of the least that a counted call can cost. This page gives the reasons;
//! [`internals`](crate::internals) describes the parts, and the comments in the code give the
//! details.
//!
//! # A success writes to a cache line of its own
//!
//! Most calls find the circuit closed and succeed. To be admitted, such a call loads one word, the
//! state. To be counted, it adds one to a number in a cache line that no other thread writes, with
//! a plain load and a plain store. It executes no locked instruction and reads no clock, and no
//! cache line is shared between threads, so throughput scales with the number of threads.
//!
//! All of this is inlined into the caller. The slow paths are out of line. Those that settle a call
//! are `extern "C"`, because such a function cannot unwind; a panic in one of them would be a bug
//! and aborts the process. Without that guarantee, the compiler would have to keep the result of
//! the call in memory for the landing pad; and a result that is written in small pieces and read
//! back in large ones stalls the processor for longer than everything else takes.
//!
//! Each running thread has a slot, a small index that it takes on its first call and releases when
//! it exits. A slot selects a stripe in the totals of every breaker. Beyond 63 threads, those
//! without a slot share one stripe and add to it atomically, and ask for a slot again every 64
//! calls. The totals stay exact: a reader sums all stripes, and the next owner of a slot continues
//! where the last one stopped.
//!
//! A breaker starts with one small set of counters that all threads share and increment atomically,
//! so that ten thousand rarely used breakers of a `key` do not take a cache line per thread each.
//! After a thousand calls with the same outcome, the breaker gets its stripes.
//!
//! The evidence of rates and of the last calls starts small, too. While a breaker has had at most a
//! thousand successes, and no failure or slow call, it stores the successes in each tenth of the
//! window and the calls in flight: 32 bytes, changed by compare-and-swap. A success takes a lock
//! only when it begins a tenth. The first call that has no room there, because it failed, was slow
//! or is one of many, moves everything to where each thread has a stripe.
//!
//! # Failures are remembered, successes are not
//!
//! `max_failures` in a window needs the times of the latest failures, as many as the limit. Only
//! failures read the exact clock, take the lock and write there. The lock is held for a few
//! instructions, never while user code runs. A thread that finds the lock taken backs off briefly
//! before retrying: total throughput is higher, at the price of a longer wait for that thread.
//! After a few microseconds it parks, so that a holder that was preempted can run again, whatever
//! the priorities of the two.
//!
//! # Rates are evaluated when they can change
//!
//! A rate needs the successes, too. Each thread counts its own on a stripe, as in the totals. One
//! number, which all threads read and few write, is the time until which that is enough: until the
//! next bucket of the window begins, or until a success may be the call that `min_calls` was
//! waiting for. Before that, a success costs a coarse clock reading, a comparison and one more
//! plain addition, whatever the number of calls in the window and whatever its length.
//!
//! A failure is judged under a lock, at first by the calls in the window that are known there: all
//! but the successes that threads have counted on their stripes since. If it reaches no rate of
//! these, it reaches none with more successes, and no stripe of another thread is read. Otherwise,
//! and always under rules on slow calls and on the last calls, the stripes of the threads that have
//! called since the last transition are added up.
//!
//! The price: a success that completes concurrently with the failure that reaches the limit is not
//! ordered with it, so its caller may be admitted once more before the circuit opens.
//!
//! # Two clocks
//!
//! The exact clock is read where a moment is remembered: by failures, by probes and by transitions.
//! Everywhere else the coarse clock is enough. The system updates it with each tick of its timer,
//! and reading it costs a fraction; it lags by less than 20 ms. A rejection reads the exact clock
//! only when a deadline is nearer than that, so that no call is admitted early, and none is told to
//! wait for longer than the wait. If a hypervisor preempts the processor and the clock lags by
//! more, calls are rejected for longer by as much, and none is admitted early. On systems other
//! than Linux there is no coarse clock, and the exact one takes its place.
//!
//! # A timeout without a timer
//!
//! A call that is ready at its first poll creates no timer and reads no clock. The timer is created
//! when the call has to wait, and measures from then: a call never has less than its timeout. Only
//! `call_with` creates it before the closure runs, whose time counts. If a tokio task has used up
//! its cooperative budget, the call is polled once more before it can time out.
//!
//! # A key is looked up without a lock
//!
//! The breakers of a `key` are in a concurrent hash table whose readers write to no shared cache
//! line ([`papaya`](https://docs.rs/papaya)). The call then holds a counted handle: two atomic
//! operations per call, on one cache line where two threads use the same key. Once a key has been
//! called a thousand times, each thread keeps a handle for its next call instead, in a cache of
//! some hundred, and threads that share the key share no line that they write to. A million keys do
//! not fit into a processor's cache, so a key that was not used recently costs accesses to main
//! memory, in this table as in any other.
//!
//! # Futures without copies
//!
//! The futures are written by hand: the breaker, a ticket of 16 bytes, and the call itself, in
//! place. An `async fn` around another one would hold its arguments twice. Predicates that capture
//! nothing take no space.
//!
//! A call holds its future once, with little beside it:
//!
//! ```
//! use circuit_runtime::{CircuitBreaker, Config};
//!
//! let breaker = CircuitBreaker::new("pages", Config::default());
//! let body = async {
//!     let page = [0_u8; 4_096];
//!     tokio::task::yield_now().await;
//!     Ok::<_, std::io::Error>(page.len())
//! };
//!
//! let size = size_of_val(&body);
//! let call = breaker.call(body);
//! assert!(size_of_val(&call) < size + 256);
//! ```
//!
//! # Compile time
//!
//! Everything that is generic over the body is compiled once per annotated function, so as little
//! as possible is. Admission, the timer and the settling of a call are in a type that does not know
//! the body. In an unoptimized build, only the poll that joins the two is compiled for each
//! function.
