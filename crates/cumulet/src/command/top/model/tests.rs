use cumulet_spec::api::LiveView;

use super::*;
use crate::command::top::fixture::{app, busy, seen, view};

/// Keys as a text: letters are themselves, others have names in angle brackets.
fn keys(text: &str) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        let (key, after) = match named {
            Some(("up", after)) => (Key::Up, after),
            Some(("down", after)) => (Key::Down, after),
            Some(("pgup", after)) => (Key::PageUp, after),
            Some(("pgdn", after)) => (Key::PageDown, after),
            Some(("home", after)) => (Key::Home, after),
            Some(("end", after)) => (Key::End, after),
            Some(("enter", after)) => (Key::Enter, after),
            Some(("esc", after)) => (Key::Escape, after),
            Some(("erase", after)) => (Key::Erase, after),
            Some(("ctrl-c", after)) => (Key::Interrupt, after),
            _ => (Key::Letter(letter), &rest[1..]),
        };
        keys.push(key);
        rest = after;
    }
    keys
}

fn after(mut model: Model, text: &str) -> Model {
    for key in keys(text) {
        model.on(Event::Typed(key));
    }
    model
}

fn names(model: &Model) -> Vec<String> {
    model.rows().0.iter().map(|row| row.id.app.to_string()).collect()
}

#[test]
fn keys_lead_somewhere() {
    let check = |text: &str, mode: &str, chosen: Option<&str>, first: usize| {
        let model = after(busy(40, 3), text);
        let now = match model.mode() {
            Mode::List => "list".to_owned(),
            Mode::Typing => "typing".to_owned(),
            Mode::Help => "help".to_owned(),
            Mode::One(id) => id.app.to_string(),
        };
        let now = if model.is_over() { "over".to_owned() } else { now };
        let name = model.place().map(|place| names(&model)[place].clone());
        assert_eq!((now.as_str(), name.as_deref(), model.rows().1), (mode, chosen, first), "{text}");
    };
    check("", "list", None, 0);
    check("q", "over", None, 0);
    check("<esc>", "over", None, 0);
    check("<ctrl-c>", "over", None, 0);
    check("?", "help", None, 0);
    check("??", "list", None, 0);
    check("?<esc>", "list", None, 0);
    check("?q", "over", None, 0);
    check("<enter>", "app-00", Some("app-00"), 0);
    check("<enter><esc>", "list", Some("app-00"), 0);
    check("<enter>q", "over", Some("app-00"), 0);
    check("<down>", "list", Some("app-00"), 0);
    check("<down><down><down><up>", "list", Some("app-01"), 0);
    check("<down><down><enter>", "app-01", Some("app-01"), 0);
    check("<end>", "list", Some("app-39"), 20);
    check("<end><down>", "list", Some("app-39"), 20);
    check("<end><home>", "list", Some("app-00"), 0);
    check("<pgdn>", "list", Some("app-20"), 1);
    check("<pgdn><pgdn><pgup>", "list", Some("app-19"), 19);
    check("/", "typing", None, 0);
    check("/q", "typing", None, 0);
    check("/<ctrl-c>", "over", None, 0);
    check("/3<down>", "typing", Some("app-03"), 0);
    check("/3<enter><enter>", "app-03", Some("app-03"), 0);
    // What is not listed is not chosen.
    check("<down>/9", "typing", None, 0);
    check("<down>/9<esc>", "list", None, 0);
}

#[test]
fn filters_narrow_the_list() {
    let check = |text: &str, filter: &str, listed: usize| {
        let model = after(busy(40, 3), text);
        assert_eq!((model.filter(), model.rows().0.len()), (filter, listed), "{text}");
    };
    check("/", "", 40);
    check("/app-1", "app-1", 10);
    check("/acme/app-1", "acme/app-1", 10);
    check("/xyz", "xyz", 0);
    check("/app-1<erase>", "app-", 40);
    check("/app-1<enter>", "app-1", 10);
    check("/app-1<esc>", "", 40);
    check("/app-1<enter><esc>", "", 40);
    check("/<erase>", "", 40);
    let long = "a".repeat(1_000);
    check(&format!("/{long}"), &"a".repeat(FILTER_MAX), 0);
}

#[test]
fn letters_sort() {
    let apps = |seconds: u64, scale: u64| {
        let mut first = app("first", 100 * scale, 50);
        first.memory_peak_bytes = 7;
        let mut second = app("second", 10 * scale, 900);
        (second.cold_starts, second.errors) = (9, 0);
        let mut third = app("third", 50 * scale, 1);
        // It answers nothing quickly.
        third.latency.rotate_right(6);
        view(seconds, vec![first, second, third])
    };
    let check = |text: &str, expect: [&str; 3]| {
        let model = after(seen(vec![apps(1, 10), apps(2, 20)]), text);
        assert_eq!(names(&model), expect, "{text}");
    };
    check("", ["second", "first", "third"]);
    check("r", ["third", "first", "second"]);
    check("rr", ["second", "first", "third"]);
    check("n", ["first", "third", "second"]);
    check("p", ["third", "first", "second"]);
    check("m", ["second", "third", "first"]);
    check("c", ["second", "first", "third"]);
    check("f", ["first", "third", "second"]);
    check("a", ["first", "second", "third"]);
    check("ar", ["third", "second", "first"]);
    // Another key begins with its own order; letters without a meaning change nothing.
    check("arn", ["first", "third", "second"]);
    check("xyz", ["second", "first", "third"]);
}

#[test]
fn the_chosen_app_stays_chosen_while_the_order_changes() {
    let at = |second: u64, busy: u64| {
        let apps =
            (0..30).map(|place| app(&format!("app-{place:02}"), 100 + second * if place == busy { 9 } else { 1 }, 100));
        view(second, apps.collect())
    };
    let mut model = after(seen(vec![at(1, 29), at(2, 29)]), "<down>");
    assert_eq!((model.place(), names(&model)[0].as_str()), (Some(0), "app-29"));
    model.on(Event::Looked(Ok(at(60, 3))));
    assert!(names(&model)[model.place().unwrap()] == "app-29" && model.place() != Some(0));
    let (_, first) = model.rows();
    assert!((first..first + 20).contains(&model.place().unwrap()), "and in sight");
    // The node has forgotten of it.
    model.on(Event::Looked(Ok(view(61, vec![app("other", 1, 1)]))));
    assert_eq!((model.place(), model.rows().1), (None, 0));
}

#[test]
fn rates_are_of_the_last_seconds() {
    let rates = |views: Vec<LiveView>| {
        let model = seen(views);
        model.rows().0.iter().map(|row| row.rates.as_ref().map(|rates| rates.requests_milli)).collect::<Vec<_>>()
    };
    let check = |views: Vec<LiveView>, expect: &[Option<u64>]| assert_eq!(rates(views), expect);
    let one = |second: u64, requests: u64| view(second, vec![app("one", requests, 1)]);
    check(vec![one(1, 10)], &[None]);
    check(vec![one(1, 10), one(2, 30)], &[Some(20_000)]);
    check(vec![one(1, 10), one(2, 30), one(3, 30)], &[Some(10_000)]);
    // What is longer ago than the window does not count.
    check(vec![one(1, 1_000), one(2, 2_000), one(8, 2_000), one(9, 2_000)], &[Some(0)]);
    // A longer pause between two looks is the window.
    check(vec![one(1, 0), one(61, 600)], &[Some(10_000)]);
    // An app that ran for the first time between two looks.
    check(vec![view(1, vec![]), one(2, 5)], &[Some(5_000)]);
    // A node that was started anew, and one whose clock went back.
    let mut anew = one(3, 7);
    anew.started_us += 1;
    check(vec![one(1, 10), one(2, 30), anew], &[None]);
    check(vec![one(5, 10), one(4, 30)], &[None]);
    check(vec![one(5, 10), one(5, 30)], &[None]);
}

#[test]
fn trouble_is_told_until_it_is_over() {
    let mut model = busy(3, 3);
    model.on(Event::Looked(Err("connection refused".to_owned())));
    assert_eq!((model.trouble(), model.rows().0.len()), (Some("connection refused"), 3));
    model.on(Event::Looked(Ok(view(200, vec![]))));
    assert_eq!((model.trouble(), model.rows().0.len()), (None, 0));
}

#[test]
fn what_is_kept_has_bounds() {
    let model = busy(2, 500);
    assert!(model.rows().0.iter().all(|row| row.trend.len() == crate::command::top::history::TREND_MAX));
    let mut fast = busy(1, 2);
    for tick in 0..500 {
        let mut next = view(200, vec![app("one", tick, 1)]);
        next.at_us += tick;
        fast.on(Event::Looked(Ok(next)));
    }
    assert!(fast.history().elapsed_us().unwrap() < 100, "the window is shorter where looks are many");
}
