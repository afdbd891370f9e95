//! One breaker for each key.

use std::ops::Range;

use crate::adapter::{Answer, Keyed, Library, MAX_KEYS, Wish};
use crate::heap::Counted;
use crate::trial::{Stop, Trial, Verdict, ensure, limit, not_applicable};

/// Far more keys than the bound.
const CROWD: u32 = 10 * MAX_KEYS;

/// Keys are used in groups of [`MAX_KEYS`]. A library may keep what it holds after the first
/// groups.
const FIRST_GROUPS: u32 = 10;
const GROUPS: u32 = 40;

/// Bytes for each key that are tolerated: some keys are still about to be freed. A library that
/// keeps a key takes more for it.
const TRACE: i64 = 24;

struct Keys<'l> {
    library: &'l dyn Library,
    keyed: Keyed,
}

impl<'l> Keys<'l> {
    fn new(library: &'l dyn Library) -> Result<Self, Stop> {
        let keyed = library.keyed().map_err(not_applicable)?;
        Ok(Self { library, keyed })
    }

    fn trial(&self, key: &str) -> Trial {
        Trial::from_breaker(self.library, self.keyed.for_key(key))
    }

    /// Returns [`MAX_KEYS`] breakers.
    fn group(&self, name: &str) -> Vec<Trial> {
        let keys = (0..MAX_KEYS).map(|number| self.trial(&format!("{name} {number}")));
        keys.collect()
    }

    /// Calls a crowd of idle keys, once each.
    async fn call_idle_keys(&self) -> Verdict {
        for number in 0..CROWD {
            let answer = self.trial(&format!("idle {number}")).succeed().await;
            ensure(answer == Answer::Done, "rejects a new key")?;
        }
        Ok(())
    }

    /// Ensures that no memory is left of keys that were used. The keys are new: a library may still
    /// keep those of another trial.
    async fn leave_nothing(&self, name: &str, used: impl AsyncFn(&[Trial]) -> Verdict) -> Verdict {
        let bytes_after = async |groups: Range<u32>| {
            let last = groups.end - 1;
            for group in groups {
                let keys = self.group(&format!("{name} {group}"));
                if group == last {
                    self.pass_everything().await;
                }
                used(&keys).await?;
            }
            Ok(Counted::so_far().held())
        };
        let first = bytes_after(0..FIRST_GROUPS).await?;
        let later = bytes_after(FIRST_GROUPS..FIRST_GROUPS + GROUPS).await?;
        let left = (later - first) / i64::from(GROUPS * MAX_KEYS);
        ensure(left < TRACE, format!("keeps {left} bytes of each"))
    }

    /// A library may evict by time, and only when a new key is used.
    async fn pass_everything(&self) {
        let any = self.trial("any");
        any.pass(any.spans.reset + any.spans.window * 2).await;
    }
}

pub(super) async fn each_on_its_own(library: &dyn Library) -> Verdict {
    let keys = Keys::new(library)?;
    let limit = limit(library, Wish::Failures).await?;
    let [one, other] = [keys.trial("one"), keys.trial("other")];
    one.fail_times(limit - 1).await;
    other.fail_times(limit - 1).await;
    let none_rejects = !one.rejects() && !other.rejects();
    ensure(none_rejects, "failures of another key count")?;
    one.fail().await;
    ensure(one.rejects(), "does not open")?;
    let answer = other.succeed().await;
    ensure(answer == Answer::Done, "opens with another")?;
    one.pass_reset().await;
    one.must_recover().await
}

pub(super) async fn come_and_go(library: &dyn Library) -> Verdict {
    let keys = Keys::new(library)?;
    keys.leave_nothing("passing", async |used| {
        for key in used {
            key.fail().await;
            let answer = key.succeed().await;
            ensure(answer == Answer::Done, "rejects a new key")?;
        }
        Ok(())
    })
    .await
}

pub(super) async fn recover_and_go(library: &dyn Library) -> Verdict {
    let keys = Keys::new(library)?;
    keys.leave_nothing("recovering", async |used| {
        for key in used {
            key.trip().await?;
        }
        if let Some(key) = used.first() {
            key.pass_reset().await;
        }
        for key in used {
            key.close().await?;
        }
        Ok(())
    })
    .await
}

pub(super) async fn open_among_idle(library: &dyn Library) -> Verdict {
    let keys = Keys::new(library)?;
    let open = keys.trial("open");
    open.trip().await?;
    keys.call_idle_keys().await?;
    ensure(open.rejects(), "evicted: the next call runs")?;
    open.pass_reset().await;
    open.must_recover().await
}

pub(super) async fn all_open_among_idle(library: &dyn Library) -> Verdict {
    let keys = Keys::new(library)?;
    let open = keys.group("open");
    for key in &open {
        key.trip().await?;
    }
    keys.call_idle_keys().await?;
    let evicted = open.iter().filter(|key| !key.rejects()).count();
    ensure(evicted == 0, format!("{evicted} of {MAX_KEYS} are evicted"))
}
