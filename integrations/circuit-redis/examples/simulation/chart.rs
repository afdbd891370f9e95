//! The results as a picture in SVG: the load on the service over time, a panel for each outage.

use std::fmt::{self, Write};

use crate::Results;
use crate::measure::{Outcome, SLICE};
use crate::scenario::{BEGIN, END, LAST};

/// The schemes that are drawn, each in its color.
const DRAWN: [(&str, &str); 6] = [
    ("no breaker", "#9a9a9a"),
    ("one lock around each call", "#b06fc9"),
    ("not shared", "#d9822b"),
    ("fleet, any", "#c8443c"),
    ("fleet, two", "#2f6fd0"),
    ("fleet, two, ramp", "#1f9d63"),
];

const WIDTH: f64 = 960.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 24.0;
/// The width of a letter of the legend, and of what is around a name.
const LETTER: f64 = 6.2;
const AROUND: f64 = 48.0;
const TOP: f64 = 64.0;
/// The height of a panel, and of what is between two.
const PANEL: f64 = 180.0;
const GAP: f64 = 56.0;
/// The load at the upper edge of a panel.
const HIGHEST: f64 = 2.5;
/// The slices that are averaged for a point.
const AVERAGED: usize = 5;

/// Returns the picture.
#[expect(clippy::cast_precision_loss, reason = "a few panels")]
pub(crate) fn write(all: &[Results]) -> Result<String, fmt::Error> {
    let height = TOP + all.len() as f64 * (PANEL + GAP);
    let mut svg = String::new();
    writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"22\" font-size=\"15\">Requests to the service, over what it can \
         answer</text>"
    )?;
    let mut x = LEFT;
    for (name, color) in DRAWN {
        writeln!(
            svg,
            "<rect x=\"{x}\" y=\"34\" width=\"14\" height=\"4\" fill=\"{color}\"/>\
             <text x=\"{}\" y=\"40\">{name}</text>",
            x + 20.0
        )?;
        x += LETTER * name.len() as f64 + AROUND;
    }
    for (index, results) in all.iter().enumerate() {
        let top = TOP + index as f64 * (PANEL + GAP) + 16.0;
        write_panel(&mut svg, results, top)?;
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

fn write_panel(svg: &mut String, results: &Results, top: f64) -> Result<(), fmt::Error> {
    let bottom = top + PANEL;
    writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"{}\" font-weight=\"bold\">{}</text>\n\
         <rect x=\"{:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"{PANEL}\" fill=\"#f6e3e1\"/>",
        top - 6.0,
        results.outage.title(),
        x_at(BEGIN),
        x_at(END) - x_at(BEGIN),
    )?;
    for tenths in [0_u8, 5, 10, 15, 20, 25] {
        let load = f64::from(tenths) / 10.0;
        let y = y_at(load, bottom);
        let stroke = if tenths == 10 { "#555" } else { "#ddd" };
        writeln!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"{stroke}\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{load:.1}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            y + 4.0,
        )?;
    }
    for second in (0..=LAST / 1_000).step_by(10) {
        let x = x_at(second * 1_000);
        writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{second} s</text>",
            bottom + 16.0
        )?;
    }
    for (name, color) in DRAWN {
        let drawn = results
            .outcomes
            .iter()
            .find(|(scheme, _)| scheme.name == name);
        if let Some((_, outcome)) = drawn {
            write_line(svg, outcome, color, bottom)?;
        }
    }
    Ok(())
}

fn write_line(
    svg: &mut String,
    outcome: &Outcome,
    color: &str,
    bottom: f64,
) -> Result<(), fmt::Error> {
    write!(
        svg,
        "<polyline fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\" points=\""
    )?;
    let mut at = 0;
    for loads in outcome.load.chunks(AVERAGED) {
        let highest = loads.iter().copied().fold(0.0, f64::max);
        write!(svg, "{:.1},{:.1} ", x_at(at), y_at(highest, bottom))?;
        at += SLICE * AVERAGED as u64;
    }
    writeln!(svg, "\"/>")
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a few minutes")]
fn x_at(millis: u64) -> f64 {
    LEFT + (WIDTH - LEFT - RIGHT) * millis as f64 / LAST as f64
}

fn y_at(load: f64, bottom: f64) -> f64 {
    bottom - PANEL * load.min(HIGHEST) / HIGHEST
}
