//! Coloured output.

use std::env;
use std::fmt::Display;
use std::io::{IsTerminal, stdout};

#[derive(Clone, Copy)]
pub(crate) enum Colour {
    Bold = 1,
    Red = 31,
    Green = 32,
    Yellow = 33,
}

#[derive(Clone, Copy)]
pub(crate) struct Paint {
    enabled: bool,
}

impl Paint {
    /// Enables colour on a terminal, unless `NO_COLOR` is set.
    pub(crate) fn for_stdout() -> Self {
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            enabled: stdout().is_terminal() && !refused,
        }
    }

    pub(crate) fn paint(self, colour: Colour, text: impl Display) -> String {
        if self.enabled {
            format!("\x1b[{}m{text}\x1b[0m", colour as u8)
        } else {
            text.to_string()
        }
    }

    /// Paints `text` if `seen` is true.
    pub(crate) fn paint_if(self, seen: bool, colour: Colour, text: impl Display) -> String {
        if seen {
            self.paint(colour, text)
        } else {
            text.to_string()
        }
    }
}
