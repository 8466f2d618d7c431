//! Types as WIT writes them, as far as a line of an error goes.

use std::fmt::Write as _;

use wac_graph::types::{DefinedType, FuncTypeId, InterfaceId, ItemKind, Type, Types, ValueType};

/// How deep types are written out; what lies deeper is `…`.
const DEPTH_MAX: usize = 4;
/// The longest text, in characters.
const TEXT_MAX: usize = 240;

/// Writes types of one interface, by the names that it gives them.
pub(crate) struct Writer<'a> {
    types: &'a Types,
    interface: InterfaceId,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(types: &'a Types, interface: InterfaceId) -> Self {
        Self { types, interface }
    }

    /// A function, such as `func(token: string) -> bool`.
    pub(crate) fn func(&self, id: FuncTypeId) -> String {
        let func = &self.types[id];
        let params: Vec<String> =
            func.params.iter().map(|(name, ty)| format!("{name}: {}", self.value(*ty, 0))).collect();
        let mut text = String::from(if func.is_async { "async func(" } else { "func(" });
        text.push_str(&params.join(", "));
        text.push(')');
        if let Some(result) = func.result {
            // Writing to a string cannot fail.
            let _ = write!(text, " -> {}", self.value(result, 0));
        }
        cut(text)
    }

    fn value(&self, ty: ValueType, depth: usize) -> String {
        match ty {
            ValueType::Primitive(primitive) => primitive.desc().to_owned(),
            ValueType::Own(id) => self.types[self.types.resolve_resource(id)].name.clone(),
            ValueType::Borrow(id) => format!("borrow<{}>", self.types[self.types.resolve_resource(id)].name),
            ValueType::Defined(id) => {
                let is_it = |kind: &ItemKind| matches!(kind, ItemKind::Type(Type::Value(ValueType::Defined(own))) if *own == id);
                let exports = &self.types[self.interface].exports;
                match exports.iter().find(|(_, kind)| is_it(kind)) {
                    Some((name, _)) => name.clone(),
                    None => self.defined(&self.types[id], depth),
                }
            }
        }
    }

    fn defined(&self, ty: &DefinedType, depth: usize) -> String {
        if depth >= DEPTH_MAX {
            return "…".to_owned();
        }
        let inner = |ty: &ValueType| self.value(*ty, depth + 1);
        let maybe = |ty: &Option<ValueType>| ty.as_ref().map_or_else(|| "_".to_owned(), inner);
        match ty {
            DefinedType::Tuple(types) => format!("tuple<{}>", types.iter().map(inner).collect::<Vec<_>>().join(", ")),
            DefinedType::List(ty) => format!("list<{}>", inner(ty)),
            DefinedType::Option(ty) => format!("option<{}>", inner(ty)),
            DefinedType::Result { ok: None, err: None } => "result".to_owned(),
            DefinedType::Result { ok, err: None } => format!("result<{}>", maybe(ok)),
            DefinedType::Result { ok, err } => format!("result<{}, {}>", maybe(ok), maybe(err)),
            DefinedType::Alias(ty) => inner(ty),
            DefinedType::Stream(None) => "stream".to_owned(),
            DefinedType::Stream(Some(ty)) => format!("stream<{}>", inner(ty)),
            DefinedType::Future(None) => "future".to_owned(),
            DefinedType::Future(Some(ty)) => format!("future<{}>", inner(ty)),
            DefinedType::Record(record) => {
                let fields = record.fields.iter().map(|(name, ty)| format!("{name}: {}", inner(ty)));
                format!("record {{ {} }}", fields.collect::<Vec<_>>().join(", "))
            }
            other => other.desc(self.types).to_owned(),
        }
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(TEXT_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
