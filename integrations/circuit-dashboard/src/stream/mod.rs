//! The stream: server-sent events from one sampler to all clients.

mod backlog;
mod client;
mod frame;
mod hub;
mod sampler;

use std::sync::Arc;

use circuit_runtime::registry;

pub(crate) use client::Client;
pub(crate) use hub::{Hub, TooManyStreams};

use crate::orders::Book;
use crate::settings::Settings;
use sampler::Sampler;

/// Adds a client to the stream, which has seen the changes up to the one with the number `last`.
/// The first client starts the sampler, and the last one that leaves ends it.
pub(crate) fn join(
    hub: &Arc<Hub>,
    settings: &Arc<Settings>,
    book: &Arc<Book>,
    last: Option<u64>,
) -> Result<Client, TooManyStreams> {
    let changes = registry::changes();
    let joined = hub.add(last, changes.next_number())?;
    let client = Client::new(hub, joined.key);
    if joined.is_first {
        let sampler = Sampler::new(hub, changes, settings, book);
        tokio::spawn(sampler.run());
    }
    Ok(client)
}
