//! Panics of user code.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs user code: a listener, a subscriber of the log, the drop of either. If it panics,
/// the panic hook has reported it, and no other code is affected.
pub(crate) fn contain(run: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(run)) {
        // The payload may panic when it is dropped; the payload of that panic is leaked.
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(payload)));
        std::mem::forget(dropped);
    }
}
