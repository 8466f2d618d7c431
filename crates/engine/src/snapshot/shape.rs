//! What a component must not have so that its state can be read: beyond what the tool itself refuses.

use wasmparser::{Parser, Payload};

/// What a core module was seen to have.
#[derive(Default)]
struct Module {
    has_state: bool,
    has_exports: bool,
}

impl Module {
    fn check(self) -> Result<(), String> {
        if self.has_state && !self.has_exports {
            return Err("a module that exports nothing has a memory or a variable".to_owned());
        }
        Ok(())
    }
}

/// Refuses what would be lost without a word: state that cannot be exported, and memories of other kinds.
pub(super) fn check(component: &[u8]) -> Result<(), String> {
    let mut module = None;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.map_err(|error| error.to_string())?;
        read(payload, &mut module).map_err(|error| error.to_string())??;
    }
    Ok(())
}

fn read(payload: Payload<'_>, module: &mut Option<Module>) -> wasmparser::Result<Result<(), String>> {
    match (payload, module) {
        (Payload::ModuleSection { .. }, module) => *module = Some(Module::default()),
        (Payload::MemorySection(memories), Some(module)) => {
            module.has_state = true;
            for memory in memories {
                let memory = memory?;
                if memory.memory64 || memory.shared || memory.page_size_log2.is_some() {
                    return Ok(Err("a memory that is 64-bit, shared or of other pages cannot be read".to_owned()));
                }
            }
        }
        (Payload::GlobalSection(globals), Some(module)) => {
            for global in globals {
                module.has_state |= global?.ty.mutable;
            }
        }
        (Payload::ExportSection(_), Some(module)) => module.has_exports = true,
        (Payload::End(_), module) => return Ok(module.take().map_or(Ok(()), Module::check)),
        _ => {}
    }
    Ok(Ok(()))
}
