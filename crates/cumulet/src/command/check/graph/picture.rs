//! The graph as an SVG: triggers on the left, then components in columns, each as far right as its longest way from a
//! trigger.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cumulet_spec::id::ComponentName;
use cumulet_spec::manifest::Manifest;

use super::{grants, trigger};

/// Lengths, in the picture's units.
const BOX_WIDTH: usize = 220;
const COLUMN_WIDTH: usize = 400;
const LINE_HEIGHT: usize = 18;
const HEAD_HEIGHT: usize = 34;
const GAP: usize = 24;
const MARGIN: usize = 16;
/// The longest title and the longest line of a box, in characters.
const TITLE_CHARS_MAX: usize = 26;
const LINE_CHARS_MAX: usize = 34;

/// Light, and dark where the reader's screen is: the colours of the node's page.
const STYLE: &str = "text{font:13px ui-sans-serif,system-ui,sans-serif;fill:#1c2430}.name{font-weight:600}\
.small{font-size:11px;fill:#5b6675}rect{fill:#fff;stroke:#c9d1dc}.way{fill:#eef2f7}path{fill:none;stroke:#7a8798;stroke-width:1.5}\
@media(prefers-color-scheme:dark){text{fill:#e6ebf2}.small{fill:#9aa6b5}rect{fill:#161c26;stroke:#3a4556}.way{fill:#202938}path{stroke:#8794a6}}";

/// A box of the picture.
struct Node {
    title: String,
    lines: Vec<String>,
    class: &'static str,
    column: usize,
    y: usize,
}

impl Node {
    fn height(&self) -> usize {
        HEAD_HEIGHT + self.lines.len() * LINE_HEIGHT
    }

    fn x(&self) -> usize {
        MARGIN + self.column * COLUMN_WIDTH
    }
}

pub(super) fn svg(manifest: &Manifest) -> String {
    let mut nodes = Vec::new();
    for route in &manifest.http {
        nodes.push(Node { title: trigger(route), lines: Vec::new(), class: "way", column: 0, y: 0 });
    }
    let columns = columns(manifest);
    let mut places = BTreeMap::new();
    for (name, component) in &manifest.components {
        places.insert(name, nodes.len());
        let column = columns.get(name).copied().unwrap_or(1);
        nodes.push(Node { title: name.to_string(), lines: grants(component), class: "component", column, y: 0 });
    }
    let ends = place(&mut nodes);
    let width = ends.keys().max().copied().unwrap_or_default() * COLUMN_WIDTH + BOX_WIDTH + 2 * MARGIN;
    // Room for the ways that lead below everything.
    let height = ends.values().max().copied().unwrap_or(MARGIN) + GAP;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" aria-label=\"{}\">\n<style>{STYLE}</style>\n",
        escaped(manifest.app.name.as_str()),
    );
    let ways = manifest.http.iter().enumerate().map(|(from, route)| (from, &route.component, ""));
    let links = manifest.components.iter().flat_map(|(name, component)| {
        let from = places.get(name).copied().unwrap_or_default();
        component.link.iter().map(move |(import, target)| (from, target, import.as_str()))
    });
    for (from, target, label) in ways.chain(links) {
        if let (Some(from), Some(to)) = (nodes.get(from), places.get(target).and_then(|to| nodes.get(*to))) {
            edge(&mut text, (from, to), (label, &ends));
        }
    }
    nodes.iter().for_each(|node| boxed(&mut text, node));
    text.push_str("</svg>\n");
    text
}

/// The longest way to each component from a trigger; 1 for what none leads to. Links form no circle.
fn columns(manifest: &Manifest) -> BTreeMap<&ComponentName, usize> {
    let mut columns: BTreeMap<&ComponentName, usize> = manifest.components.keys().map(|name| (name, 1)).collect();
    // A way is no longer than there are components.
    for _ in 0..manifest.components.len() {
        for (name, component) in &manifest.components {
            let next = columns.get(name).map_or(1, |column| column + 1);
            for target in component.link.values() {
                columns.entry(target).and_modify(|column| *column = next.max(*column));
            }
        }
    }
    columns
}

/// Puts the boxes of each column below one another, and returns where each column ends.
fn place(nodes: &mut [Node]) -> BTreeMap<usize, usize> {
    let mut ends: BTreeMap<usize, usize> = BTreeMap::new();
    for node in nodes {
        let end = ends.entry(node.column).or_insert(MARGIN);
        node.y = *end;
        *end += node.height() + GAP;
    }
    ends
}

/// A way from one box to another. One that passes whole columns passes below their boxes.
fn edge(text: &mut String, (from, to): (&Node, &Node), (label, ends): (&str, &BTreeMap<usize, usize>)) {
    let (x1, y1) = (from.x() + BOX_WIDTH, from.y + HEAD_HEIGHT / 2);
    let (x2, y2) = (to.x(), to.y + HEAD_HEIGHT / 2);
    let (middle, straight) = ((x1 + x2) / 2, (y1 + y2) / 2);
    let passed = ends.iter().filter(|(column, _)| (from.column + 1..to.column).contains(column));
    let low = passed.map(|(_, end)| *end).max().unwrap_or(straight).max(straight);
    // A curve comes three quarters of the way towards the points that draw it.
    let bow = (low - straight) * 4 / 3;
    // Writing to a string cannot fail.
    let _ = writeln!(text, "<path d=\"M{x1} {y1}C{middle} {} {middle} {} {x2} {y2}\"/>", y1 + bow, y2 + bow);
    if !label.is_empty() {
        let (y, label) = (low - 4, escaped(&cut(label, LINE_CHARS_MAX)));
        let _ = writeln!(text, "<text class=\"small\" x=\"{middle}\" y=\"{y}\" text-anchor=\"middle\">{label}</text>");
    }
}

fn boxed(text: &mut String, node: &Node) {
    let (x, y, height) = (node.x(), node.y, node.height());
    let _ = writeln!(
        text,
        "<rect class=\"{}\" x=\"{x}\" y=\"{y}\" width=\"{BOX_WIDTH}\" height=\"{height}\" rx=\"8\"/>",
        node.class
    );
    let title = escaped(&cut(&node.title, TITLE_CHARS_MAX));
    let _ = writeln!(text, "<text class=\"name\" x=\"{}\" y=\"{}\">{title}</text>", x + 12, y + 22);
    for (place, line) in node.lines.iter().enumerate() {
        let (y, line) = (y + HEAD_HEIGHT + 6 + place * LINE_HEIGHT, escaped(&cut(line, LINE_CHARS_MAX)));
        let _ = writeln!(text, "<text class=\"small\" x=\"{}\" y=\"{y}\">{line}</text>", x + 12);
    }
}

fn cut(line: &str, chars_max: usize) -> String {
    if line.chars().count() <= chars_max {
        return line.to_owned();
    }
    line.chars().take(chars_max - 1).chain(['…']).collect()
}

/// Text of a manifest never becomes markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
