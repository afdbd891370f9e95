//! Moments, as they are written in JSON.

use std::time::SystemTime;

/// Returns a moment in seconds since the beginning of 1970; zero before that.
pub(crate) fn seconds(moment: SystemTime) -> f64 {
    let since = moment.duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

/// Returns the present moment in seconds since the beginning of 1970.
pub(crate) fn now() -> f64 {
    seconds(SystemTime::now())
}
