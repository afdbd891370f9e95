//! An event of the stream, as it is sent.

use std::fmt::Write;

use bytes::Bytes;
use serde_json::Value;

/// The beginning of a stream: how soon a client that has lost it connects again, in milliseconds.
pub(super) const BEGINNING: Bytes = Bytes::from_static(b"retry: 1000\n\n");

/// Returns an event. JSON has no line breaks outside of text, where they are escaped.
pub(super) fn event(name: &str, id: Option<String>, data: &Value) -> Bytes {
    let mut event = format!("event: {name}\n");
    if let Some(id) = id {
        // To a `String`, it does not fail.
        let _ = writeln!(event, "id: {id}");
    }
    let _ = write!(event, "data: {data}\n\n");
    event.into()
}

#[cfg(test)]
mod tests {
    use super::event;
    use serde_json::json;

    #[test]
    fn an_event_has_one_line_of_data_whatever_it_contains() {
        let data = json!({"reason": "a\nb\r\ndata: c\u{2028}"});
        let sent = event("change", Some("ab-1".to_owned()), &data);
        let text = String::from_utf8(sent.to_vec()).unwrap();
        let lines: Vec<_> = text.split(['\n', '\r']).collect();
        assert_eq!(lines[..2], ["event: change", "id: ab-1"]);
        assert!(lines[2].starts_with("data: {"));
        assert_eq!(lines[3..], ["", ""]);
        assert!(!event("update", None, &data).starts_with(b"event: update\nid"));
    }
}
