//! One breaker for each key.

use std::ops::Range;

use crate::adapter::{Answer, Keyed, Library, MOST_KEYS, Wish};
use crate::heap::Counted;
use crate::trial::{Stop, Trial, Verdict, ensure, limit, not_applicable};

/// Far more than there may be.
const CROWD: u32 = 10 * MOST_KEYS;

/// Keys come and go in groups of [`MOST_KEYS`]. What a library holds after the first, it may hold.
const FIRST_GROUPS: u32 = 10;
const GROUPS: u32 = 40;

/// Who keeps a key takes more bytes for it, and less would not be seen: as much is left of each while some
/// are about to be freed.
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

    fn of(&self, key: &str) -> Trial {
        Trial::of(self.library, self.keyed.of(key))
    }

    /// As many as there may be at a time.
    fn group(&self, name: &str) -> Vec<Trial> {
        let keys = (0..MOST_KEYS).map(|number| self.of(&format!("{name} {number}")));
        keys.collect()
    }

    /// Has others called, once each.
    async fn crowd_comes_by(&self) -> Verdict {
        for number in 0..CROWD {
            let answer = self.of(&format!("idle {number}")).succeed().await;
            ensure(answer == Answer::Done, "rejects a new key")?;
        }
        Ok(())
    }

    /// That nothing is left of keys that come, are used in this way, and go. Of new ones: a library
    /// may know those of another trial.
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
        let left = (later - first) / i64::from(GROUPS * MOST_KEYS);
        ensure(left < TRACE, format!("keeps {left} bytes of each"))
    }

    /// A library may forget by time, and only when another key comes.
    async fn pass_everything(&self) {
        let any = self.of("any");
        any.pass(any.spans.reset + any.spans.window * 2).await;
    }
}

pub(super) async fn each_by_itself(library: &dyn Library) -> Verdict {
    let keys = Keys::new(library)?;
    let limit = limit(library, Wish::Failures).await?;
    let [one, other] = [keys.of("one"), keys.of("other")];
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
    let open = keys.of("open");
    open.trip().await?;
    keys.crowd_comes_by().await?;
    ensure(open.rejects(), "forgotten: the next call runs")?;
    open.pass_reset().await;
    open.must_recover().await
}

pub(super) async fn all_open_among_idle(library: &dyn Library) -> Verdict {
    let keys = Keys::new(library)?;
    let open = keys.group("open");
    for key in &open {
        key.trip().await?;
    }
    keys.crowd_comes_by().await?;
    let forgotten = open.iter().filter(|key| !key.rejects()).count();
    ensure(
        forgotten == 0,
        format!("{forgotten} of {MOST_KEYS} are forgotten"),
    )
}
