use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;

use super::*;
use crate::command::top::fixture::{app, busy, seen, view};
use crate::command::top::key::Key;
use crate::command::top::model::Event;

fn drawn(model: &mut Model, theme: Theme, (width, height): (u16, u16)) -> Terminal<TestBackend> {
    model.on(Event::Sized(width, height));
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, model, theme)).unwrap();
    terminal
}

fn text(model: &mut Model, size: (u16, u16)) -> String {
    drawn(model, Theme::Colored, size).backend().to_string()
}

fn typed(mut model: Model, keys: &[Key]) -> Model {
    keys.iter().for_each(|key| model.on(Event::Typed(*key)));
    model
}

const SIZES: [(u16, u16); 3] = [(80, 24), (40, 10), (120, 40)];

/// Everything that can be on a terminal, by the name of its snapshot.
fn scenes() -> Vec<(&'static str, Model)> {
    let mut unreachable = busy(3, 4);
    unreachable.on(Event::Looked(Err("connection refused (os error 111)".to_owned())));
    let mut tenant = view(7, vec![app("shop", 12, 400)]);
    tenant.node = None;
    let shown = [Key::Down, Key::Enter];
    let filter = "/app-1".chars().map(Key::Letter).collect::<Vec<_>>();
    vec![
        ("no_apps", seen(vec![view(1, vec![]), view(2, vec![])])),
        ("first_look", seen(vec![tenant])),
        ("many_apps", typed(busy(60, 8), &[Key::Down, Key::Down])),
        ("end_of_many", typed(busy(60, 8), &[Key::Letter('a'), Key::Letter('r'), Key::End])),
        ("unreachable", unreachable),
        ("one_app", typed(busy(3, 30), &shown)),
        (
            "one_quiet_app",
            typed(seen(vec![view(1, vec![app("quiet", 0, 0)]), view(2, vec![app("quiet", 0, 0)])]), &shown),
        ),
        ("typing", typed(busy(60, 3), &filter)),
        ("help", typed(busy(3, 3), &[Key::Letter('?')])),
    ]
}

#[test]
fn looks() {
    for (name, mut model) in scenes() {
        for (width, height) in SIZES {
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), text(&mut model, (width, height)));
        }
    }
}

#[test]
fn no_size_is_too_small_or_too_large() {
    for (_, mut model) in scenes() {
        for width in (0..60).chain([79, 80, 99, 100, 139, 140, 300]) {
            for height in (0..12).chain([24, 100]) {
                drawn(&mut model, Theme::Plain, (width, height));
            }
        }
    }
}

#[test]
fn colours_are_left_out_where_they_are_not_wanted() {
    let colours = |buffer: &Buffer| {
        buffer.content().iter().filter(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset).count()
    };
    for (name, mut model) in scenes() {
        assert_eq!(colours(drawn(&mut model, Theme::Plain, (120, 40)).backend().buffer()), 0, "{name}");
    }
    let mut model = typed(busy(3, 3), &[Key::Down]);
    assert!(colours(drawn(&mut model, Theme::Colored, (80, 24)).backend().buffer()) > 0);
}

#[test]
fn nothing_that_a_node_says_moves_the_cursor() {
    let hostile = "\u{1b}[2J\u{202e}\r\n\u{9b}31m漢";
    let mut app = app("shop", 100, 100);
    app.revisions[0].revision = hostile.to_owned();
    app.outcomes.insert(hostile.to_owned(), 1_000);
    let mut model = typed(seen(vec![view(1, vec![app.clone()]), view(2, vec![app])]), &[Key::Enter]);
    let check = |model: &mut Model| {
        let terminal = drawn(model, Theme::Colored, (120, 40));
        let cells = terminal.backend().buffer().content();
        let ours = |char: char| char.is_ascii_graphic() || " µ·≤▁▂▃▄▅▆▇█▲▼…".contains(char);
        let wrong: Vec<&str> =
            cells.iter().map(|cell| cell.symbol()).filter(|symbol| !symbol.chars().all(ours)).collect();
        assert_eq!(wrong, [] as [&str; 0]);
    };
    check(&mut model);
    model.on(Event::Looked(Err(hostile.to_owned())));
    check(&mut model);
}
