//! The lines that a script answers with, or publishes.

use std::sync::Arc;
use std::time::Duration;

use circuit_runtime::State;

/// The verdict on one name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) name: Arc<str>,
    pub(crate) epoch: u64,
    pub(crate) state: State,
    /// The rest of the wait of an open circuit, or of the lease of a half-open one.
    pub(crate) rest: Duration,
    pub(crate) wait: Duration,
    pub(crate) openings: u32,
    pub(crate) reset: Duration,
    pub(crate) by: Arc<str>,
    /// The member that has the lease.
    pub(crate) prober: Option<Arc<str>>,
    pub(crate) cause: Arc<str>,
}

/// An order, or the release from one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OrderLine {
    pub(crate) name: Arc<str>,
    pub(crate) epoch: u64,
    /// The state that the circuit is held in; `None` if it is released.
    pub(crate) to: Option<State>,
    /// `None` if it has no end.
    pub(crate) rest: Option<Duration>,
    pub(crate) by: Arc<str>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct VoteCount {
    pub(crate) name: Arc<str>,
    pub(crate) votes: u32,
    pub(crate) needed: u32,
}

/// The answer to a member that asks for the lease.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LeaseAnswer {
    Granted { term: Duration },
    Denied { rest: Duration },
    Early { rest: Duration },
    Closed,
}

/// All that a script has answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Answer {
    /// The latest epoch.
    pub(crate) seq: u64,
    pub(crate) members: u32,
    /// Another one means that the store has lost its data.
    pub(crate) generation: Arc<str>,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) orders: Vec<OrderLine>,
    pub(crate) votes: Vec<VoteCount>,
    pub(crate) lease: Option<LeaseAnswer>,
    /// The report with its token was accepted.
    pub(crate) is_accepted: bool,
}

/// A line that was published.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Published {
    Verdict(Verdict),
    Order(OrderLine),
}

impl Answer {
    /// Reads the lines; `None` if they are not those of the scripts.
    pub(crate) fn parse(lines: &[String]) -> Option<Self> {
        let mut answer = Self::default();
        let (general, lines) = lines.split_first()?;
        let mut words = general.strip_prefix("G ")?.splitn(3, ' ');
        answer.seq = words.next()?.parse().ok()?;
        answer.members = words.next()?.parse().ok()?;
        answer.generation = words.next()?.into();
        for line in lines {
            let (letter, rest) = line.split_once(' ').unwrap_or((line, ""));
            match letter {
                "V" => answer.verdicts.push(verdict(rest)?),
                "O" => answer.orders.push(order(rest)?),
                "Q" => answer.votes.push(votes(rest)?),
                "L" => answer.lease = Some(lease(rest)?),
                "A" => answer.is_accepted = true,
                "R" => answer.is_accepted = false,
                _ => return None,
            }
        }
        Some(answer)
    }
}

impl Published {
    pub(crate) fn parse(line: &str) -> Option<Self> {
        match line.split_once(' ')? {
            ("V", rest) => verdict(rest).map(Self::Verdict),
            ("O", rest) => order(rest).map(Self::Order),
            _ => None,
        }
    }
}

fn verdict(line: &str) -> Option<Verdict> {
    let mut words = line.splitn(10, ' ');
    Some(Verdict {
        epoch: words.next()?.parse().ok()?,
        state: state(words.next()?)?,
        rest: millis(words.next()?)?,
        wait: millis(words.next()?)?,
        openings: words.next()?.parse().ok()?,
        reset: millis(words.next()?)?,
        by: words.next()?.into(),
        prober: words
            .next()
            .map(|word| (word != "-").then(|| word.into()))?,
        cause: words.next()?.into(),
        name: words.next()?.into(),
    })
}

fn order(line: &str) -> Option<OrderLine> {
    let mut words = line.splitn(5, ' ');
    Some(OrderLine {
        epoch: words.next()?.parse().ok()?,
        to: match words.next()? {
            "released" => None,
            word => Some(state(word)?),
        },
        rest: match words.next()? {
            "-1" => None,
            word => Some(millis(word)?),
        },
        by: words.next()?.into(),
        name: words.next()?.into(),
    })
}

fn votes(line: &str) -> Option<VoteCount> {
    let mut words = line.splitn(3, ' ');
    Some(VoteCount {
        votes: words.next()?.parse().ok()?,
        needed: words.next()?.parse().ok()?,
        name: words.next()?.into(),
    })
}

fn lease(line: &str) -> Option<LeaseAnswer> {
    let mut words = line.split(' ');
    Some(match words.next()? {
        "granted" => LeaseAnswer::Granted {
            term: millis(words.next()?)?,
        },
        "denied" => LeaseAnswer::Denied {
            rest: millis(words.next()?)?,
        },
        "early" => LeaseAnswer::Early {
            rest: millis(words.next()?)?,
        },
        "closed" => LeaseAnswer::Closed,
        _ => return None,
    })
}

fn state(word: &str) -> Option<State> {
    match word {
        "open" => Some(State::Open),
        "half-open" => Some(State::HalfOpen),
        "closed" => Some(State::Closed),
        _ => None,
    }
}

fn millis(word: &str) -> Option<Duration> {
    word.parse().ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::{Answer, LeaseAnswer, Published};
    use circuit_runtime::State;
    use std::time::Duration;

    fn lines(lines: &[&str]) -> Option<Answer> {
        let lines: Vec<_> = lines.iter().map(ToString::to_string).collect();
        Answer::parse(&lines)
    }

    #[test]
    fn a_name_may_have_any_characters() {
        let line = "V 7 open 900 1000 1 1000 m1 - max_failures a b [c] 1";
        let Some(Published::Verdict(verdict)) = Published::parse(line) else {
            panic!("{line}");
        };
        assert_eq!(&*verdict.name, "a b [c] 1");
        assert_eq!((verdict.epoch, verdict.state), (7, State::Open));
        assert_eq!(
            (verdict.rest, verdict.prober),
            (Duration::from_millis(900), None)
        );
    }

    #[test]
    fn an_answer_has_all_its_lines() {
        let answer = lines(&[
            "G 9 3 g",
            "L granted 3000 t",
            "Q 1 2 a",
            "O 4 closed -1 m a",
            "A",
        ]);
        let answer = answer.unwrap();
        assert_eq!(
            (answer.seq, answer.members, &*answer.generation),
            (9, 3, "g")
        );
        let term = Duration::from_secs(3);
        assert_eq!(answer.lease, Some(LeaseAnswer::Granted { term }));
        assert_eq!(answer.orders[0].rest, None);
        assert!(answer.is_accepted);
    }

    #[test]
    fn lines_that_no_script_answers_are_refused() {
        for bad in [
            &[][..],
            &["A"],
            &["G 1 2"],
            &["G 1 2 g", "X"],
            &["G 1 2 g", "V 1 open 1 1 1 1 m - c"],
            &["G 1 2 g", "V 1 ajar 1 1 1 1 m - c n"],
            &["G 1 2 g", "L"],
        ] {
            assert_eq!(lines(bad), None, "{bad:?}");
        }
    }
}
