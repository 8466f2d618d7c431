//! The form of a component in a registry: the Wasm OCI artifact layout of the CNCF (TAG Runtime, version 0), which `wkg`,
//! wasmCloud and Spin read and write as well.
//!
//! A manifest names a configuration and one layer, the component's bytes as they are. What other tools wrote before that
//! layout is read too; it is never written.

use cumulet_spec::id::Digest;
use serde::{Deserialize, Serialize};

use crate::transfer::TransferErrorKind;

/// The largest manifest that is read, in bytes (OCI distribution specification).
pub(super) const MANIFEST_BYTES_MAX: u64 = 4 << 20;
/// The media type of manifests.
pub(super) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of lists of manifests.
const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
/// What a registry may answer with.
pub(super) const ACCEPTED: &str =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json;q=0.5";
/// The media type of the configuration.
pub(super) const CONFIG_TYPE: &str = "application/vnd.wasm.config.v0+json";
/// The media type of the component.
pub(super) const LAYER_TYPE: &str = "application/wasm";
/// What the component was called before.
const LAYER_TYPES_BEFORE: [&str; 2] =
    ["application/vnd.wasm.content.layer.v1+wasm", "application/vnd.module.wasm.content.layer.v1+wasm"];
/// The layout wants a time. With a fixed one the same bytes always make the same manifest.
const CREATED: &str = "1970-01-01T00:00:00Z";
/// The most media types or digests that an error names.
const NAMED_MAX: usize = 8;

/// What a component is, as it is told those who look at a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// A component, with the names of what it imports and exports.
    Component {
        /// Its imports.
        imports: Vec<String>,
        /// Its exports.
        exports: Vec<String>,
    },
    /// A core module.
    Module,
}

impl Shape {
    /// The configuration of an artifact with this layer.
    pub(super) fn config(&self, layer: Digest) -> String {
        let (os, component) = match self {
            Self::Component { imports, exports } => ("wasip2", Some(World { exports, imports })),
            Self::Module => ("wasip1", None),
        };
        let config =
            Config { created: CREATED, architecture: "wasm", os, layer_digests: [layer.to_string()], component };
        text_of(&config)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'a> {
    created: &'a str,
    architecture: &'a str,
    os: &'a str,
    layer_digests: [String; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<World<'a>>,
}

#[derive(Serialize)]
struct World<'a> {
    exports: &'a [String],
    imports: &'a [String],
}

/// A manifest, as far as we are concerned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    schema_version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
    /// Only in an index.
    #[serde(default, skip_serializing)]
    manifests: Vec<Descriptor>,
}

/// What a manifest says of a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub(super) media_type: String,
    pub(super) digest: Digest,
    pub(super) size: u64,
}

impl Descriptor {
    pub(super) fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self { media_type: media_type.to_owned(), digest: Digest::of(bytes), size: bytes.len() as u64 }
    }
}

impl Manifest {
    pub(super) fn of(config: Descriptor, layer: Descriptor) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(MANIFEST_TYPE.to_owned()),
            config: Some(config),
            layers: vec![layer],
            manifests: Vec::new(),
        }
    }

    pub(super) fn to_text(&self) -> String {
        text_of(self)
    }

    /// Reads the text of a manifest, whatever a registry called it.
    pub(crate) fn read(text: &[u8]) -> Result<Self, TransferErrorKind> {
        let nonsense = |text: String| TransferErrorKind::Nonsense(text);
        let manifest: Self = serde_json::from_slice(text).map_err(|error| nonsense(format!("no manifest, {error}")))?;
        let media_type = manifest.media_type.as_deref();
        if media_type == Some(INDEX_TYPE) || !manifest.manifests.is_empty() {
            let digests = list(manifest.manifests.iter().map(|one| one.digest.to_string()));
            return Err(TransferErrorKind::Several(digests));
        }
        if manifest.schema_version != 2 || media_type.is_some_and(|found| found != MANIFEST_TYPE) {
            let found = media_type.unwrap_or("no media type").escape_debug().to_string();
            return Err(nonsense(format!("a manifest of version {} ({found})", manifest.schema_version)));
        }
        Ok(manifest)
    }

    /// The one layer that is a component.
    pub(crate) fn component(&self) -> Result<Descriptor, TransferErrorKind> {
        let is_wasm = |layer: &&Descriptor| {
            let found = layer.media_type.as_str();
            found == LAYER_TYPE || LAYER_TYPES_BEFORE.contains(&found)
        };
        let mut layers = self.layers.iter().filter(is_wasm);
        match (layers.next(), layers.next()) {
            (Some(layer), None) => Ok(layer.clone()),
            (Some(_), Some(_)) => {
                let digests = list(self.layers.iter().filter(is_wasm).map(|layer| layer.digest.to_string()));
                Err(TransferErrorKind::Several(digests))
            }
            (None, _) => {
                let found = list(self.layers.iter().map(|layer| layer.media_type.escape_debug().to_string()));
                let found = if found.is_empty() { "no layer".to_owned() } else { found };
                Err(TransferErrorKind::NotWasm(format!("{found}, and {LAYER_TYPE} is wanted")))
            }
        }
    }
}

/// Whether bytes can be a manifest: neither form of WebAssembly begins like that.
pub(crate) fn is_manifest(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().first() == Some(&b'{')
}

fn list(found: impl Iterator<Item = String>) -> String {
    found.take(NAMED_MAX).collect::<Vec<_>>().join(", ")
}

fn text_of(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("names, numbers and lists can be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_written_form_stays() {
        let shape = Shape::Component {
            imports: vec!["wasi:http/types@0.2.3".to_owned()],
            exports: vec!["wasi:http/incoming-handler@0.2.3".to_owned()],
        };
        let layer = Descriptor::of(LAYER_TYPE, b"\0asm");
        let config = shape.config(layer.digest);
        let manifest = Manifest::of(Descriptor::of(CONFIG_TYPE, config.as_bytes()), layer.clone());
        let module = Shape::Module.config(layer.digest);
        insta::assert_snapshot!(format!("{config}\n{}\n{module}", manifest.to_text()));
        assert_eq!(Manifest::read(manifest.to_text().as_bytes()).unwrap().component().unwrap(), layer);
    }

    #[test]
    fn manifests_of_others() {
        let digest = Digest::of(b"");
        let layer = |media_type: &str| format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":0}}"#);
        let manifest = |layers: &str| format!(r#"{{"schemaVersion":2,"layers":[{layers}]}}"#);
        let index = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, layer(MANIFEST_TYPE));
        let [before, long_before] = LAYER_TYPES_BEFORE;
        let (wasm, text) = (layer(LAYER_TYPE), layer("text/plain"));
        let none = "it holds no WebAssembly: ";
        for (text, expect) in [
            (manifest(&wasm), None),
            (manifest(&layer(before)), None),
            (manifest(&layer(long_before)), None),
            (manifest(&format!("{text},{wasm}")), None),
            (manifest(""), Some(format!("{none}no layer, and application/wasm is wanted"))),
            (manifest(&text), Some(format!("{none}text/plain, and application/wasm is wanted"))),
            (
                manifest(&format!("{wasm},{wasm}")),
                Some(format!("it holds several, of which one is to be named by its digest: {digest}, {digest}")),
            ),
            (index, Some(format!("it holds several, of which one is to be named by its digest: {digest}"))),
            (
                r#"{"schemaVersion":1,"mediaType":"x"}"#.to_owned(),
                Some("the registry answers what it must not: a manifest of version 1 (x)".to_owned()),
            ),
        ] {
            let read = Manifest::read(text.as_bytes()).and_then(|manifest| manifest.component());
            assert_eq!(read.err().map(|error| error.to_string()), expect, "{text}");
        }
        for text in
            ["", "[]", "{}", r#"{"schemaVersion":2,"layers":[{"mediaType":"a","digest":"sha512:00","size":1}]}"#]
        {
            assert!(Manifest::read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
