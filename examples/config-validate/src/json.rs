//! JSON: values by `serde_json`, places by a walk over the text that it has accepted.

use std::str::CharIndices;

use serde_json::Value;

use crate::document::{DEPTH_MAX, Document, Inside, Malformed, Place, Spot};

/// Reads a text.
pub(crate) fn parse(text: &str) -> Result<Document, Malformed> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        Malformed::new(message, Place { line: error.line(), column: error.column().max(1) })
    })?;
    let mut walk = Walk { text, rest: text.char_indices(), place: Place { line: 1, column: 1 } };
    Ok(Document { value, spot: walk.value(0)? })
}

/// A walk over JSON that is known to be well-formed. It looks for structure and skips the rest.
struct Walk<'t> {
    text: &'t str,
    rest: CharIndices<'t>,
    place: Place,
}

impl Walk<'_> {
    fn next(&mut self) -> Option<char> {
        let (_, letter) = self.rest.next()?;
        if letter == '\n' {
            self.place = Place { line: self.place.line + 1, column: 1 };
        } else {
            self.place.column += 1;
        }
        Some(letter)
    }

    fn peek(&self) -> Option<char> {
        self.rest.clone().next().map(|(_, letter)| letter)
    }

    fn skip(&mut self, skipped: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&skipped) {
            self.next();
        }
    }

    fn space(&mut self) {
        self.skip(|letter| letter.is_ascii_whitespace());
    }

    fn value(&mut self, depth: usize) -> Result<Spot, Malformed> {
        self.space();
        let place = self.place;
        if depth > DEPTH_MAX {
            return Err(Malformed::new(format!("nested deeper than {DEPTH_MAX}"), place));
        }
        let inside = match self.peek() {
            Some('{') => self.members(depth)?,
            Some('[') => self.items(depth)?,
            Some('"') => {
                self.text();
                Inside::Nothing
            }
            _ => {
                self.skip(|letter| !matches!(letter, ',' | ']' | '}') && !letter.is_ascii_whitespace());
                Inside::Nothing
            }
        };
        Ok(Spot { place, inside })
    }

    fn items(&mut self, depth: usize) -> Result<Inside, Malformed> {
        let mut items = Vec::new();
        self.next();
        self.space();
        while self.peek().is_some_and(|letter| letter != ']') {
            items.push(self.value(depth + 1)?);
            self.separator();
        }
        self.next();
        Ok(Inside::Items(items))
    }

    fn members(&mut self, depth: usize) -> Result<Inside, Malformed> {
        let mut members: Vec<(String, Place, Spot)> = Vec::new();
        let mut names = std::collections::HashSet::new();
        self.next();
        self.space();
        while self.peek().is_some_and(|letter| letter != '}') {
            let place = self.place;
            let name = self.text();
            if !names.insert(name.clone()) {
                return Err(Malformed::new(format!("{name:?} stands here twice"), place));
            }
            self.space();
            self.next();
            members.push((name, place, self.value(depth + 1)?));
            self.separator();
        }
        self.next();
        Ok(Inside::Members(members))
    }

    fn separator(&mut self) {
        self.space();
        if self.peek() == Some(',') {
            self.next();
        }
        self.space();
    }

    fn text(&mut self) -> String {
        let start = self.rest.offset();
        self.next();
        while let Some(letter) = self.next() {
            match letter {
                '\\' => drop(self.next()),
                '"' => break,
                _ => {}
            }
        }
        let quoted = self.text.get(start..self.rest.offset()).unwrap_or_default();
        serde_json::from_str(quoted).unwrap_or_default()
    }
}
