//! The one task of a process: it has the connection, and waits for everything at once.

mod completion;
mod reports;
mod stopped;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use circuit_runtime::{Changes, Lagged, StateChange, registry};
use redis::PushInfo;
use tokio::sync::mpsc::{Receiver, UnboundedReceiver};
use tokio::sync::oneshot;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, sleep_until};

use crate::circuits::{Circuits, Local};
use crate::connection::Connection;
use crate::connection::pushes::{self, Push};
use crate::connection::supervisor::Supervisor;
use crate::error::{FleetError, Reason};
use crate::events::FleetEvent;
use crate::random;
use crate::scripts::answer::Answer;
use crate::scripts::{Asker, Request, Scripts};
use crate::shared::{Command, Settings, Shared};
use completion::Completion;
use stopped::Stopped;

/// How often the store is asked for all that is new.
const SYNC: Duration = Duration::from_secs(1);
/// The same for a store that pushes nothing.
const POLL: Duration = Duration::from_millis(100);
/// Every so many heartbeats, all that is not closed is heard again, known or not.
const FULL_EVERY: u32 = 10;
/// The reason after a panic of the client, which the panic hook has reported.
const PANICKED: &str =
    "the client has panicked; for `rediss://`, install a provider of cryptography";
/// So many events of each kind are taken up at a time, at most.
const DRAINED: usize = 256;
/// Without anything to do, the task looks again after this.
const IDLE: Duration = Duration::from_secs(1);

/// The member of a fleet that this process is.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own: any of them may hold with any other"
)]
pub(crate) struct Member {
    settings: Settings,
    shared: Arc<Shared>,
    scripts: Arc<Scripts>,
    asker: Asker,
    supervisor: Supervisor,
    circuits: Circuits,
    connection: Option<Connection>,
    pushes: Option<UnboundedReceiver<PushInfo>>,
    has_pushes: bool,
    /// The store has answered on this connection.
    is_shared: bool,
    /// The latest answer, on any connection.
    known: u64,
    generation: Option<Arc<str>>,
    must_reassert: bool,
    is_reasserting: bool,
    members: u32,
    sync_at: Instant,
    is_syncing: bool,
    /// The heartbeats of this connection.
    heartbeats: u32,
    done: JoinSet<Completion>,
    callers: HashMap<u64, oneshot::Sender<Result<(), FleetError>>>,
    next_caller: u64,
}

impl Member {
    pub(crate) fn new(settings: Settings, shared: Arc<Shared>) -> Self {
        let now = Instant::now();
        let local = Local::new(settings.patterns.clone(), settings.grace);
        let member = Arc::clone(&settings.member);
        Self {
            asker: Asker {
                member: Arc::clone(&member),
                generation: String::new(),
                quorum: settings.quorum,
            },
            settings,
            shared,
            scripts: Arc::new(Scripts::new()),
            supervisor: Supervisor::new(now),
            circuits: Circuits::new(local, member),
            connection: None,
            pushes: None,
            has_pushes: false,
            is_shared: false,
            known: 0,
            generation: None,
            must_reassert: false,
            is_reasserting: false,
            members: 0,
            sync_at: now,
            is_syncing: false,
            heartbeats: 0,
            done: JoinSet::new(),
            callers: HashMap::new(),
            next_caller: 0,
        }
    }

    /// Runs until the last handle to the fleet is dropped.
    pub(crate) async fn run(mut self, mut commands: Receiver<Command>, mut changes: Changes) {
        let _stopped = Stopped(Arc::clone(&self.shared));
        self.circuits.take_up_all();
        self.tell_degraded(Reason::NotConnected);
        loop {
            let now = Instant::now();
            self.circuits.look(now);
            self.begin(now);
            self.tell(now);
            let wake_at = self.wake_at(now);
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.order(command),
                    None => return,
                },
                change = changes.recv() => self.changed(change, &mut changes),
                push = next_push(&mut self.pushes) => self.pushed(push),
                Some(done) = self.done.join_next() => {
                    if let Ok(done) = done {
                        self.finished(done);
                    }
                }
                () = sleep_until(wake_at) => {}
            }
            self.drain(&mut changes);
            // A program may have one thread for this and for its calls.
            yield_now().await;
        }
    }

    /// Takes up what else has happened meanwhile: the circuits that are open are looked at, and the
    /// status is told, once for many events and not for each.
    fn drain(&mut self, changes: &mut Changes) {
        for _ in 0..DRAINED {
            let done = self.done.try_join_next();
            let pushes = self.pushes.as_mut();
            let push = pushes.and_then(|pushes| pushes.try_recv().ok());
            let change = changes.try_recv().transpose();
            if done.is_none() && push.is_none() && change.is_none() {
                return;
            }
            if let Some(Ok(done)) = done {
                self.finished(done);
            }
            if push.is_some() {
                self.pushed(push);
            }
            if let Some(change) = change {
                self.changed(change, changes);
            }
        }
    }

    fn changed(&mut self, change: Result<StateChange, Lagged>, changes: &mut Changes) {
        if let Ok(change) = change {
            self.circuits.changed(&change);
        } else {
            // Some were missed: what is open now is what matters.
            *changes = registry::changes();
            self.circuits.take_up_all();
        }
    }

    /// Begins whatever is due: a connection, a heartbeat, requests.
    fn begin(&mut self, now: Instant) {
        if self.supervisor.dial_at().is_some_and(|at| at <= now) {
            self.dial();
        }
        if self.supervisor.is_up() && self.sync_at <= now && !self.is_syncing {
            self.is_syncing = true;
            let is_full = self.heartbeats.is_multiple_of(FULL_EVERY);
            self.heartbeats = self.heartbeats.wrapping_add(1);
            let sync = self.circuits.sync(self.known, is_full, now);
            self.ask(sync);
        }
        if self.is_shared {
            for request in self.circuits.take_requests() {
                self.ask(request);
            }
        }
        for watch in self.circuits.take_watches() {
            self.done.spawn(async move {
                let probed = watch.remote.probed().await;
                Completion::Probed {
                    name: watch.name,
                    token: watch.token,
                    probed,
                }
            });
        }
    }

    fn wake_at(&self, now: Instant) -> Instant {
        let sync_at = (self.supervisor.is_up() && !self.is_syncing).then_some(self.sync_at);
        let times = [self.supervisor.dial_at(), sync_at, self.circuits.due()];
        let first = times.into_iter().flatten().min();
        first.unwrap_or(now + IDLE).min(now + IDLE)
    }

    fn dial(&mut self) {
        let number = self.supervisor.dial();
        let endpoint = self.settings.endpoint.clone();
        let limit = self.settings.answer_limit;
        let channel = self.settings.keys.channel();
        let (sender, receiver) = pushes::channel();
        self.done.spawn(async move {
            // On a task of its own: a client whose cryptography is not set up panics.
            let mut attempt = JoinSet::new();
            attempt.spawn(async move { endpoint.dial(limit, &channel, sender).await });
            let dialed = match attempt.join_next().await {
                Some(Ok(dialed)) => dialed,
                Some(Err(_)) | None => Err(Reason::Unreachable(PANICKED.into())),
            };
            Completion::Dialed {
                number,
                dialed,
                pushes: receiver,
            }
        });
    }

    fn ask(&mut self, request: Request) {
        let Some(mut connection) = self.connection.clone() else {
            return;
        };
        let number = self.supervisor.number();
        let scripts = Arc::clone(&self.scripts);
        let keys = self.settings.keys.clone();
        let mut asker = self.asker.clone();
        // Each time another one: data that is lost is never taken for the data before.
        asker.generation = format!("{:016x}", random::number());
        self.done.spawn(async move {
            let call = scripts.invocation(&request, &keys, &asker);
            let answer = connection.run(&call).await;
            drop(call);
            Completion::Answered {
                number,
                request,
                answer,
            }
        });
    }

    fn order(&mut self, command: Command) {
        if !self.is_shared {
            let reason = self.reason();
            let _ = command.reply.send(Err(FleetError::Unavailable(reason)));
            return;
        }
        self.next_caller = self.next_caller.wrapping_add(1);
        let caller = self.next_caller;
        self.callers.insert(caller, command.reply);
        self.ask(Request::Order {
            name: command.name,
            to: command.to,
            term: command.term,
            caller,
        });
    }

    fn pushed(&mut self, push: Option<PushInfo>) {
        match push.map(pushes::read) {
            Some(Some(Push::Published(published))) => {
                self.shared.counters.push();
                self.circuits.hear_published(published, Instant::now());
            }
            Some(None) => {}
            Some(Some(Push::Disconnected)) | None => {
                self.lose(Reason::Unreachable("the connection was closed".into()));
            }
        }
    }

    fn finished(&mut self, done: Completion) {
        match done {
            Completion::Probed {
                name,
                token,
                probed,
            } => self.circuits.probed(&name, &token, probed, Instant::now()),
            Completion::Dialed {
                number,
                dialed,
                pushes,
            } if self.supervisor.is_current(number) => match dialed {
                Ok(dialed) => {
                    self.supervisor.connected();
                    self.connection = Some(dialed.connection);
                    self.has_pushes = dialed.has_pushes;
                    self.pushes = dialed.has_pushes.then_some(pushes);
                    self.is_syncing = false;
                    self.heartbeats = 0;
                    self.sync_at = Instant::now();
                }
                Err(reason) => self.lose(reason),
            },
            Completion::Answered {
                number,
                request,
                answer,
            } => {
                let is_current = self.supervisor.is_current(number);
                self.answered(&request, answer, is_current);
            }
            Completion::Dialed { .. } => {}
        }
    }

    fn answered(&mut self, request: &Request, answer: Result<Answer, Reason>, is_current: bool) {
        let now = Instant::now();
        self.shared.counters.request(answer.is_ok());
        if is_current && matches!(request, Request::Sync { .. }) {
            self.is_syncing = false;
        }
        match answer {
            Ok(answer) if is_current => self.heard(request, answer, now),
            Ok(_) => {}
            Err(reason) => {
                self.is_reasserting = false;
                self.circuits.unanswered(request, now);
                self.reply(request, Err(FleetError::Unavailable(reason.clone())));
                if !is_current {
                    return;
                }
                if reason != Reason::Silent || self.supervisor.missed() {
                    self.lose(reason);
                } else {
                    // Another question at once decides.
                    self.sync_at = now;
                }
            }
        }
    }

    fn heard(&mut self, request: &Request, answer: Answer, now: Instant) {
        self.supervisor.answered();
        self.members = answer.members;
        self.notice_loss(&answer);
        let is_reassertion = matches!(request, Request::Reassert { .. });
        if self.must_reassert && !is_reassertion {
            // An answer without what the store has lost says nothing.
            self.circuits.unanswered(request, now);
            self.reply(request, Ok(()));
            self.sync_at = now + SYNC;
            self.reassert(now);
            return;
        }
        if let Request::Sync { .. } = request {
            let period = if self.has_pushes { SYNC } else { POLL };
            self.sync_at = now + period;
            self.known = answer.seq;
            if !self.is_shared && !self.must_reassert {
                self.is_shared = true;
                self.circuits.shared(now);
                let members = answer.members;
                self.shared.tell(FleetEvent::Shared { members });
            }
        }
        if is_reassertion {
            self.must_reassert = false;
            self.is_reasserting = false;
            self.known = 0;
            self.sync_at = now;
        }
        self.reply(request, Ok(()));
        self.circuits.hear_answer(request, answer, now);
        let shared = &self.shared;
        shared
            .status
            .send_modify(|recorded| recorded.synced_at = Some(now));
    }

    /// Another generation, or an earlier epoch, means that the store has lost what was known.
    fn notice_loss(&mut self, answer: &Answer) {
        let is_other = self
            .generation
            .replace(Arc::clone(&answer.generation))
            .is_some_and(|known| known != answer.generation);
        if is_other || answer.seq < self.known {
            self.must_reassert = true;
        }
    }

    fn reassert(&mut self, now: Instant) {
        if self.is_reasserting {
            return;
        }
        self.is_reasserting = true;
        let told = self.circuits.told(self.known, now);
        self.ask(told);
    }

    fn reply(&mut self, request: &Request, result: Result<(), FleetError>) {
        if let Request::Order { caller, .. } = request
            && let Some(reply) = self.callers.remove(caller)
        {
            let _ = reply.send(result);
        }
    }

    fn lose(&mut self, reason: Reason) {
        self.supervisor.lost(Instant::now(), random::share());
        self.connection = None;
        self.pushes = None;
        self.is_syncing = false;
        self.is_reasserting = false;
        self.circuits.degraded();
        if self.is_shared {
            self.is_shared = false;
            self.tell_degraded(reason);
        } else {
            self.tell_reason(reason);
        }
    }
}

async fn next_push(pushes: &mut Option<UnboundedReceiver<PushInfo>>) -> Option<PushInfo> {
    match pushes {
        Some(pushes) => pushes.recv().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::Member;
    use crate::connection::endpoint::Endpoint;
    use crate::connection::pushes;
    use crate::keys::Keys;
    use crate::quorum::Quorum;
    use crate::shared::{Settings, Shared};
    use crate::status::Recorded;
    use circuit_runtime::registry;
    use redis::{PushInfo, PushKind, Value};
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::time::Instant;

    fn member() -> Member {
        let settings = Settings {
            endpoint: Endpoint::single("redis://127.0.0.1").unwrap(),
            keys: Keys::new("test").unwrap(),
            member: "me".into(),
            patterns: Vec::new(),
            quorum: Quorum::Any,
            grace: Duration::ZERO,
            answer_limit: Duration::ZERO,
        };
        let shared = Shared::new(Recorded::new("test".into(), "me".into()));
        Member::new(settings, Arc::new(shared))
    }

    #[test]
    fn many_events_are_taken_up_before_the_circuits_are_looked_at() {
        let mut member = member();
        let (sender, receiver) = pushes::channel();
        member.pushes = Some(receiver);
        for index in 0..100 {
            let line = format!("V 1 open 9000 9000 1 9000 other - cause burst::{index}");
            let words = ["cbr:{test}:ev", &line];
            let push = PushInfo {
                kind: PushKind::Message,
                data: words.map(|word| Value::BulkString(word.into())).into(),
            };
            sender.send(push).unwrap();
        }
        member.drain(&mut registry::changes());
        let (circuits, _) = member.circuits.status(Instant::now());
        assert_eq!(circuits.len(), 100);
    }
}
