//! The table of all metrics.

use std::fmt;

/// The kind of a metric.
///
/// # Examples
///
/// ```
/// use circuit_runtime::export::{Kind, Metric};
///
/// assert_eq!(Metric::Rejected.kind(), Kind::Counter);
/// assert_eq!(Metric::OpenKeys.kind().to_string(), "gauge");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A count since the start, which never falls.
    Counter,
    /// A number that rises and falls.
    Gauge,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        })
    }
}

/// Declares the metrics, and renders their table into the documentation.
macro_rules! metrics {
    ($($metric:ident, $name:literal, $kind:ident, [$($label:literal),+], $help:literal;)+) => {
        /// A metric that is exported, the same by every exporter.
        ///
        /// | name | kind | labels | meaning |
        /// |---|---|---|---|
        $(#[doc = concat!(
            "| `", $name, "` | ", stringify!($kind), " |" $(, " `", $label, "`")+, " | ", $help, " |"
        )])+
        ///
        /// The [module](super) explains the labels, and how several breakers are added up.
        ///
        /// # Examples
        ///
        /// ```
        /// use circuit_runtime::export::{Kind, Metric};
        ///
        /// assert_eq!(Metric::Calls.name(), "circuit_breaker_calls_total");
        /// for metric in Metric::ALL {
        ///     assert_eq!(metric.name().ends_with("_total"), metric.kind() == Kind::Counter);
        /// }
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Metric {
            $(#[doc = concat!("`", $name, "`: ", $help)] $metric,)+
        }

        impl Metric {
            /// All metrics, in the order in which they are exported.
            ///
            /// # Examples
            ///
            /// ```
            /// use circuit_runtime::export::{self, Metric};
            ///
            /// let mut text = String::new();
            /// export::prometheus(&mut text)?;
            /// for metric in Metric::ALL {
            ///     assert!(text.contains(metric.name()));
            /// }
            /// # Ok::<(), std::fmt::Error>(())
            /// ```
            pub const ALL: &'static [Self] = &[$(Self::$metric),+];

            /// Returns the name.
            ///
            /// # Examples
            ///
            /// ```
            /// use circuit_runtime::export::Metric;
            ///
            /// assert_eq!(Metric::State.name(), "circuit_breaker_state");
            /// ```
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$metric => $name,)+
                }
            }

            /// Returns whether the metric is a counter or a gauge.
            ///
            /// # Examples
            ///
            /// ```
            /// use circuit_runtime::export::{Kind, Metric};
            ///
            /// assert_eq!(Metric::Calls.kind(), Kind::Counter);
            /// assert_eq!(Metric::FailureRatio.kind(), Kind::Gauge);
            /// ```
            #[must_use]
            pub const fn kind(self) -> Kind {
                match self {
                    $(Self::$metric => Kind::$kind,)+
                }
            }

            /// Returns the meaning, in one sentence.
            ///
            /// # Examples
            ///
            /// ```
            /// use circuit_runtime::export::Metric;
            ///
            /// let help = Metric::Rejected.help();
            /// assert_eq!(help, "Calls that were rejected, and did not run.");
            /// ```
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self {
                    $(Self::$metric => $help,)+
                }
            }

            /// Returns the names of the labels; a series for a key has the label `key`, too.
            ///
            /// # Examples
            ///
            /// ```
            /// use circuit_runtime::export::Metric;
            ///
            /// assert_eq!(Metric::Calls.labels(), ["breaker", "outcome"]);
            /// assert_eq!(Metric::Rejected.labels(), ["breaker"]);
            /// ```
            #[must_use]
            pub const fn labels(self) -> &'static [&'static str] {
                match self {
                    $(Self::$metric => &[$($label),+],)+
                }
            }
        }
    };
}

metrics! {
    Calls, "circuit_breaker_calls_total", Counter, ["breaker", "outcome"],
        "Calls that were admitted and have ended, by their outcome.";
    Rejected, "circuit_breaker_rejected_total", Counter, ["breaker"],
        "Calls that were rejected, and did not run.";
    SlowCalls, "circuit_breaker_slow_calls_total", Counter, ["breaker"],
        "Calls that took longer than slow_call and were counted in the window.";
    Opened, "circuit_breaker_opened_total", Counter, ["breaker"],
        "How often the circuit opened, including reopenings and orders.";
    Withheld, "circuit_breaker_withheld_total", Counter, ["breaker"],
        "How often the circuit would have opened while it was held closed.";
    State, "circuit_breaker_state", Gauge, ["breaker", "state"],
        "1 for the state of the circuit, 0 for the two others.";
    Held, "circuit_breaker_held", Gauge, ["breaker", "hold"],
        "1 if an order holds the circuit in this state, 0 if not.";
    FailureRatio, "circuit_breaker_failure_ratio", Gauge, ["breaker"],
        "The share of the calls in the window that failed; absent below min_calls.";
    SlowRatio, "circuit_breaker_slow_ratio", Gauge, ["breaker"],
        "The share of slow calls, overdue ones in flight included; absent below min_calls.";
    WindowCalls, "circuit_breaker_window_calls", Gauge, ["breaker"],
        "The calls in the window; absent if no rule counts calls.";
    StateSeconds, "circuit_breaker_state_seconds", Gauge, ["breaker"],
        "How long the state has held, in seconds.";
    OpenKeys, "circuit_breaker_open_keys", Gauge, ["breaker"],
        "The keys whose circuit is open; absent without keys.";
}
