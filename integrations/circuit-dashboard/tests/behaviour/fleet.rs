//! The fleet, in the list and in the stream.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use circuit_dashboard::{Dashboard, FleetCircuit, FleetSharing, FleetStatus};
use serde_json::{Value, json};

use crate::support::Site;

/// A dashboard, and the status of its fleet, which the test sets.
fn dashboard_of(status: FleetStatus) -> (Dashboard, Arc<Mutex<FleetStatus>>) {
    let status = Arc::new(Mutex::new(status));
    let read = Arc::clone(&status);
    let dashboard = Dashboard::new().fleet(move || read.lock().unwrap().clone());
    (dashboard, status)
}

#[tokio::test]
async fn a_list_has_the_fleet_only_if_there_is_one() {
    let alone = Site::new(Dashboard::new()).await;
    let list = alone.json("/api/breakers").await;
    assert_eq!(list.get("fleet"), None);
    let snapshot = alone.stream(&[]).await.next().await;
    assert_eq!(snapshot.data.get("fleet"), None);

    let status = FleetStatus::new(FleetSharing::Shared)
        .members(3)
        .last_sync(Duration::from_millis(500))
        .circuits([
            FleetCircuit::new("fleet::voted").votes((2, 3)),
            FleetCircuit::new("fleet::probed[a \"quoted\" <key>]").prober("pod-7"),
        ]);
    let site = Site::new(dashboard_of(status).0).await;
    let list = site.json("/api/breakers?q=nothing").await;
    let expected = json!({
        "sharing": "shared",
        "degraded_for": null,
        "members": 3,
        "last_sync": 0.5,
        "circuits": [
            {"name": "fleet::voted", "votes": 2, "needed": 3, "prober": null},
            {
                "name": "fleet::probed[a \"quoted\" <key>]",
                "votes": null, "needed": null, "prober": "pod-7",
            },
        ],
    });
    assert_eq!(list["fleet"], expected);
    let fields = ["schema", "service", "uptime", "controls", "discovery"];
    assert!(fields.iter().all(|field| !list[field].is_null()), "{list}");
}

#[tokio::test]
async fn a_list_has_a_thousand_circuits_of_a_fleet() {
    let circuits = (0..1001).map(|index| FleetCircuit::new(format!("fleet::{index}")));
    let status = FleetStatus::new(FleetSharing::Shared).circuits(circuits);
    let site = Site::new(dashboard_of(status).0).await;
    let list = site.json("/api/breakers?q=nothing").await;
    let circuits = list["fleet"]["circuits"].as_array().unwrap();
    assert_eq!(circuits.len(), 1000);
    assert_eq!(circuits[0]["name"], "fleet::0");
}

#[tokio::test]
async fn a_stream_tells_at_each_update_what_the_fleet_is_like() {
    let (dashboard, status) = dashboard_of(FleetStatus::new(FleetSharing::NotRunning));
    let site = Site::new(dashboard).await;
    let mut stream = site.stream(&[]).await;
    let snapshot = stream.next().await;
    assert_eq!(snapshot.name, "snapshot");
    let expected = json!({
        "sharing": "not-running",
        "degraded_for": null,
        "members": 0,
        "last_sync": null,
        "circuits": [],
    });
    assert_eq!(snapshot.data["fleet"], expected);

    let since = SystemTime::now() - Duration::from_secs(3600);
    let degraded = FleetStatus::new(FleetSharing::Degraded { since }).members(2);
    *status.lock().unwrap() = degraded;
    let is_degraded = |data: &Value| data["fleet"]["sharing"] == "degraded";
    let update = stream
        .next_where(|event| event.name == "update" && is_degraded(&event.data))
        .await;
    let fleet = &update.data["fleet"];
    assert!(fleet["degraded_for"].as_f64() >= Some(3600.0), "{fleet}");
    assert_eq!(fleet["members"], 2);
    assert!(update.data["uptime"].as_f64() >= Some(0.0));
    // Also in those in which nothing has changed.
    let update = stream.next_where(|event| event.name == "update").await;
    assert!(is_degraded(&update.data));
}
