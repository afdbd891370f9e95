//! Histories in which every step names the thread that takes it.
//!
//! A history is passed from thread to thread, and only the thread that has it takes a step. So the
//! steps have one order, however threads are scheduled, and after each the breaker must equal the
//! reference breaker.

use std::convert::Infallible;
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Scope, ScopedJoinHandle, scope};
use std::time::Duration;

use circuit_runtime::{CircuitBreaker, Config, ConfigBuilder};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;

use crate::exact::{Checked, Ready, Replay, Stage, Step, Way, steps};
use crate::reference::{End, Order};

/// The number of threads that pass the history to each other.
const LANES: usize = 4;

/// More threads than a breaker has inline stripes, and more than there are thread slots.
const CROWDS: [usize; 2] = [8, 64];

/// The number of calls of one outcome after which their total is striped.
const STRIPED_AFTER: u32 = 1_001;

#[derive(Clone, Debug)]
pub(crate) struct Relay(Vec<Leg>);

#[derive(Clone, Debug)]
enum Leg {
    /// The thread of a lane takes a step; the first one starts the thread.
    Run(usize, Step),
    /// The thread exits, and a later thread may take its slot.
    Exit(usize),
    /// A number of threads start, and take a slot each, if there are enough.
    CrowdStarts(usize),
    /// Those threads exit.
    CrowdExits,
}

/// Relays of up to `length` steps, with bursts of up to `burst` calls. Some start with many calls,
/// some run beside a crowd of threads.
pub(crate) fn relays(length: usize, burst: u32) -> impl Strategy<Value = Relay> {
    let leg = prop_oneof![
        8 => (lanes(), steps(burst)).prop_map(|(lane, step)| Leg::Run(lane, step)),
        1 => lanes().prop_map(Leg::Exit),
    ];
    let legs = prop::collection::vec(leg, 0..length);
    (starts(), legs).prop_map(|((mut relay, crowd), legs)| {
        relay.extend(legs);
        if let Some((size, positions)) = crowd {
            let [first, last] = positions.map(|position| position.index(relay.len() + 1));
            relay.insert(first.max(last), Leg::CrowdExits);
            relay.insert(first.min(last), Leg::CrowdStarts(size));
        }
        Relay(relay)
    })
}

/// How a relay starts, and the crowd that runs beside it for a while.
fn starts() -> impl Strategy<Value = (Vec<Leg>, Option<(usize, [Index; 2])>)> {
    let crowds = || (prop::sample::select(&CROWDS), any::<[Index; 2]>()).prop_map(Some);
    prop_oneof![
        7 => Just((Vec::new(), None)),
        1 => (warm_ups(), Just(None)),
        1 => (Just(Vec::new()), crowds()),
        1 => (warm_ups(), crowds()),
    ]
}

fn lanes() -> impl Strategy<Value = usize> {
    0..LANES
}

/// Many calls of some of the outcomes, and a reset.
fn warm_ups() -> impl Strategy<Value = Vec<Leg>> {
    let run = [
        (Order::ForceClosed, Way::Permit, End::Success),
        (Order::ForceClosed, Way::Permit, End::Failure),
        (Order::ForceClosed, Way::Permit, End::Ignored),
        (Order::ForceClosed, Way::Permit, End::Dropped),
        (Order::ForceClosed, Way::Blocking, End::Panic),
        (Order::ForceOpen, Way::Permit, End::Success),
    ];
    let kinds = prop::sample::subsequence(run.to_vec(), 1..=run.len());
    (kinds, lanes()).prop_map(|(kinds, lane)| {
        let legs = kinds
            .into_iter()
            .enumerate()
            .flat_map(|(turn, (order, way, end))| {
                let lane = (lane + turn) % LANES;
                let ready = Ready {
                    end,
                    body: 0,
                    predicate: 0,
                };
                [Step::Order(order), Step::Call(way, ready, STRIPED_AFTER)]
                    .map(|step| Leg::Run(lane, step))
            });
        let reset = Leg::Run(lane, Step::Order(Order::Reset));
        legs.chain([reset]).collect()
    })
}

impl Relay {
    /// Replays the relay on a breaker and on the reference breaker.
    pub(crate) fn replay(&self, unit: Duration, rules: &[ConfigBuilder]) -> Checked {
        let stage = Stage::new(unit, rules)?;
        scope(|scope| {
            let mut lanes: [Option<Runner>; LANES] = Default::default();
            let mut crowd = None;
            let mut replay = Replay::new(&stage);
            for leg in &self.0 {
                match leg {
                    Leg::Run(lane, step) => {
                        let start = || Runner::start(scope, &stage);
                        let runner = lanes[*lane].get_or_insert_with(start);
                        replay = runner.run(replay, step)?;
                    }
                    Leg::Exit(lane) => lanes[*lane].take().into_iter().for_each(Runner::exit),
                    Leg::CrowdStarts(size) => crowd = Some(Crowd::start(*size, scope)),
                    Leg::CrowdExits => crowd.take().into_iter().for_each(Crowd::exit),
                }
            }
            let _entered = stage.runtime.enter();
            replay.end()
        })
    }
}

/// A thread that takes steps of the history.
struct Runner<'scope, 'env> {
    thread: ScopedJoinHandle<'scope, ()>,
    pass: Sender<(Replay<'env>, &'env Step)>,
    back: Receiver<Checked<Replay<'env>>>,
}

impl<'scope, 'env> Runner<'scope, 'env> {
    fn start(scope: &'scope Scope<'scope, 'env>, stage: &'env Stage) -> Self {
        let (pass, passed) = channel::<(Replay<'_>, &Step)>();
        let (done, back) = channel();
        let thread = scope.spawn(move || {
            let _entered = stage.runtime.enter();
            for (mut replay, step) in passed {
                // The receiver is gone only when the test has failed.
                let _ = done.send(replay.step(step).map(|()| replay));
            }
        });
        Self { thread, pass, back }
    }

    /// Has the thread take a step, and takes the history back.
    fn run(&self, replay: Replay<'env>, step: &'env Step) -> Checked<Replay<'env>> {
        let panicked = || TestCaseError::fail("the thread panicked");
        self.pass.send((replay, step)).map_err(|_| panicked())?;
        self.back.recv().map_err(|_| panicked())?
    }

    /// Ends the thread, which releases its slot.
    fn exit(self) {
        drop(self.pass);
        self.thread.join().unwrap();
    }
}

/// Threads that hold a slot each, and do nothing.
struct Crowd<'scope>(Vec<(ScopedJoinHandle<'scope, ()>, Sender<Infallible>)>);

impl<'scope> Crowd<'scope> {
    fn start(size: usize, scope: &'scope Scope<'scope, '_>) -> Self {
        let (started, starts) = channel();
        let start = |_| {
            let (stay, stays) = channel();
            let started = started.clone();
            let thread = scope.spawn(move || {
                take_slot();
                // The receiver is gone only when the test has failed.
                let _ = started.send(());
                let _ = stays.recv();
            });
            (thread, stay)
        };
        let crowd = (0..size).map(start).collect();
        starts.iter().take(size).for_each(drop);
        Self(crowd)
    }

    fn exit(self) {
        for (thread, stay) in self.0 {
            drop(stay);
            thread.join().unwrap();
        }
    }
}

/// Takes a thread slot: a thread gets one with its first call that counts in a striped total.
fn take_slot() {
    static BREAKER: LazyLock<CircuitBreaker> = LazyLock::new(|| {
        let breaker = CircuitBreaker::new("crowd", Config::default());
        (0..STRIPED_AFTER).for_each(|_| breaker.try_acquire().unwrap().success());
        breaker
    });
    BREAKER.try_acquire().unwrap().success();
}
