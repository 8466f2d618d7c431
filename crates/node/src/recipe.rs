//! What a unit's code is made from: the bytes of one component, or of several that are composed first.

use crate::componentize;
use crate::furnish::class_of;
use crate::load::LoadErrorKind;
use bytes::Bytes;
use cumulet_compose::{Member, compose, needs_async};
use cumulet_engine::{EngineClass, INITIALISER, inspect};
use cumulet_spec::id::{ComponentName, Digest};
use cumulet_spec::limit::Limits;
use cumulet_spec::revision::Unit;
use std::collections::BTreeMap;

/// One component of a unit.
#[derive(Clone, Debug)]
pub(crate) struct Ingredient {
    pub(crate) name: ComponentName,
    pub(crate) digest: Digest,
    link: BTreeMap<String, ComponentName>,
    /// Whether a snapshot is wanted, if it can be had.
    snapshot: bool,
}

/// The bytes of one component of a unit.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) name: ComponentName,
    pub(crate) bytes: Bytes,
    /// Whether it exports an initialiser that is to be run.
    pub(crate) is_initialised: bool,
}

/// Everything that a unit's code follows from.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    /// What its compiled file is kept under.
    pub(crate) digest: Digest,
    pub(crate) limits: Limits,
    /// The component that triggers lead to first.
    ingredients: Vec<Ingredient>,
}

impl Recipe {
    pub(crate) fn of(unit: Unit<'_>) -> Self {
        let members = unit.members().into_iter();
        let ingredients = members.map(|(name, component)| Ingredient {
            name: name.clone(),
            digest: component.digest,
            link: component.link.clone(),
            snapshot: component.snapshot,
        });
        Self { digest: unit.digest(), limits: unit.component.limits, ingredients: ingredients.collect() }
    }

    /// The component that triggers lead to.
    pub(crate) fn name(&self) -> &ComponentName {
        &self.ingredients.first().expect("a unit has a component that triggers lead to").name
    }

    /// The bytes of its components, as they were sent. Blocks.
    pub(crate) fn parts(
        &self,
        bytes_of: impl Fn(&Ingredient) -> Result<Bytes, LoadErrorKind>,
    ) -> Result<Vec<Part>, LoadErrorKind> {
        let part = |one: &Ingredient| {
            let bytes = component(bytes_of(one)?)?;
            let is_initialised = one.snapshot && inspect(&bytes)?.exports.iter().any(|name| name == INITIALISER);
            Ok(Part { name: one.name.clone(), bytes, is_initialised })
        };
        self.ingredients.iter().map(part).collect()
    }

    /// The bytes to compile, and where they are to run. Blocks.
    pub(crate) fn compose(&self, parts: &[Part]) -> Result<(Bytes, EngineClass), LoadErrorKind> {
        if let ([part], true) = (parts, self.ingredients.iter().all(|one| one.link.is_empty())) {
            return Ok((part.bytes.clone(), class_of(&part.bytes, &self.limits)?));
        }
        let parts = self.ingredients.iter().zip(parts);
        let members: Vec<Member<'_>> =
            parts.map(|(one, part)| Member { name: &one.name, bytes: &part.bytes, link: &one.link }).collect();
        let composed = compose(&members)?;
        let class = match class_of(&composed, &self.limits)? {
            EngineClass::Plain if needs_async(&composed) => EngineClass::Async,
            class => class,
        };
        Ok((composed.into(), class))
    }
}

/// A component's bytes as they are; those of a program in a core module, as a component.
fn component(bytes: Bytes) -> Result<Bytes, LoadErrorKind> {
    let program = componentize::program(&bytes)?;
    Ok(program.map_or(bytes, Bytes::from))
}
