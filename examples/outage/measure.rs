//! The observations of a run, and the figures computed from them.

use std::time::{Duration, Instant};

use crate::clients::Client;
use crate::service::{Condition, Hit};

/// The answer that a caller received, with its times.
#[derive(Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) client: Client,
    pub(crate) called: Instant,
    pub(crate) answered: Instant,
    pub(crate) outcome: Outcome,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    Failure,
    /// A failure: the service refused the connection.
    Refusal,
    /// The circuit rejected the call.
    Rejection,
}

impl Answer {
    fn waited(&self) -> Duration {
        self.answered - self.called
    }
}

/// Counts of answers. A call is either rejected or an attempt, which succeeds or fails.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) successes: u32,
    pub(crate) failures: u32,
    /// The failures by which the service refused the connection.
    pub(crate) refusals: u32,
    pub(crate) rejections: u32,
    pub(crate) waited: Duration,
}

impl Tally {
    pub(crate) fn for_client(answers: &[Answer], client: Client) -> Self {
        answers
            .iter()
            .filter(|answer| answer.client == client)
            .collect()
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.successes + self.failures
    }

    pub(crate) fn calls(&self) -> u32 {
        self.attempts() + self.rejections
    }
}

impl<'a> FromIterator<&'a Answer> for Tally {
    fn from_iter<I: IntoIterator<Item = &'a Answer>>(answers: I) -> Self {
        let mut tally = Self::default();
        for answer in answers {
            match answer.outcome {
                Outcome::Success => tally.successes += 1,
                Outcome::Failure => tally.failures += 1,
                Outcome::Refusal => {
                    tally.failures += 1;
                    tally.refusals += 1;
                }
                Outcome::Rejection => tally.rejections += 1,
            }
            tally.waited += answer.waited();
        }
        tally
    }
}

/// The traffic of one client within a second.
pub(crate) struct Second {
    pub(crate) tally: Tally,
    /// The requests that reached the service, and the connections that it refused.
    pub(crate) reached: u32,
}

impl Second {
    pub(crate) fn for_client(answers: &[Answer], hits: &[Hit], client: Client) -> Self {
        let tally = Tally::for_client(answers, client);
        let requests: u32 = hits.iter().map(|hit| u32::from(hit.client == client)).sum();
        Self {
            reached: requests + tally.refusals,
            tally,
        }
    }
}

/// A condition of the service, and when it held.
#[derive(Clone, Copy)]
pub(crate) struct Stage {
    pub(crate) condition: Condition,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
}

impl Stage {
    fn contains(&self, moment: Instant) -> bool {
        (self.began..self.ended).contains(&moment)
    }
}

/// All observations of a run.
pub(crate) struct Run {
    pub(crate) stages: Vec<Stage>,
    pub(crate) answers: Vec<Answer>,
    pub(crate) hits: Vec<Hit>,
}

impl Run {
    pub(crate) fn tally(&self, client: Client) -> Tally {
        Tally::for_client(&self.answers, client)
    }

    /// Counts the calls made during an outage.
    pub(crate) fn tally_during(&self, client: Client, outage: Condition) -> Tally {
        self.answers_during(client, outage).collect()
    }

    /// Returns how long the callers of `client` waited while the service was down.
    pub(crate) fn waited_in_outages(&self, client: Client) -> Duration {
        let outages = Condition::OUTAGES.iter();
        outages
            .map(|outage| self.tally_during(client, *outage).waited)
            .sum()
    }

    /// Returns the number of requests by which `client` reached the service while it was down.
    pub(crate) fn all_hits(&self, client: Client) -> u32 {
        let outages = Condition::OUTAGES.iter();
        outages.map(|outage| self.hits(client, *outage)).sum()
    }

    /// Returns the number of such requests in one outage, as counted by the service. A service that
    /// refuses connections counts none: for it, the failed calls are counted.
    pub(crate) fn hits(&self, client: Client, outage: Condition) -> u32 {
        if outage == Condition::Refusing {
            return self.tally_during(client, outage).failures;
        }
        let hits = self.hits.iter();
        hits.map(|hit| u32::from(hit.client == client && hit.condition == outage))
            .sum()
    }

    /// Returns the median time of the calls with this outcome; `None` if there were none.
    pub(crate) fn median(&self, client: Client, outcome: Outcome) -> Option<Duration> {
        let answers = self.answers_to(client);
        percentile(answers.filter(|answer| answer.outcome == outcome), 50)
    }

    /// Returns the time after which `percent` of the callers have had their answer, be it a
    /// rejection; `None` if there was none.
    pub(crate) fn percentile(&self, client: Client, percent: usize) -> Option<Duration> {
        percentile(self.answers_to(client), percent)
    }

    /// Returns the same for the calls made during an outage.
    pub(crate) fn percentile_during(
        &self,
        client: Client,
        outage: Condition,
        percent: usize,
    ) -> Option<Duration> {
        percentile(self.answers_during(client, outage), percent)
    }

    /// Returns how long after the end of an outage every call succeeded again, if they did.
    pub(crate) fn recovery(&self, client: Client, outage: Condition) -> Option<Duration> {
        let back = self.stage_after(outage)?;
        let answers: Vec<&Answer> = self
            .answers_to(client)
            .filter(|answer| back.contains(answer.answered))
            .collect();
        let successes_to_the_end = answers
            .iter()
            .rev()
            .take_while(|answer| answer.outcome == Outcome::Success);
        let recovered = successes_to_the_end.last()?;
        Some(recovered.answered - back.began)
    }

    fn answers_to(&self, client: Client) -> impl Iterator<Item = &Answer> {
        self.answers
            .iter()
            .filter(move |answer| answer.client == client)
    }

    fn answers_during(&self, client: Client, outage: Condition) -> impl Iterator<Item = &Answer> {
        self.answers_to(client).filter(move |answer| {
            let mut stages = self.stages.iter().filter(|stage| stage.condition == outage);
            stages.any(|stage| stage.contains(answer.called))
        })
    }

    fn stage_after(&self, outage: Condition) -> Option<&Stage> {
        let mut stages = self.stages.iter();
        stages.find(|stage| stage.condition == outage)?;
        stages.next()
    }
}

fn percentile<'a>(answers: impl Iterator<Item = &'a Answer>, percent: usize) -> Option<Duration> {
    let mut waits: Vec<Duration> = answers.map(Answer::waited).collect();
    waits.sort_unstable();
    let rank = (waits.len() * percent).div_ceil(100);
    waits.get(rank.checked_sub(1)?).copied()
}
