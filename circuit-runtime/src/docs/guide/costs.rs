//! The exactness, the memory and the price of each rule.
//!
//! Time is measured in microseconds.
//!
//! | rule | exactness | memory | a success |
//! |---|---|---|---|
//! | consecutive failures | exact | 64 bytes | one load; a success that resets the count takes a lock |
//! | failures in a window of time | exact for `max_failures` up to 1 000; above, to 1/100 of the window | 8 bytes for each of `max_failures` up to 1 000; above, 1.6 KiB | nothing |
//! | failures or rates of the last N calls | exact | 0.4 KiB; N bits from the first failure on, N more from the first slow call on; and stripes | counted on the thread's stripe |
//! | rates over a window of time | to 1/10 of the window | 0.7 KiB; and stripes | as above, and a clock reading |
//! | slow calls, beside one of the last two | a call's duration to 1/10 of `slow_call`; an overdue call is detected up to 1/7 late | 0.5 KiB; and the same stripes | counted at its start and at its end, with a clock reading each |
//! | `probes` | a lease lasts for `reset` or `timeout`, whichever is longer; with more than 64 probes, up to 1/64 less | 16 bytes for each, at most 1 KiB | nothing |
//!
//! These are the sizes of a busy breaker. Until a thousand of its calls have succeeded, or one has
//! failed, a breaker takes the same under every rule: 136 bytes, and its name with 16 more. One of
//! a `key` has a share of the map, too: with a name of 30 bytes, about 240 bytes in all, and less
//! than 256. A few calls in flight at once do not change that: up to 127 in each of two groups, if
//! the calls of a group start within the same seventh of `slow_call`. A call that takes longer than
//! `slow_call` has the same effect as a failure here, and so has the first call after an order,
//! such as `reset`.
//!
//! The costs of several rules add up. A stripe is a cache line of 64 bytes in which one thread
//! counts; threads beyond the 63rd share one, and all stripes together take at most 4.1 KiB. Under
//! rates and slow calls, a success takes a lock now and then: when time moves the window on, and
//! while a rate is exceeded on fewer calls than `min_calls`. On Linux, the clock is a coarse and
//! cheap one, unless the window is shorter than 2 s or `slow_call` than 200 ms. When several
//! results arrive at the same moment, the last of them may be evaluated only with the next one.
//!
//! Most of the memory is allocated on first need, and none of it grows with the number of calls.
//! The evidence of a breaker takes at most 16 KiB, except in a window of more than 45 000 calls
//! that holds both failed and slow ones: 65 536 calls take up to 21 KiB.
//!
//! # Examples
//!
//! A large `max_keys` takes no memory by itself, only each key that is used does:
//!
//! ```
//! use circuit_runtime::{CircuitBreakers, Config};
//!
//! let tenants = CircuitBreakers::new("tenants", Config::default()).max_keys(1_000_000);
//! assert!(tenants.all().is_empty());
//!
//! let acme = tenants.get("acme");
//! assert_eq!(tenants.all().len(), 1);
//! # drop(acme);
//! ```
