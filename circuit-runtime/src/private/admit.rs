//! The admission of a call ahead of its body.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::guard::Admitted;
use crate::call::guarded::poll_admit;
use crate::circuit::handle::CircuitHandle;
use crate::error::CircuitError;

/// Admits a call before its body is built, so that a fallback can be built instead: `choose` owns
/// what both of them need.
#[inline]
pub fn admit<H, F, T>(handle: H, choose: F) -> Admit<H, F>
where
    H: CircuitHandle,
    F: FnOnce(Result<Admitted<H>, CircuitError>) -> T,
{
    Admit {
        undecided: Some((handle, choose)),
    }
}

/// One of the two futures of a function with a fallback.
pub enum Choice<A, B, F> {
    /// The call is admitted: its admission and its body.
    Body(A, B),
    /// The call is rejected.
    Fallback(F),
}

/// A future that asks the circuit, like a call without a fallback, and resolves to the result of
/// `choose`.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Admit<H, F> {
    undecided: Option<(H, F)>,
}

/// Neither of the two is ever pinned.
impl<H, F> Unpin for Admit<H, F> {}

impl<H, F, T> Future for Admit<H, F>
where
    H: CircuitHandle,
    F: FnOnce(Result<Admitted<H>, CircuitError>) -> T,
{
    type Output = T;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let Some((handle, _)) = &self.undecided else {
            return Poll::Pending;
        };
        let admitted = ready!(poll_admit(handle.as_ref(), cx));
        let Some((handle, choose)) = self.undecided.take() else {
            return Poll::Pending;
        };
        Poll::Ready(choose(match admitted {
            Ok(ticket) => Ok(Admitted::new(handle, ticket)),
            Err(rejection) => {
                let error = handle.as_ref().rejected(rejection);
                handle.give_back();
                Err(error)
            }
        }))
    }
}
