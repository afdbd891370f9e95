//! The settings of a dashboard, as the program has made them.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use http::request::Parts;
use serde_json::{Map, Value, json};

use crate::access::{Actor, Denied, Hosts, Token};
use crate::fleet::FleetStatus;
use crate::orders::Action;

/// The version of the JSON.
pub(crate) const SCHEMA: u32 = 1;

/// Decides on an order.
pub(crate) type Controls = dyn Fn(&Parts, &Action) -> Result<Actor, Denied> + Send + Sync;

/// Reads the status of the fleet.
pub(crate) type Fleet = dyn Fn() -> FleetStatus + Send + Sync;

/// The settings of a dashboard.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) service: String,
    pub(crate) hosts: Hosts,
    pub(crate) token: Option<Token>,
    pub(crate) controls: Option<Arc<Controls>>,
    pub(crate) fleet: Option<Arc<Fleet>>,
    pub(crate) allows_unauthenticated: bool,
    started: Instant,
}

impl Settings {
    pub(crate) fn new() -> Self {
        Self {
            service: program(),
            hosts: Hosts::default(),
            token: None,
            controls: None,
            fleet: None,
            allows_unauthenticated: false,
            started: Instant::now(),
        }
    }

    /// Returns whether orders are taken.
    pub(crate) fn takes_orders(&self) -> bool {
        self.controls.is_some() || self.token.is_some()
    }

    /// Decides on an order. Without a closure of the program, the token has decided.
    ///
    /// A closure that panics denies: it must not take down the connection, nor stay out of the log.
    pub(crate) fn decide(&self, request: &Parts, action: &Action) -> Result<Actor, Denied> {
        match &self.controls {
            Some(controls) => {
                // Nothing of the dashboard is changed while it runs.
                let decided = AssertUnwindSafe(|| controls(request, action));
                catch_unwind(decided).unwrap_or_else(|_| {
                    let message = "the program failed to decide on the order; see its log";
                    Err(Denied::new(message))
                })
            }
            None => Ok(Actor::new("bearer token")),
        }
    }

    /// Returns how long the dashboard has existed, in seconds.
    pub(crate) fn uptime(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// Returns the fields of a list that are about the dashboard and the fleet.
    pub(crate) fn to_json(&self) -> Map<String, Value> {
        let mut fields = self.to_json_of_update();
        let about = json!({
            "schema": SCHEMA,
            "service": self.service,
            "controls": self.takes_orders(),
            "discovery": cfg!(feature = "discovery"),
        });
        if let Value::Object(about) = about {
            fields.extend(about);
        }
        fields
    }

    /// Returns those of them that time changes.
    pub(crate) fn to_json_of_update(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        fields.insert("uptime".to_owned(), self.uptime().into());
        if let Some(fleet) = &self.fleet {
            fields.insert("fleet".to_owned(), fleet().to_json());
        }
        fields
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("service", &self.service)
            .field("hosts", &self.hosts)
            .field("token", &self.token)
            .field("takes_orders", &self.takes_orders())
            .field("has_fleet", &self.fleet.is_some())
            .field("allows_unauthenticated", &self.allows_unauthenticated)
            .finish_non_exhaustive()
    }
}

/// Returns the name of the program's file.
fn program() -> String {
    let path = std::env::args_os().next().unwrap_or_default();
    let stem = Path::new(&path).file_stem();
    let name = stem.map(|stem| stem.to_string_lossy().into_owned());
    name.unwrap_or_else(|| "service".to_owned())
}
