//! The time of day, for reports alone: it may be set back at any time.

#![expect(clippy::disallowed_methods, reason = "this is where time is read")]

use std::time::SystemTime;

/// Reads the time of day.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
pub(crate) fn system_time() -> SystemTime {
    SystemTime::now()
}

/// Reads the time of day, which the standard library has none of there.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub(crate) fn system_time() -> SystemTime {
    let since = web_time::SystemTime::now().duration_since(web_time::UNIX_EPOCH);
    let time = SystemTime::UNIX_EPOCH.checked_add(since.unwrap_or_default());
    time.unwrap_or(SystemTime::UNIX_EPOCH)
}
