//! What apps are made from: one component, of which every app gets bytes of its own.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// The name of the custom section that makes a component different.
const SECTION: &str = "cumulet-bench";
/// The smallest component that answers.
const SMALL: &str = include_str!("../../../tests/guests/wat/small.wat");

/// A component that apps are made from.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    /// What its apps' names begin with.
    pub(crate) name: String,
    /// What its apps are asked.
    pub(crate) path: String,
    /// What they answer.
    pub(crate) expect: Vec<u8>,
    bytes: Vec<u8>,
    /// Tables of the manifest below `[component.main]`.
    tables: String,
}

impl Model {
    /// The smallest component that answers, which it does without a body.
    pub(crate) fn small() -> Result<Self> {
        let bytes = wat::parse_str(SMALL).context("the small component is not valid")?;
        Ok(Self { name: "small".into(), path: "/".into(), expect: Vec::new(), bytes, tables: String::new() })
    }

    /// A component in a file.
    pub(crate) fn read(name: &str, file: &Path, (path, expect): (&str, &[u8])) -> Result<Self> {
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        if bytes.get(4..8) != Some(&[0x0d, 0, 1, 0]) {
            bail!("{} is not a component", file.display());
        }
        Ok(Self { name: name.into(), path: path.into(), expect: expect.to_vec(), bytes, tables: String::new() })
    }

    /// The same with more in its manifest, as in `[component.main.limit]`.
    pub(crate) fn with(mut self, tables: &str) -> Self {
        self.tables.push_str(tables);
        self
    }

    /// Bytes of WebAssembly.
    pub(crate) fn length(&self) -> usize {
        self.bytes.len()
    }

    /// The component with a section at its end that no other number has: it means nothing, and changes the digest.
    pub(crate) fn distinct(&self, number: u64) -> Vec<u8> {
        let mut section = Vec::new();
        length(&mut section, SECTION.len());
        section.extend_from_slice(SECTION.as_bytes());
        section.extend_from_slice(&number.to_le_bytes());
        let mut bytes = self.bytes.clone();
        bytes.push(0);
        length(&mut bytes, section.len());
        bytes.extend_from_slice(&section);
        bytes
    }

    /// The manifest of an app whose component is in a file.
    pub(super) fn manifest(&self, app: &str, source: &Path) -> String {
        format!(
            "manifest = 1\n[app]\nname = \"{app}\"\n[component.main]\nsource = {:?}\n{}\n[[trigger.http]]\nroute = \"/*\"\ncomponent = \"main\"\n",
            source.to_string_lossy(),
            self.tables,
        )
    }
}

/// A length as WebAssembly writes it: seven bits a byte, the lowest first.
fn length(bytes: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or_default();
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_in_seven_bits() {
        let check = |value, expect: &[u8]| {
            let mut bytes = Vec::new();
            length(&mut bytes, value);
            assert_eq!(bytes, expect, "{value}");
        };
        check(0, &[0]);
        check(127, &[127]);
        check(128, &[0x80, 1]);
        check(300, &[0xac, 2]);
    }

    #[test]
    fn every_number_makes_another_component() {
        let small = Model::small().unwrap();
        let (one, two) = (small.distinct(1), small.distinct(2));
        assert!(one != two && one.len() == two.len());
        for bytes in [one, two] {
            assert_eq!(cumulet_engine::inspect(&bytes).unwrap().kind, cumulet_engine::Kind::HttpP2);
        }
    }
}
