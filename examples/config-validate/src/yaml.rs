//! YAML 1.2: events of a parser, made into values by the core schema.
//!
//! JSON has no aliases, so they are written out, and what that makes is bounded: a few lines of YAML can stand for
//! billions of values.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Number, Value};

use crate::document::{DEPTH_MAX, Document, Inside, Malformed, Place, SIZE_MAX, Spot};

/// A value that can be written out again under an alias.
#[derive(Clone)]
struct Anchored {
    document: Document,
    size: usize,
    depth: usize,
}

/// A scalar as it is written.
struct Scalar<'e> {
    text: &'e str,
    style: ScalarStyle,
    tag: Option<&'e Tag>,
}

/// A sequence or a mapping that is not closed yet.
struct Open {
    anchor: usize,
    place: Place,
    size: usize,
    depth: usize,
    kind: Kind,
}

enum Kind {
    Sequence(Vec<Document>),
    Mapping { members: Vec<(String, Place, Document)>, names: HashSet<String>, name: Option<(String, Place)> },
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    size: usize,
    root: Option<Document>,
}

/// Reads a text.
pub(crate) fn parse(text: &str) -> Result<Document, Malformed> {
    let mut builder = Builder::default();
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| Malformed::new(error.info(), place(error.marker().line(), error.marker().col())))?;
        let at = place(span.start.line(), span.start.col());
        if matches!(event, Event::DocumentStart(_)) {
            documents += 1;
            if documents > 1 {
                return Err(Malformed::new("there is a second document; send one", at));
            }
        }
        builder.take(event, at)?;
    }
    builder.root.ok_or_else(|| Malformed::new("there is no document", place(1, 0)))
}

/// The parser counts lines from 1 and columns from 0.
fn place(line: usize, column: usize) -> Place {
    Place { line: line.max(1), column: column + 1 }
}

impl Builder {
    fn take(&mut self, event: Event<'_>, at: Place) -> Result<(), Malformed> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(&Scalar { text: &text, style, tag: tag.as_deref() }, anchor, at)
            }
            Event::SequenceStart(anchor, tag) => {
                check_tag(tag.as_deref(), "seq", at)?;
                self.start(anchor, Kind::Sequence(Vec::new()), at)
            }
            Event::MappingStart(anchor, tag) => {
                check_tag(tag.as_deref(), "map", at)?;
                self.start(anchor, Kind::Mapping { members: Vec::new(), names: HashSet::new(), name: None }, at)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(at),
            Event::Alias(anchor) => self.alias(anchor, at),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
        }
    }

    fn scalar(&mut self, scalar: &Scalar<'_>, anchor: usize, at: Place) -> Result<(), Malformed> {
        let text = scalar.text;
        if let Some(Open { kind: Kind::Mapping { name: name @ None, names, .. }, .. }) = self.open.last_mut() {
            // A name is a text in JSON, whatever it would be as a value.
            if !names.insert(text.to_owned()) {
                return Err(Malformed::new(format!("{text:?} stands here twice"), at));
            }
            *name = Some((text.to_owned(), at));
            let document = Document { value: Value::String(text.to_owned()), spot: nothing(at) };
            let size = self.charge(1 + text.len() / 16, at)?;
            self.keep(anchor, Anchored { document, size, depth: 0 });
            return Ok(());
        }
        let value = resolve(scalar, at)?;
        let size = self.charge(1 + text.len() / 16, at)?;
        self.add(anchor, Anchored { document: Document { value, spot: nothing(at) }, size, depth: 0 }, at)
    }

    /// Adds to what the document has become; refuses one that becomes too large.
    fn charge(&mut self, size: usize, at: Place) -> Result<usize, Malformed> {
        self.size += size;
        if self.size > SIZE_MAX {
            return Err(Malformed::new("the document becomes too large once its aliases are written out", at));
        }
        Ok(size)
    }

    fn start(&mut self, anchor: usize, kind: Kind, at: Place) -> Result<(), Malformed> {
        if let Some(Open { kind: Kind::Mapping { name: None, .. }, .. }) = self.open.last() {
            return Err(Malformed::new("a name has to be a text here, not a sequence or a mapping", at));
        }
        self.check_depth(0, at)?;
        let size = self.charge(1, at)?;
        self.open.push(Open { anchor, place: at, size, depth: 0, kind });
        Ok(())
    }

    fn check_depth(&self, below: usize, at: Place) -> Result<(), Malformed> {
        if self.open.len() + below > DEPTH_MAX {
            return Err(Malformed::new(format!("nested deeper than {DEPTH_MAX}"), at));
        }
        Ok(())
    }

    fn end(&mut self, at: Place) -> Result<(), Malformed> {
        // The parser closes only what it has opened.
        let Some(open) = self.open.pop() else { return Ok(()) };
        let document = match open.kind {
            Kind::Sequence(items) => {
                let (values, spots) = items.into_iter().map(|item| (item.value, item.spot)).unzip();
                let spot = Spot { place: open.place, inside: Inside::Items(spots) };
                Document { value: Value::Array(values), spot }
            }
            Kind::Mapping { members, .. } => {
                let mut values = Map::new();
                let mut spots = Vec::with_capacity(members.len());
                for (name, place, member) in members {
                    spots.push((name.clone(), place, member.spot));
                    values.insert(name, member.value);
                }
                let spot = Spot { place: open.place, inside: Inside::Members(spots) };
                Document { value: Value::Object(values), spot }
            }
        };
        self.add(open.anchor, Anchored { document, size: open.size, depth: open.depth + 1 }, at)
    }

    fn alias(&mut self, anchor: usize, at: Place) -> Result<(), Malformed> {
        // An alias inside its own anchor is not closed yet, and so not known yet.
        let Some(found) = self.anchors.get(&anchor) else {
            return Err(Malformed::new("an alias stands inside what it names", at));
        };
        let (size, depth) = (found.size, found.depth);
        self.charge(size, at)?;
        self.check_depth(depth, at)?;
        if let Some(Open { kind: Kind::Mapping { name: None, .. }, .. }) = self.open.last() {
            return Err(Malformed::new("a name has to be written out here", at));
        }
        let copy = self.anchors.get(&anchor).cloned();
        copy.map_or(Ok(()), |copy| self.add(0, copy, at))
    }

    fn keep(&mut self, anchor: usize, anchored: Anchored) {
        if anchor > 0 {
            self.anchors.insert(anchor, anchored);
        }
    }

    fn add(&mut self, anchor: usize, added: Anchored, at: Place) -> Result<(), Malformed> {
        if anchor > 0 {
            // The copy that is kept takes as much room as the original.
            self.charge(added.size, at)?;
            self.keep(anchor, added.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(added.document);
            return Ok(());
        };
        open.size += added.size;
        open.depth = open.depth.max(added.depth);
        match &mut open.kind {
            Kind::Sequence(items) => items.push(added.document),
            Kind::Mapping { members, name, .. } => {
                if let Some((name, place)) = name.take() {
                    members.push((name, place, added.document));
                }
            }
        }
        Ok(())
    }
}

fn nothing(place: Place) -> Spot {
    Spot { place, inside: Inside::Nothing }
}

fn check_tag(tag: Option<&Tag>, kind: &str, at: Place) -> Result<(), Malformed> {
    match tag {
        Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == kind) => Err(unknown_tag(tag, at)),
        _ => Ok(()),
    }
}

fn unknown_tag(tag: &Tag, at: Place) -> Malformed {
    Malformed::new(format!("the tag {:?} means nothing here", tag.suffix), at)
}

/// A plain scalar's value by the core schema (YAML 1.2.2, 10.3.2). Quoted ones are text.
fn resolve(scalar: &Scalar<'_>, at: Place) -> Result<Value, Malformed> {
    let Scalar { text, style, tag } = *scalar;
    let forced = match tag {
        None => None,
        Some(tag) if tag.is_yaml_core_schema() => Some(tag.suffix.as_str()),
        Some(tag) => return Err(unknown_tag(tag, at)),
    };
    if forced == Some("str") || (forced.is_none() && style != ScalarStyle::Plain) {
        return Ok(Value::String(text.to_owned()));
    }
    let value = match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text, at)?.unwrap_or_else(|| Value::String(text.to_owned())),
    };
    let fits = match (forced, &value) {
        (None, _)
        | (Some("null"), Value::Null)
        | (Some("bool"), Value::Bool(_))
        | (Some("float"), Value::Number(_)) => true,
        (Some("int"), Value::Number(number)) => !number.is_f64(),
        _ => false,
    };
    if fits { Ok(value) } else { Err(Malformed::new(format!("{text:?} does not fit its tag"), at)) }
}

fn number(text: &str, at: Place) -> Result<Option<Value>, Malformed> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(digits, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(Malformed::new(format!("JSON has no number {text}"), at));
    }
    let based = [("0x", 16), ("0o", 8)].into_iter().find_map(|(prefix, base)| Some((text.strip_prefix(prefix)?, base)));
    if let Some((digits, base)) = based {
        let signed = digits.starts_with(['-', '+']);
        return Ok(u64::from_str_radix(digits, base).ok().filter(|_| !signed).map(Value::from));
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let text = text.strip_prefix('+').unwrap_or(text);
        if let Ok(whole) = text.parse::<i64>() {
            return Ok(Some(whole.into()));
        }
        if let Ok(whole) = text.parse::<u64>() {
            return Ok(Some(whole.into()));
        }
    }
    let shape = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'-' | b'+');
    let is_number = digits.starts_with(|first: char| first == '.' || first.is_ascii_digit())
        && digits.bytes().any(|byte| byte.is_ascii_digit())
        && digits.bytes().all(shape);
    let parsed = is_number.then(|| text.parse::<f64>().ok()).flatten();
    Ok(parsed.and_then(Number::from_f64).map(Value::Number))
}
