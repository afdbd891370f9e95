//! Tokio's clock, which a test can pause and advance.
//!
//! Every runtime has a clock of its own, and every circuit has a time line that adds up the clocks
//! of all runtimes that use it. Concurrent tests do not disturb each other, and the time that a
//! test takes passes only for the circuits that it uses: centuries fit into one process.
//!
//! A thread outside of a test's runtime may open the circuit, or call through it after an advance.
//! So the clocks of other runtimes are read, too, by handles that are kept of those in use: of the
//! runtimes that use the circuit with each reading, and of the others before each transition.

#![expect(clippy::disallowed_methods, reason = "this is where time is read")]

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant as SystemInstant;

use tokio::runtime::{Handle, Id, RuntimeFlavor, TryCurrentError};
use tokio::time::Instant as TokioInstant;

use super::time::{Instant, Span};
use super::time_line::{Clock, MAX_NOTED, Reading, TimeLine};

/// The coarse clock is the exact one.
pub(super) const LAG: Span = Span::from_micros(0);

/// Readings for no circuit start here, in microseconds, as a runtime may be older than the origin.
const OUTSIDE: i64 = 1 << 45;

/// The most runtimes that are kept, whose clocks are read while others ask. A handle holds file
/// descriptors even after its runtime is gone. A time line needs no handle to follow a runtime's
/// clock when that one asks next.
const MAX_KEPT: usize = MAX_NOTED;

/// The most of them on one thread, which runs one at a time.
const MAX_KEPT_ON_THREAD: usize = 4;

/// The circuit outside of any, which no address is.
const NO_CIRCUIT: usize = 0;

static ORIGIN: LazyLock<SystemInstant> = LazyLock::new(SystemInstant::now);

static CLOCKS: LazyLock<Mutex<Clocks>> = LazyLock::new(Mutex::default);

thread_local! {
    // Without a destructor, so that a thread that is exiting still knows its circuit.
    static CIRCUIT: Cell<usize> = const { Cell::new(NO_CIRCUIT) };
    // Only dropped, to tell that the thread has exited.
    static THREAD: Arc<()> = Arc::default();
    // The runtime that is known to be kept, and how often others had been forgotten by then:
    // while this holds, nothing is searched.
    static KEPT: Cell<Option<(Id, u64)>> = const { Cell::new(None) };
}

/// All clocks of the process.
#[derive(Default)]
struct Clocks {
    /// The runtimes in use whose clocks may be paused, oldest first by when a thread changed to
    /// them.
    kept: Vec<Kept>,
    /// How many times runtimes were forgotten.
    forgotten: u64,
    /// The time lines of all circuits that have read the clock.
    time_lines: HashMap<usize, TimeLine, BuildHasherDefault<AddressHasher>>,
}

struct Kept {
    runtime: Handle,
    id: Id,
    first: Reading,
    /// The thread that it is used on, or one of them.
    thread: Weak<()>,
}

/// A hash of addresses, by one multiplication: every reading looks up a time line.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    fn write_usize(&mut self, address: usize) {
        // The golden ratio: Knuth, The Art of Computer Programming, volume 3, section 6.4.
        let next = self.0 ^ address as u64;
        self.0 = next.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    /// Moves the best bits to the end, where a table takes its index from.
    fn finish(&self) -> u64 {
        self.0.rotate_left(32)
    }
}

/// The time of one circuit, known by its address: it takes no memory within the circuit, which
/// stays where it is from the first reading on.
pub(crate) struct OwnTime(());

/// While this lives, its thread reads the clock for one circuit.
pub(crate) struct Entered {
    before: usize,
}

impl Default for OwnTime {
    /// Also takes note of the runtime, so that the first reading knows where its clock stood.
    fn default() -> Self {
        let current = Handle::try_current();
        let unneeded = current.as_ref().map(|runtime| {
            let first = || read(&current);
            clocks().keep(runtime, first)
        });
        drop(unneeded);
        Self(())
    }
}

impl OwnTime {
    pub(crate) fn enter(&self) -> Entered {
        Entered {
            before: CIRCUIT.replace(self.address()),
        }
    }

    /// Returns the time of this circuit, in place of a reading for no circuit, and leaves its time
    /// line where it is: a circuit that is only looked at is not used.
    pub(crate) fn at(&self, _now: Instant) -> Instant {
        let current = Handle::try_current();
        let clocks = clocks();
        let time_line = clocks.time_lines.get(&self.address());
        Instant::from_micros(time_line.map_or(0, |time_line| time_line.at(read(&current))))
    }

    /// Notes where the clocks of other runtimes stand before the state changes: as soon as it has,
    /// they may be advanced.
    pub(crate) fn before_change(&self) {
        let is_exiting = is_exiting(&Handle::try_current());
        clocks().note(self.address(), is_exiting);
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

impl Drop for OwnTime {
    fn drop(&mut self) {
        let address = self.address();
        let time_line = clocks().time_lines.remove(&address);
        drop(time_line);
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        CIRCUIT.set(self.before);
    }
}

impl Clocks {
    /// Keeps `runtime` as the latest one. Returns those that need not be kept any more, for the
    /// caller to drop without the lock: their drop may run user code.
    fn keep(&mut self, runtime: &Handle, first: impl FnOnce() -> Reading) -> Vec<Kept> {
        let id = runtime.id();
        if KEPT.get() == Some((id, self.forgotten)) {
            return Vec::new();
        }
        if runtime.runtime_flavor() != RuntimeFlavor::CurrentThread {
            return Vec::new();
        }
        let Ok(thread) = THREAD.try_with(Arc::downgrade) else {
            return Vec::new();
        };
        let unneeded = if let Some(index) = self.index(id) {
            let mut kept = self.kept.remove(index);
            if kept.is_of_thread_that_has_exited() {
                kept.thread = thread;
            }
            self.kept.push(kept);
            Vec::new()
        } else {
            let unneeded = self.forget(&thread);
            self.kept.push(Kept {
                runtime: runtime.clone(),
                id,
                first: first(),
                thread,
            });
            unneeded
        };
        if !unneeded.is_empty() {
            self.forgotten = self.forgotten.wrapping_add(1);
        }
        KEPT.set(Some((id, self.forgotten)));
        unneeded
    }

    fn index(&self, id: Id) -> Option<usize> {
        self.kept.iter().rposition(|kept| kept.id == id)
    }

    /// Forgets the runtimes of threads that have exited, and another one if there would be too many
    /// once one more is kept on `thread`.
    fn forget(&mut self, thread: &Weak<()>) -> Vec<Kept> {
        let all = mem::take(&mut self.kept).into_iter();
        let (mut unneeded, in_use): (Vec<_>, _) = all.partition(Kept::is_of_thread_that_has_exited);
        self.kept = in_use;
        let kept = &mut self.kept;
        let is_here = |kept: &Kept| kept.thread.ptr_eq(thread);
        let oldest = if kept.iter().filter(|kept| is_here(kept)).count() >= MAX_KEPT_ON_THREAD {
            kept.iter().position(is_here)
        } else {
            (kept.len() >= MAX_KEPT).then_some(0)
        };
        unneeded.extend(oldest.map(|index| kept.remove(index)));
        unneeded
    }

    /// Advances the time line of `circuit` to the moment of `reading`, and returns it.
    fn advance(&mut self, circuit: usize, reading: Reading, is_exiting: bool) -> u64 {
        let Self {
            kept, time_lines, ..
        } = self;
        let known = readable(kept, is_exiting);
        time_lines
            .entry(circuit)
            .or_insert_with(|| TimeLine::new(reading, known))
            .advance(reading, known)
    }

    fn note(&mut self, circuit: usize, is_exiting: bool) {
        let known = readable(&self.kept, is_exiting);
        if let Some(time_line) = self.time_lines.get_mut(&circuit) {
            time_line.note(known);
        }
    }
}

impl Kept {
    /// Runs `read` inside the runtime; `None` while tokio is changing which runtime is current.
    fn entered<R>(&self, read: impl FnOnce() -> R) -> Option<R> {
        catch_unwind(AssertUnwindSafe(|| {
            let _entered = self.runtime.enter();
            read()
        }))
        .ok()
    }

    fn is_of_thread_that_has_exited(&self) -> bool {
        self.thread.strong_count() == 0
    }
}

impl Clock for Kept {
    fn runtime(&self) -> Id {
        self.id
    }

    fn first(&self) -> Reading {
        self.first
    }

    fn read(&self) -> Option<Reading> {
        self.entered(|| read_by(Some(self.id), || TokioInstant::now().into_std()))
    }

    fn shown(&self) -> Option<i64> {
        let origin = *ORIGIN;
        self.entered(|| micros_between(origin, TokioInstant::now().into_std()))
    }
}

pub(super) fn now() -> Instant {
    let current = Handle::try_current();
    let circuit = CIRCUIT.get();
    if circuit == NO_CIRCUIT {
        let shown = OUTSIDE.saturating_add(read(&current).shown);
        return Instant::from_micros(shown.try_into().unwrap_or(0));
    }
    let mut clocks = clocks();
    // Under the lock, so that the readings of a time line are in order.
    let reading = read(&current);
    let unneeded = current
        .as_ref()
        .map(|runtime| clocks.keep(runtime, || reading));
    let now = clocks.advance(circuit, reading, is_exiting(&current));
    drop(clocks);
    drop(unneeded);
    Instant::from_micros(now)
}

pub(super) fn coarse() -> Instant {
    now()
}

/// Moves the clock of the circuit that was entered to `moment` at least: a paused one would show it
/// only when the test advances.
pub(super) fn catch_up(moment: Instant) {
    if let Some(time_line) = clocks().time_lines.get_mut(&CIRCUIT.get()) {
        time_line.reach(moment.as_micros());
    }
}

fn clocks() -> MutexGuard<'static, Clocks> {
    // No section panics half-way, so poisoning is harmless.
    CLOCKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the clocks that this thread can read. Tokio's would panic in one that is exiting.
fn readable(kept: &[Kept], is_exiting: bool) -> &[Kept] {
    if is_exiting { &[] } else { kept }
}

fn is_exiting(current: &Result<Handle, TryCurrentError>) -> bool {
    matches!(current, Err(error) if error.is_thread_local_destroyed())
}

/// Reads the clock of the runtime that this thread is in.
fn read(current: &Result<Handle, TryCurrentError>) -> Reading {
    let runtime = current.as_ref().ok().map(Handle::id);
    if is_exiting(current) {
        read_by(runtime, SystemInstant::now)
    } else {
        read_by(runtime, || TokioInstant::now().into_std())
    }
}

fn read_by(runtime: Option<Id>, clock: impl FnOnce() -> SystemInstant) -> Reading {
    let origin = *ORIGIN;
    let earliest = SystemInstant::now();
    let shown = clock();
    // A clock that was never paused shows the real time, and these two must not differ at all.
    let real = shown.clamp(earliest, SystemInstant::now());
    Reading {
        runtime,
        shown: micros_between(origin, shown),
        real: micros_between(origin, real),
        was_paused: shown != real,
    }
}

/// Returns the whole microseconds from `origin` to `moment`, rounded down.
fn micros_between(origin: SystemInstant, moment: SystemInstant) -> i64 {
    let micros = if moment >= origin {
        moment.duration_since(origin).as_micros().try_into()
    } else {
        let before = origin.duration_since(moment).as_nanos().div_ceil(1_000);
        i64::try_from(before).map(i64::saturating_neg)
    };
    micros.unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Clocks, Kept, MAX_KEPT, MAX_KEPT_ON_THREAD, OwnTime};
    use super::{clocks, micros_between, now, read};
    use std::sync::{Arc, Barrier, Mutex};
    use std::thread;
    use std::time::{Duration, Instant};
    use tokio::runtime::{Builder, Handle, Id, Runtime};

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the origin of this test")]
    fn whole_microseconds_are_exact_on_both_sides_of_the_origin() {
        let origin = Instant::now() + Duration::from_secs(10);
        let start = origin.checked_sub(Duration::from_nanos(1_500)).unwrap();
        for micros in 0..5 {
            let moment = start + Duration::from_micros(micros);
            let expected = micros.cast_signed() - 2;
            assert_eq!(micros_between(origin, moment), expected);
        }
    }

    #[test]
    fn the_time_line_of_a_circuit_that_is_dropped_is_forgotten() {
        let time = Arc::new((1_u8, OwnTime::default()));
        let address = time.1.address();
        let entered = time.1.enter();
        let first = now();
        assert!(now() >= first);
        drop(entered);
        assert!(clocks().time_lines.contains_key(&address));
        drop(time);
        assert!(!clocks().time_lines.contains_key(&address));
    }

    fn runtimes<const COUNT: usize>() -> [Runtime; COUNT] {
        let new = |()| Builder::new_current_thread().build().unwrap();
        [(); COUNT].map(new)
    }

    fn ids(clocks: &Clocks) -> Vec<Id> {
        clocks.kept.iter().map(|kept| kept.runtime.id()).collect()
    }

    fn keep(clocks: &mut Clocks, runtime: &Runtime) -> Vec<Kept> {
        let _entered = runtime.enter();
        let first = || read(&Handle::try_current());
        clocks.keep(runtime.handle(), first)
    }

    #[test]
    fn the_last_runtimes_of_a_thread_are_kept() {
        let runtimes: [_; MAX_KEPT_ON_THREAD + 1] = runtimes();
        let [first, second, .., last] = &runtimes;
        let mut clocks = Clocks::default();
        for runtime in &runtimes[..MAX_KEPT_ON_THREAD] {
            assert!(keep(&mut clocks, runtime).is_empty());
        }
        assert!(keep(&mut clocks, first).is_empty());
        let oldest = keep(&mut clocks, last);
        assert_eq!(oldest.len(), 1);
        assert_eq!(oldest[0].id, second.handle().id());
        let expected = [2, 3, 0, 4].map(|index: usize| runtimes[index].handle().id());
        assert_eq!(ids(&clocks), expected);
    }

    #[test]
    fn a_runtime_of_a_thread_that_has_exited_is_not_kept() {
        let [first, second] = runtimes();
        let mut clocks = Clocks::default();
        thread::scope(|scope| {
            let keep = || assert!(keep(&mut clocks, &first).is_empty());
            scope.spawn(keep).join().unwrap();
        });
        assert_eq!(keep(&mut clocks, &second).len(), 1);
        assert_eq!(ids(&clocks), [second.handle().id()]);
    }

    #[test]
    fn no_number_of_threads_has_more_runtimes_kept() {
        let runtimes: [_; MAX_KEPT + 9] = runtimes();
        let clocks = Mutex::new(Clocks::default());
        let all_kept = Barrier::new(runtimes.len());
        thread::scope(|scope| {
            for runtime in &runtimes {
                let (clocks, all_kept) = (&clocks, &all_kept);
                scope.spawn(move || {
                    let unneeded = keep(&mut clocks.lock().unwrap(), runtime);
                    drop(unneeded);
                    all_kept.wait();
                });
            }
        });
        assert_eq!(clocks.lock().unwrap().kept.len(), MAX_KEPT);
    }
}
