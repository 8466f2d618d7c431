//! The manifest of a component that comes without one.

use std::collections::BTreeMap;
use std::path::Path;

use super::component::{Component, ComponentSpans, Source};
use super::{App, Manifest};
use crate::grant::Grants;
use crate::id::{AppName, ComponentName};
use crate::limit::Limits;
use crate::route::Route;

impl Manifest {
    /// The manifest of a bare component: every route goes to it, nothing is granted, limits are the defaults.
    ///
    /// App and component are named after the file, as near as a name can be.
    #[must_use]
    pub fn single(component: &Path) -> Self {
        let stem = component.file_stem().unwrap_or_default().to_string_lossy();
        let name = ComponentName::nearest(&stem);
        let entry = Component {
            source: Source::File(component.to_owned()),
            build: None,
            grants: Grants::default(),
            limits: Limits::default(),
            link: BTreeMap::new(),
            reuse: None,
            snapshot: true,
            spans: ComponentSpans::default(),
        };
        Self {
            app: App { name: AppName::nearest(&stem), version: None, roots: Vec::new(), probe: None, rollout: None },
            components: [(name.clone(), entry)].into(),
            http: vec![Route::all(name)],
            warnings: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_component_is_an_app() {
        let check = |path: &str, name: &str| {
            let manifest = Manifest::single(Path::new(path));
            assert_eq!(manifest.app.name.as_str(), name);
            let [(component, entry)] = Vec::from_iter(manifest.components).try_into().unwrap();
            assert_eq!(component.as_str(), name);
            assert_eq!(entry.source, Source::File(path.into()));
            assert_eq!(entry.grants, Grants::default());
            assert_eq!(manifest.http, [Route::all(component)]);
        };
        check("target/release/my_app.wasm", "my-app");
        check("Hello.wat", "hello");
        check("../...", "app");
        check("/", "app");
    }
}
