//! The chain of trust as a drawing, once for wide pages and once for narrow ones. The style sheet shows one of them.

use super::escape::{Escaped, shortened};
use super::state::State;
use super::trust::{Chain, Link, Node, Register};
use std::fmt::{self, Formatter};

/// Width of the wide drawing, and of what names its rows.
const WIDE: f32 = 1080.0;
const MARGIN: f32 = 118.0;
/// Height of a node.
const HEIGHT: f32 = 78.0;
/// Between rows; within one, at least.
const ROW: f32 = 146.0;
const GAP: f32 = 58.0;
/// Width of the narrow drawing.
const NARROW: f32 = 340.0;
/// Width of characters of titles and of lines.
const TITLE: f32 = 7.7;
const LINE: f32 = 6.9;

/// Both drawings.
pub struct Drawing<'a>(pub &'a Chain);

impl fmt::Display for Drawing<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        wide(self.0, out)?;
        narrow(self.0, out)
    }
}

fn begin(out: &mut Formatter<'_>, class: &str, chain: &Chain, width: f32, height: f32) -> fmt::Result {
    let words = chain.words();
    write!(
        out,
        "<svg class=\"chain {class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">",
        Escaped(words)
    )
}

/// A place in a drawing.
#[derive(Clone, Copy)]
struct Spot {
    x: f32,
    y: f32,
    width: f32,
    height: f32,
}

impl Spot {
    fn middle(self) -> f32 {
        self.y + self.height / 2.0
    }

    fn centre(self) -> f32 {
        self.x + self.width / 2.0
    }
}

fn characters(width: f32, each: f32) -> usize {
    // As many as fit; widths are small and positive.
    (width / each).max(4.0) as usize
}

fn node(out: &mut Formatter<'_>, spot: Spot, node: &Node) -> fmt::Result {
    let Spot { x, y, width, height } = spot;
    let class = node.state.class();
    let inner = width - 26.0;
    write!(out, "<g class=\"node {class}\"><title>{}</title>", Escaped(format_args!("{}: {}", node.kind, node.whole)))?;
    write!(out, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"10\"/>")?;
    write!(
        out,
        "<rect class=\"edge\" x=\"{x}\" y=\"{}\" width=\"4\" height=\"{}\" rx=\"2\"/>",
        y + 12.0,
        height - 24.0
    )?;
    let left = x + 15.0;
    write!(
        out,
        "<text class=\"kind\" x=\"{left}\" y=\"{}\">{}</text>",
        y + 23.0,
        Escaped(shortened(node.kind, characters(inner - 16.0, 6.0)))
    )?;
    let title = shortened(&node.title, characters(inner, TITLE));
    write!(out, "<text class=\"title\" x=\"{left}\" y=\"{}\">{}</text>", y + 44.0, Escaped(title))?;
    let line = shortened(&node.line, characters(inner, LINE));
    write!(out, "<text class=\"detail\" x=\"{left}\" y=\"{}\">{}</text>", y + 63.0, Escaped(line))?;
    mark(out, node.state, x + width - 25.0, y + 10.0)?;
    out.write_str("</g>")
}

fn mark(out: &mut Formatter<'_>, state: State, x: f32, y: f32) -> fmt::Result {
    let class = state.class();
    write!(out, "<use class=\"{class}\" href=\"#{class}\" x=\"{x}\" y=\"{y}\" width=\"17\" height=\"17\"/>")
}

/// A line with an arrow's head at its end.
fn arrow(out: &mut Formatter<'_>, state: State, path: &str, head: (f32, f32), towards: (f32, f32)) -> fmt::Result {
    let class = state.class();
    let ((x, y), (dx, dy)) = (head, towards);
    let corner = |side: f32| (x - 8.0 * dx - 5.0 * side * dy, y - 8.0 * dy + 5.0 * side * dx);
    let ((ax, ay), (bx, by)) = (corner(1.0), corner(-1.0));
    write!(
        out,
        "<g class=\"link {class}\"><path d=\"{path}\"/><path class=\"head\" d=\"M{ax} {ay}L{x} {y}L{bx} {by}\"/></g>"
    )
}

fn label(out: &mut Formatter<'_>, x: f32, y: f32, anchor: &str, words: &str) -> fmt::Result {
    write!(out, "<text class=\"verb\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{}</text>", Escaped(words))
}

/// An arrow to the right between two nodes of a row, with its words above and its mark upon it.
fn right(out: &mut Formatter<'_>, from: Spot, to: Spot, link: &Link) -> fmt::Result {
    let (x, y, end) = (from.x + from.width + 4.0, from.middle(), to.x - 5.0);
    arrow(out, link.state, &format!("M{x} {y}H{end}"), (end, y), (1.0, 0.0))?;
    let centre = f32::midpoint(x, end);
    mark(out, link.state, centre - 10.5, y - 8.5)?;
    let mut words = link.verb.split(' ');
    // Words that need more room than there is stand on two lines.
    let (first, rest) = (words.next().unwrap_or_default(), words.collect::<Vec<_>>().join(" "));
    if rest.is_empty() {
        label(out, centre, y - 14.0, "middle", first)
    } else {
        label(out, centre, y - 14.0, "middle", first)?;
        label(out, centre, y + 24.0, "middle", &rest)
    }
}

/// An arrow from the bottom of a node to the top of one in the next row.
fn down(out: &mut Formatter<'_>, from: Spot, to: Spot, link: &Link) -> fmt::Result {
    let (x, y, end, bottom) = (from.centre(), from.y + from.height + 4.0, to.centre(), to.y - 5.0);
    let turn = f32::midpoint(y, bottom);
    let path = if (end - x).abs() < 24.0 {
        format!("M{end} {y}V{bottom}")
    } else {
        let side = if end < x { -12.0 } else { 12.0 };
        format!(
            "M{x} {y}V{}Q{x} {turn} {} {turn}H{}Q{end} {turn} {end} {}V{bottom}",
            turn - 12.0,
            x + side,
            end - side,
            turn + 12.0
        )
    };
    arrow(out, link.state, &path, (end, bottom), (0.0, 1.0))?;
    let at = if (end - x).abs() < 24.0 { end } else { f32::midpoint(x, end) };
    mark(out, link.state, at - 8.5, turn - 8.5)?;
    label(out, at + 14.0, turn - 6.0, "start", link.verb)
}

/// The places of so many nodes side by side.
fn row(count: usize, y: f32, widest: f32) -> Vec<Spot> {
    let count_f = count.max(1) as f32;
    let gap = if count > 4 { 44.0 } else { GAP };
    let room = WIDE - MARGIN - 10.0;
    let width = ((room - gap * (count_f - 1.0)) / count_f).min(widest);
    let gap = if count > 1 { ((room - width * count_f) / (count_f - 1.0)).min(120.0) } else { 0.0 };
    (0..count).map(|index| Spot { x: MARGIN + index as f32 * (width + gap), y, width, height: HEIGHT }).collect()
}

fn wide(chain: &Chain, out: &mut Formatter<'_>) -> fmt::Result {
    let height = 2.0 * ROW + HEIGHT + 40.0;
    begin(out, "wide", chain, WIDE, height)?;
    let rows = [("Endorsed", "by its maker"), ("Attested", "by the machine"), ("Measured", "as it started")];
    for (index, (first, second)) in rows.into_iter().enumerate() {
        let y = 18.0 + index as f32 * ROW;
        write!(out, "<text class=\"row\" x=\"4\" y=\"{}\">{first}</text>", y + 35.0)?;
        write!(out, "<text class=\"verb\" x=\"4\" y=\"{}\">{second}</text>", y + 54.0)?;
    }
    mark(out, chain.revocation, 4.0, 81.0)?;
    write!(out, "<text class=\"verb\" x=\"25\" y=\"94\">revocation</text>")?;
    let places = row(chain.endorsed.len(), 18.0, 250.0);
    for (index, ((link, it), spot)) in chain.endorsed.iter().zip(&places).enumerate() {
        node(out, *spot, it)?;
        if let (Some(link), Some(before)) = (link, index.checked_sub(1).and_then(|before| places.get(before))) {
            right(out, *before, *spot, link)?;
        }
    }
    let mut before = places.last().copied();
    let attested = row(chain.attested.len(), 18.0 + ROW, 230.0);
    for (index, ((link, it), spot)) in chain.attested.iter().zip(&attested).enumerate() {
        node(out, *spot, it)?;
        match before {
            Some(before) if index == 0 => down(out, before, *spot, link)?,
            Some(before) => right(out, before, *spot, link)?,
            None => {}
        }
        before = Some(*spot);
    }
    measured(chain, before, 18.0 + 2.0 * ROW, out)?;
    out.write_str("</svg>\n")
}

fn measured(chain: &Chain, token: Option<Spot>, y: f32, out: &mut Formatter<'_>) -> fmt::Result {
    let log = Spot { x: MARGIN, y, width: 196.0, height: HEIGHT };
    node(out, log, &chain.log.0)?;
    let left = MARGIN + 196.0 + GAP + 24.0;
    let group = Spot { x: left, y: y - 8.0, width: WIDE - 10.0 - left, height: HEIGHT + 16.0 };
    write!(
        out,
        "<rect class=\"group\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"14\"/>",
        group.x, group.y, group.width, group.height
    )?;
    right(out, log, Spot { y, height: HEIGHT, ..group }, &chain.log.1)?;
    if let Some(token) = token {
        let to = Spot { x: group.x, ..group };
        let to = Spot { x: token.centre().clamp(to.x, to.x + to.width) - 1.0, width: 2.0, ..to };
        down(out, token, to, &Link { verb: "holds", state: token_state(chain) })?;
    }
    let count = chain.registers.len().max(1) as f32;
    let width = (group.width - 16.0 - 8.0 * (count - 1.0)) / count;
    for (index, it) in chain.registers.iter().enumerate() {
        let spot = Spot { x: group.x + 8.0 + index as f32 * (width + 8.0), y, width, height: HEIGHT };
        register(out, spot, it)?;
    }
    Ok(())
}

fn token_state(chain: &Chain) -> State {
    chain.attested.last().map_or(State::Undone, |(link, _)| link.state)
}

fn register(out: &mut Formatter<'_>, spot: Spot, it: &Register) -> fmt::Result {
    let Spot { x, y, width, height } = spot;
    write!(
        out,
        "<g class=\"node {}\"><title>{}</title>",
        it.state.class(),
        Escaped(format_args!("{} {}", it.name, it.value))
    )?;
    write!(out, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>")?;
    write!(out, "<text class=\"title\" x=\"{}\" y=\"{}\">{}</text>", x + 12.0, y + 24.0, Escaped(&it.name))?;
    let most = characters(width - 22.0, 7.4);
    write!(
        out,
        "<text class=\"detail mono\" x=\"{}\" y=\"{}\">{}</text>",
        x + 12.0,
        y + 46.0,
        Escaped(shortened(&it.value, most))
    )?;
    if height > 60.0 {
        write!(out, "<text class=\"verb\" x=\"{}\" y=\"{}\">{}</text>", x + 12.0, y + 65.0, compared(it.state))?;
    }
    mark(out, it.state, x + width - 25.0, y + 10.0)?;
    out.write_str("</g>")
}

const fn compared(state: State) -> &'static str {
    match state {
        State::Apart => "no object",
        State::Held => "as expected",
        State::Undone => "not compared",
        State::Weak => "a warning",
        State::Failed => "differs",
    }
}

fn narrow(chain: &Chain, out: &mut Formatter<'_>) -> fmt::Result {
    const STEP: f32 = 118.0;
    let nodes = chain.endorsed.len() + chain.attested.len();
    let above = nodes as f32 * STEP;
    let registers = chain.registers.len() as f32 * 68.0;
    let height = above + registers + 30.0 + 44.0 + HEIGHT + 4.0;
    begin(out, "narrow", chain, NARROW, height)?;
    let spot = |index: usize| Spot { x: 2.0, y: 2.0 + index as f32 * STEP, width: NARROW - 4.0, height: HEIGHT };
    let endorsed = chain.endorsed.iter().map(|(link, it)| (link.as_ref(), it));
    let attested = chain.attested.iter().map(|(link, it)| (Some(link), it));
    for (index, (link, it)) in endorsed.chain(attested).enumerate() {
        node(out, spot(index), it)?;
        if let (Some(link), Some(before)) = (link, index.checked_sub(1)) {
            down(out, spot(before), spot(index), link)?;
        }
    }
    let group = Spot { x: 2.0, y: 2.0 + above, width: NARROW - 4.0, height: registers + 12.0 };
    if let Some(before) = nodes.checked_sub(1) {
        down(out, spot(before), group, &Link { verb: "holds", state: token_state(chain) })?;
    }
    write!(
        out,
        "<rect class=\"group\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"14\"/>",
        group.x, group.y, group.width, group.height
    )?;
    for (index, it) in chain.registers.iter().enumerate() {
        let y = group.y + 10.0 + index as f32 * 68.0;
        register(out, Spot { x: 12.0, y, width: NARROW - 24.0, height: 60.0 }, it)?;
    }
    let log = Spot { x: 2.0, y: group.y + group.height + 40.0, width: NARROW - 4.0, height: HEIGHT };
    node(out, log, &chain.log.0)?;
    let (x, from, to) = (NARROW / 2.0, log.y - 4.0, group.y + group.height + 5.0);
    arrow(out, chain.log.1.state, &format!("M{x} {from}V{to}"), (x, to), (0.0, -1.0))?;
    mark(out, chain.log.1.state, x - 8.5, f32::midpoint(from, to) - 8.5)?;
    label(out, x + 14.0, f32::midpoint(from, to) + 4.0, "start", chain.log.1.verb)?;
    out.write_str("</svg>\n")
}
