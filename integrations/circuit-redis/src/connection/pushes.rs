//! Messages that the store pushes, without having been asked.

use redis::{FromRedisValue, PushInfo, PushKind};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use crate::scripts::answer::Published;

/// Something that was pushed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Push {
    Published(Published),
    /// The connection is lost.
    Disconnected,
}

/// Returns both ends of the channel that a connection pushes into.
pub(crate) fn channel() -> (UnboundedSender<PushInfo>, UnboundedReceiver<PushInfo>) {
    mpsc::unbounded_channel()
}

/// Reads a push; `None` if it is not for this crate.
pub(crate) fn read(push: PushInfo) -> Option<Push> {
    match push.kind {
        PushKind::Disconnection => Some(Push::Disconnected),
        PushKind::Message | PushKind::SMessage => {
            let line = push.data.into_iter().nth(1)?;
            let line = String::from_redis_value(line).ok()?;
            Published::parse(&line).map(Push::Published)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Push, read};
    use redis::{PushInfo, PushKind, Value};

    fn message(line: &str) -> PushInfo {
        let words = ["cbr:{shop}:ev", line];
        PushInfo {
            kind: PushKind::Message,
            data: words.map(|word| Value::BulkString(word.into())).into(),
        }
    }

    #[test]
    fn a_push_is_a_line_of_the_scripts_or_the_end_of_the_connection() {
        let order = read(message("O 3 open -1 m shop::quote"));
        assert!(matches!(order, Some(Push::Published(_))));
        assert_eq!(read(message("hello")), None);
        let lost = PushInfo {
            kind: PushKind::Disconnection,
            data: Vec::new(),
        };
        assert_eq!(read(lost), Some(Push::Disconnected));
    }
}
