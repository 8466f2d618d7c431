//! What a unit's code is made from: the bytes of one component, or of several that are composed first.

use crate::furnish::class_of;
use crate::load::LoadErrorKind;
use bytes::Bytes;
use cumulet_compose::{Member, compose, needs_async};
use cumulet_engine::EngineClass;
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
        });
        Self { digest: unit.digest(), limits: unit.component.limits, ingredients: ingredients.collect() }
    }

    /// The component that triggers lead to.
    pub(crate) fn name(&self) -> &ComponentName {
        &self.ingredients.first().expect("a unit has a component that triggers lead to").name
    }

    /// The bytes to compile, and where they are to run. Blocks.
    pub(crate) fn prepare(
        &self,
        bytes_of: impl Fn(&Ingredient) -> Result<Bytes, LoadErrorKind>,
    ) -> Result<(Bytes, EngineClass), LoadErrorKind> {
        let bytes = self.ingredients.iter().map(bytes_of).collect::<Result<Vec<Bytes>, _>>()?;
        if let ([bytes], true) = (bytes.as_slice(), self.ingredients.iter().all(|one| one.link.is_empty())) {
            return Ok((bytes.clone(), class_of(bytes, &self.limits)?));
        }
        let parts = self.ingredients.iter().zip(&bytes);
        let members: Vec<Member<'_>> =
            parts.map(|(one, bytes)| Member { name: &one.name, bytes, link: &one.link }).collect();
        let composed = compose(&members)?;
        let class = match class_of(&composed, &self.limits)? {
            EngineClass::Plain if needs_async(&composed) => EngineClass::Async,
            class => class,
        };
        Ok((composed.into(), class))
    }
}
