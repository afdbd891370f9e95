//! The dashboard over raw sockets, in other servers, and in a browser.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot continue fails"
)]

mod access;
mod bad_input;
mod fleet;
mod list;
mod log;
mod names;
mod orders;
mod page;
mod servers;
mod stream;
mod support;
