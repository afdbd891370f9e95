//! The end of the task.

use std::sync::Arc;

use crate::shared::Shared;
use crate::status::Sharing;

/// Tells that the task has ended, however it does.
pub(super) struct Stopped(pub(super) Arc<Shared>);

impl Drop for Stopped {
    fn drop(&mut self) {
        self.0
            .status
            .send_modify(|recorded| recorded.status.sharing = Sharing::NotRunning);
    }
}
