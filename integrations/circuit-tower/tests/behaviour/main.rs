//! The layer, by itself, among other layers, and between real servers and clients.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot continue fails"
)]

mod accounts;
mod bad_input;
mod bodies;
mod calls;
mod grpc;
mod http;
mod keys;
mod layers;
mod readiness;
mod responses;
mod support;
