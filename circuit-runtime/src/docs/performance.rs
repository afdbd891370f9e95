//! What a call costs, and why it costs no more.
//!
//! The figures are in `tests/peers/RESULTS.md` of the repository, beside those of other libraries and of the
//! least that a counted call can take. This page gives the reasons; the comments in the code give the details.
//!
//! # A success writes where nobody else does
//!
//! Most calls find the circuit closed and succeed. To be let in, such a call loads one word, the state. To
//! be counted, it adds one to a number in a cache line that no other thread writes, with a plain load and a
//! plain store. There is no locked instruction in it, no clock, and nothing that the threads of a program
//! hand to each other: two threads cost each what one costs.
//!
//! All of that is compiled into whoever makes the call. What few calls need is in functions apart, and
//! those that end a call are `extern "C"`, as such a function never unwinds: a panic in it, which would be a
//! mistake of ours, ends the process. If one could, the compiler would have to keep the result of the call in
//! memory for that case; and a result that is written in small pieces and read back in large ones makes the
//! processor wait for longer than all the rest takes.
//!
//! Every running thread has a small number, handed out when it makes its first call and handed back when it
//! ends, and a number is a place in the totals of every breaker. Of 64 threads or more, those without a
//! number share a place and add to it atomically. The totals stay exact: whoever reads them adds up all
//! places, and the next holder of a number goes on where the last one stopped.
//!
//! A breaker begins with one small place for all threads, to which they add atomically, as ten thousand
//! breakers of a `key` that are called now and then should not take a cache line for each thread. After a
//! thousand calls of the same outcome it has those places.
//!
//! # Failures are remembered, successes are not
//!
//! `max_failures` in a window needs the times of the latest failures, as many as the limit. Only failures read
//! the exact clock, take the lock, and write there. The lock is held for a few instructions and never while
//! code of yours runs; giving it back is one plain store. A thread that finds it taken lets its holder be for a
//! moment before it asks again: what both do is done sooner that way, though who waits may wait for longer.
//!
//! # Rates judge when there is something to judge
//!
//! A share of all calls needs the successes too. Each thread counts its own, in a line like that of the
//! totals, and one number, which all threads read and few write, says from which moment on somebody has to
//! look: when the next slice of the window begins, or a success could be the one that was missing for
//! `min_calls`. Until then a success is a look at the coarse clock, a comparison and one more plain addition,
//! whatever the number of calls in the window and however long it is.
//!
//! The price: a success that ends beside the failure that reaches the limit is not ordered with it, so its caller
//! may get one more call in before the circuit opens.
//!
//! # Two clocks
//!
//! The exact clock is read where a moment is remembered: by failures, by probes, when the state changes.
//! Elsewhere the coarse one will do, which the system keeps up to date with each tick of its timer, and which
//! costs a fraction. It is behind by less than 20 ms. A rejection reads the exact one only when a deadline is
//! nearer than that, so that nobody is let in early, nor told to wait for longer than the wait is. Off
//! Linux there is no coarse clock, and the exact one takes its place.
//!
//! # A timeout that is not needed costs no timer
//!
//! A call that has its result at the first poll never sees a timer: its start is a look at the coarse clock.
//! The timer is made when the call has to wait. Where the budget of a tokio task is used up, the call is asked
//! once more before it counts as late.
//!
//! # A key is looked up without a lock
//!
//! The breakers of a `key` are in a concurrent hash table whose readers share no line that they write
//! ([`papaya`](https://docs.rs/papaya)). What the call then holds is a handle, and that is counted: two
//! atomic operations for each call, and where two threads use the same key, on one cache line. A million
//! keys do not fit into a cache, so that a key which was not asked for lately costs the way to memory, in
//! this table as in any.
//!
//! # Futures that hold what they need
//!
//! The futures are written by hand: the breaker, a ticket of 16 bytes, and the call itself, in place. An
//! `async fn` around another would hold the other's arguments twice. Predicates that capture nothing take
//! nothing.
//!
//! # What the compiler does once
//!
//! Whoever has a thousand annotated functions waits for the compiler a thousand times for all that depends on
//! the body of one. So little does: that the circuit is asked, that a timer runs, and how a call ends, are in a
//! type that does not know the call. In a build that is not optimized only the poll that asks both is made for
//! each.
//!
//! # Memory orderings
//!
//! | what | order | because |
//! |---|---|---|
//! | the state, read by a call | acquire | with a state comes all that its first observer did before, such as evidence that was cleared |
//! | the state, changed | compare-and-swap, acquire and release | of events that race one wins, and whoever acts on the new state sees what led to it; the others are of an earlier generation |
//! | the totals | relaxed | readers want a number, not an order; a number's next holder is ordered by the next row |
//! | the numbers of threads | taken with acquire, handed back with release | what was counted under a number is there for its next holder |
//! | whether a row of failures runs | relaxed | a failure that came before a success in any order that a caller could know of is visible to it; of those that run beside it, either may be the first |
//! | from when on a rate needs attention | relaxed | who needs to know more takes the lock; a thread that misses the latest number counts its call, and the next that ends judges it |
//! | calls answered and under way, counted by one thread | stored with release, added up with acquire | who counts a call as answered must not count it as under way, and who counts it as under way knows its start |
//! | until when all places of probes are taken | relaxed | who is let past takes the lock |
//! | which key was asked for lately | relaxed | it decides which breaker goes first, not whether one may |
//! | the state of a breaker that nobody has any more | a write that changes nothing, acquire and release | an open circuit is not taken for the closed one that it was; the last handle's end says the same, but not to the model checker |
//!
//! Each of these is in a model that `loom` runs through every interleaving, in the longer models of those with at
//! most two or three preemptions, or is named above as one on which nothing depends but a number.
