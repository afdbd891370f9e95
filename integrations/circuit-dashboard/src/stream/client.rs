//! One client of the stream.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::hub::Hub;

/// One client of the stream, which leaves it when it is dropped.
pub(crate) struct Client {
    hub: Arc<Hub>,
    key: u64,
}

impl Client {
    pub(super) fn new(hub: &Arc<Hub>, key: u64) -> Self {
        let hub = Arc::clone(hub);
        Self { hub, key }
    }

    /// Returns the next event; `None` at the end.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.hub.poll_next(self.key, context.waker())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.hub.remove(self.key);
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
