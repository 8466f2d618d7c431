//! The example apps: their components, the same code called natively, and what they are asked.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use bytes::Bytes;
use clap::ValueEnum;
use cumulet_spec::grant::Grants;
use cumulet_spec::manifest::Manifest;
use guest_http::{Query, Reply};
use token_verify::answer::{Asked, answer};
use token_verify::claims::Expect;

use crate::call::Ask;
use crate::settings::Settings;

/// An example app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum App {
    /// `token-verify`
    TokenVerify,
    /// `image-resize`
    ImageResize,
    /// `config-validate`
    ConfigValidate,
}

/// One kind of request to an app.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// Its name in tables.
    pub(crate) name: String,
    /// The request.
    pub(crate) ask: Ask,
    /// The status that it is answered with.
    pub(crate) status: u16,
}

impl App {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::TokenVerify, Self::ImageResize, Self::ConfigValidate];

    /// The name of its folder under `examples`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TokenVerify => "token-verify",
            Self::ImageResize => "image-resize",
            Self::ConfigValidate => "config-validate",
        }
    }

    fn folder(self) -> PathBuf {
        Settings::root().join("examples").join(self.name())
    }

    /// The file of keys that tokens are signed with.
    pub(crate) fn key_set() -> PathBuf {
        Self::TokenVerify.folder().join("data/jwks.json")
    }

    /// The name of its component's file, without the ending.
    pub(crate) fn component(self) -> String {
        self.name().replace('-', "_")
    }

    /// Requests a second in the open loop. Programs that are not optimised are only seen to work, beside whatever else a
    /// machine does: they get a tenth.
    pub(crate) fn rate(self) -> u32 {
        let rate = match self {
            Self::TokenVerify => 500,
            Self::ImageResize => 20,
            Self::ConfigValidate => 100,
        };
        if cfg!(debug_assertions) { rate / 10 } else { rate }
    }

    /// What its component is granted in its manifest.
    pub(crate) fn grants(self) -> Result<Grants> {
        let manifest =
            Manifest::parse(&self.manifest()?).map_err(|error| anyhow::anyhow!("{}: {error}", self.name()))?;
        let mut components = manifest.components.into_values();
        Ok(components.next().with_context(|| format!("{} has no component", self.name()))?.grants)
    }

    /// Writes its manifest into `folder`, for a component that is built already, and returns where.
    pub(crate) fn write_manifest(self, component: &Path, folder: &Path) -> Result<PathBuf> {
        let mut manifest: toml::Table = self.manifest()?.parse().context("not a manifest")?;
        let components = manifest.get_mut("component").and_then(toml::Value::as_table_mut).context("no component")?;
        for value in components.iter_mut().filter_map(|(_, value)| value.as_table_mut()) {
            value.remove("build");
            value.insert("source".into(), component.to_string_lossy().into_owned().into());
        }
        let path = folder.join(format!("{}.toml", self.name()));
        fs::write(&path, toml::to_string(&manifest)?).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    fn manifest(self) -> Result<String> {
        let path = self.folder().join("cumulet.toml");
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// What it is asked; the first is what the open loop sends.
    pub(crate) fn cases(self) -> Result<Vec<Case>> {
        let read = |file: &str| {
            let path = self.folder().join("data").join(file);
            fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        match self {
            Self::TokenVerify => ["rs256", "es256", "eddsa"]
                .into_iter()
                .map(|kind| {
                    let token = String::from_utf8(read(&format!("{kind}.jwt"))?).context("a token is text")?;
                    let mut ask = Ask::post("/verify", Bytes::new());
                    ask.headers.push(("authorization", format!("Bearer {}", token.trim())));
                    Ok(Case { name: format!("verify {kind}"), ask, status: 200 })
                })
                .collect(),
            Self::ImageResize => ["harbour.jpg", "harbour-progressive.jpg", "badge.png"]
                .into_iter()
                .map(|file| {
                    let ask = Ask::post("/?w=400", read(file)?);
                    Ok(Case { name: format!("resize {file}"), ask, status: 200 })
                })
                .collect(),
            // One of the documents breaks its schema, and is answered with a list of errors.
            Self::ConfigValidate => [("deployment", "shop.yaml", 200), ("feature-flags", "flags.json", 422)]
                .into_iter()
                .map(|(schema, file, status)| {
                    let ask = Ask::post(&format!("/validate?schema={schema}"), read(&format!("documents/{file}"))?);
                    Ok(Case { name: format!("validate {file}"), ask, status })
                })
                .collect(),
        }
    }
}

/// The function that an app's component calls, ready to be called natively.
#[derive(Debug)]
pub(crate) struct Native {
    app: App,
    keys: Vec<u8>,
}

/// What a native app looks at in a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NativeRequest<'r> {
    /// The method's name.
    pub(crate) method: &'r str,
    /// The path and query.
    pub(crate) path: &'r str,
    /// The value of `authorization`.
    pub(crate) authorization: Option<&'r str>,
    /// The body.
    pub(crate) body: &'r [u8],
}

impl<'r> From<&'r Ask> for NativeRequest<'r> {
    fn from(ask: &'r Ask) -> Self {
        let authorization = ask.headers.iter().find(|(name, _)| *name == "authorization");
        Self {
            method: ask.method.as_str(),
            path: &ask.path,
            authorization: authorization.map(|(_, value)| value.as_str()),
            body: &ask.body,
        }
    }
}

impl Native {
    /// Reads what the app is granted.
    pub(crate) fn new(app: App) -> Result<Self> {
        let keys = if app == App::TokenVerify {
            fs::read(App::key_set()).context("cannot read the key set")?
        } else {
            Vec::new()
        };
        Ok(Self { app, keys })
    }

    /// Answers a request. Like the component, it keeps nothing: token-verify reads its key set anew.
    pub(crate) fn answer(&self, request: NativeRequest<'_>) -> Reply {
        let (path, query) = request.path.split_once('?').unwrap_or((request.path, ""));
        match self.app {
            App::TokenVerify => {
                let NativeRequest { method, authorization, body, .. } = request;
                let asked = Asked { method, path, authorization, body };
                answer(&asked, &Expect::default(), unix_seconds(), || Ok(self.keys.clone()))
            }
            App::ImageResize => image_resize::pipeline::answer(request.method, path, Query::new(query), request.body),
            App::ConfigValidate => {
                let NativeRequest { method, body, .. } = request;
                let query = Query::new(query);
                config_validate::answer::answer(&config_validate::answer::Asked {
                    method,
                    path,
                    query,
                    content_type: None,
                    body,
                })
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "tokens are held against the real time, as they are in the component")]
fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_apps_answer_what_they_are_asked() {
        for app in App::ALL {
            let native = Native::new(app).unwrap();
            for case in app.cases().unwrap() {
                let reply = native.answer((&case.ask).into());
                assert_eq!(reply.status, case.status, "{}", case.name);
            }
        }
    }

    #[test]
    fn manifests_are_rewritten_for_a_built_component() {
        let folder = tempfile::tempdir().unwrap();
        for app in App::ALL {
            let path = app.write_manifest(Path::new("/made/elsewhere.wasm"), folder.path()).unwrap();
            let text = fs::read_to_string(path).unwrap();
            assert!(text.contains("source = \"/made/elsewhere.wasm\"") && !text.contains("build"), "{text}");
            Manifest::parse(&text).unwrap();
            app.grants().unwrap();
        }
    }
}
