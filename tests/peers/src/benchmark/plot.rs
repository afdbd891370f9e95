//! The results as a picture: bars on a logarithmic scale, ours first.

use std::fmt::Write as _;

use crate::row::Scenario;
use crate::run::{Figures, Measured};
use crate::samples::figure;

const WIDTH: f64 = 1040.0;
/// Where bars start, and the length of the longest.
const LEFT: f64 = 420.0;
const LENGTH: f64 = 540.0;
const LINE: f64 = 24.0;
/// The ends of the scale, in nanoseconds.
const LEAST: f64 = 0.5;
const MOST: f64 = 5_000.0;

const OURS: [&str; 2] = ["#0b6e4f", "#6bbf9e"];
const OTHERS: [&str; 2] = ["#5f6b7a", "#b4bcc8"];

pub(crate) fn draw(measured: &Measured) -> String {
    let mut body = String::new();
    let mut top = 96.0;
    for (title, scenario) in [
        ("Closed, success", Scenario::Success),
        ("Closed, failure below the limit", Scenario::Failure),
        ("Open, rejected", Scenario::Rejection),
        ("A function with the attribute", Scenario::Attribute),
    ] {
        top = panel(&mut body, measured, title, scenario, top);
    }
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {top}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{top}\" fill=\"white\"/>\n"
    );
    text(
        &mut picture,
        20.0,
        30.0,
        "font-size=\"18\" font-weight=\"bold\"",
        "Nanoseconds of a call",
    );
    let about = format!(
        "Medians of {} rounds, on a logarithmic scale. F: one uncontended fetch_add, {} ns. I: one Instant::now(), {} ns.",
        measured.rounds,
        figure(measured.addition()),
        figure(measured.clock()),
    );
    text(&mut picture, 20.0, 50.0, "", &about);
    legend(&mut picture);
    picture + &body + "</svg>\n"
}

fn legend(picture: &mut String) {
    let marks = [
        (20.0, OURS[0], "ours, one thread"),
        (160.0, OURS[1], "ours, each of two"),
        (300.0, OTHERS[0], "others, one thread"),
        (450.0, OTHERS[1], "others, each of two"),
    ];
    for (x, colour, what) in marks {
        let _ = writeln!(
            picture,
            "<rect x=\"{x}\" y=\"62\" width=\"12\" height=\"12\" fill=\"{colour}\"/>"
        );
        text(picture, x + 18.0, 72.0, "", what);
    }
}

/// Draws one scenario, and returns where the next starts.
fn panel(body: &mut String, measured: &Measured, title: &str, scenario: Scenario, top: f64) -> f64 {
    let rows: Vec<&Figures> = measured.for_scenario(scenario).collect();
    text(
        body,
        20.0,
        top + 18.0,
        "font-size=\"14\" font-weight=\"bold\"",
        title,
    );
    let bottom = rows.iter().fold(top + 28.0, |bottom, _| bottom + LINE);
    for nanos in [1.0, 10.0, 100.0, 1_000.0] {
        mark(
            body,
            nanos,
            (top + 24.0, bottom),
            "stroke=\"#e3e6ea\"",
            &format!("{nanos} ns"),
        );
    }
    for (nanos, letter) in [(measured.addition(), "F"), (measured.clock(), "I")] {
        let stroke = "stroke=\"#c0392b\" stroke-dasharray=\"4 3\"";
        mark(body, nanos, (top + 24.0, bottom), stroke, letter);
    }
    let mut y = top + 28.0;
    for figures in rows {
        bars(body, figures, y);
        y += LINE;
    }
    y + 22.0
}

fn bars(body: &mut String, figures: &Figures, y: f64) {
    let row = figures.row;
    let [one_colour, two_colour] = if row.is_ours() { OURS } else { OTHERS };
    let weight = if row.is_ours() {
        " font-weight=\"bold\""
    } else {
        ""
    };
    let label = match row.library {
        "" => row.setting.to_owned(),
        "tower-resilience-circuitbreaker" => format!("tower-resilience, {}", row.setting),
        library => format!("{library}, {}", row.setting),
    };
    let end = format!("text-anchor=\"end\"{weight}");
    text(body, LEFT - 8.0, y + 14.0, &end, &label);
    let pair = [
        (figures.one.median(), one_colour, 2.0),
        (figures.two.median(), two_colour, 11.0),
    ];
    for (nanos, colour, down) in pair {
        if nanos.is_nan() {
            continue;
        }
        let length = position(nanos) - LEFT;
        let _ = writeln!(
            body,
            "<rect x=\"{LEFT}\" y=\"{:.1}\" width=\"{length:.1}\" height=\"9\" fill=\"{colour}\"/>",
            y + down
        );
        text(
            body,
            LEFT + length + 4.0,
            y + down + 8.0,
            "font-size=\"9\" fill=\"#444\"",
            &figure(nanos),
        );
    }
}

/// A line across the panel, with its name below.
fn mark(body: &mut String, nanos: f64, (from, to): (f64, f64), stroke: &str, name: &str) {
    if nanos.is_nan() {
        return;
    }
    let x = position(nanos);
    let _ = writeln!(
        body,
        "<line x1=\"{x:.1}\" y1=\"{from:.1}\" x2=\"{x:.1}\" y2=\"{to:.1}\" {stroke}/>"
    );
    // The letters above, the numbers below, as they may be close to each other.
    let y = if name.ends_with("ns") {
        to + 11.0
    } else {
        from - 3.0
    };
    text(
        body,
        x,
        y,
        "text-anchor=\"middle\" font-size=\"9\" fill=\"#666\"",
        name,
    );
}

fn position(nanos: f64) -> f64 {
    let share = (nanos / LEAST).ln() / (MOST / LEAST).ln();
    LEFT + share.clamp(0.0, 1.0) * LENGTH
}

fn text(picture: &mut String, x: f64, y: f64, style: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        picture,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" {style}>{words}</text>"
    );
}
