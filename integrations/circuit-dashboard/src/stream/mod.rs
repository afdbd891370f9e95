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

#[cfg(test)]
mod tests {
    use super::{Arc, Book, Client, Hub, Settings, join};
    use std::future::poll_fn;
    use std::time::Duration;
    use tokio::time::sleep;

    async fn next(client: &mut Client) -> String {
        let event = poll_fn(|cx| client.poll_next(cx)).await;
        String::from_utf8(event.unwrap_or_default().to_vec()).unwrap()
    }

    async fn joined(hub: &Arc<Hub>) -> Client {
        let (settings, book) = (Arc::new(Settings::new()), Arc::new(Book::default()));
        let mut client = join(hub, &settings, &book, None).unwrap();
        assert_eq!(next(&mut client).await, "retry: 1000\n\n");
        assert!(next(&mut client).await.starts_with("event: snapshot\n"));
        client
    }

    #[tokio::test(start_paused = true)]
    async fn the_sampler_rests_while_there_are_no_clients() {
        let hub = Arc::<Hub>::default();
        for _ in 0..2 {
            let mut first = joined(&hub).await;
            let second = joined(&hub).await;
            drop(second);
            sleep(Duration::from_secs(5)).await;
            assert!(hub.is_sampled(), "for the other one");
            assert!(next(&mut first).await.starts_with("event: update\n"));
            drop(first);
            sleep(Duration::from_secs(5)).await;
            assert!(!hub.is_sampled());
        }
    }

    #[test]
    fn streams_end_with_the_runtime_of_the_sampler() {
        let runtime = || {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            builder.enable_time().build().unwrap()
        };
        let hub = Arc::<Hub>::default();
        let first = runtime();
        let mut client = first.block_on(joined(&hub));
        drop(first);
        runtime().block_on(async {
            while !next(&mut client).await.is_empty() {}
            joined(&hub).await;
        });
    }
}
