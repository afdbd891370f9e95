//! The options that overrides have changed.

use circuit_runtime::Config;
use serde_json::{Map, Value, json};

/// Returns the options in which a configuration differs from that of the program, with both values.
pub(super) fn changed_options(own: &Config, in_force: &Config) -> Value {
    let (own, in_force) = (options(own), options(in_force));
    let mut changed = Map::new();
    for option in own.keys().chain(in_force.keys()) {
        let (from, to) = (own.get(option), in_force.get(option));
        if from != to {
            changed.insert(option.clone(), json!({"from": from, "to": to}));
        }
    }
    Value::Object(changed)
}

fn options(config: &Config) -> Map<String, Value> {
    match serde_json::to_value(config) {
        Ok(Value::Object(options)) => options,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, changed_options};
    use serde_json::json;
    use std::time::Duration;

    #[test]
    fn an_option_is_changed_added_or_gone() {
        let own = Config::default();
        assert_eq!(changed_options(&own, &own), json!({}));
        let rules = Config::builder().last_calls(50).failure_rate(0.5);
        let other = rules.reset(Duration::from_secs(5)).build().unwrap();
        let expected = json!({
            "max_failures": {"from": 5, "to": null},
            "window": {"from": null, "to": 50},
            "failure_rate": {"from": null, "to": 0.5},
            "min_calls": {"from": null, "to": 20},
            "reset": {"from": "30s", "to": "5s"},
        });
        assert_eq!(changed_options(&own, &other), expected);
    }
}
