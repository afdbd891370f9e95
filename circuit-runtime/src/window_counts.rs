//! The public view of the evidence.

/// The calls that count towards the limits at one moment.
///
/// A field is `None` if no rule counts such calls.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreaker, Config};
///
/// let config = Config::builder().failure_rate(0.5).last_calls(100).build()?;
/// let breaker = CircuitBreaker::new("payments", config);
/// breaker.try_acquire()?.success();
/// breaker.try_acquire()?.failure();
///
/// let window = breaker.snapshot().window.unwrap();
/// assert_eq!((window.calls, window.failed, window.slow), (Some(2), 1, None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WindowCounts {
    /// Calls that succeeded or failed.
    pub calls: Option<u64>,
    /// Calls that failed, timed out or panicked.
    pub failed: u64,
    /// Calls that took longer than `slow_call`, and those in flight that already have.
    pub slow: Option<u64>,
}

impl WindowCounts {
    /// Returns the counts of no calls, under the same rules.
    pub(crate) fn cleared(self) -> Self {
        Self {
            calls: self.calls.map(|_| 0),
            failed: 0,
            slow: self.slow.map(|_| 0),
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for WindowCounts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;

        let mut fields = serializer.serialize_struct("WindowCounts", 3)?;
        fields.serialize_field("calls", &self.calls)?;
        fields.serialize_field("failed", &self.failed)?;
        fields.serialize_field("slow", &self.slow)?;
        fields.end()
    }
}
