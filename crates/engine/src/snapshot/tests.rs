use super::*;
use crate::engines::CompileEngines;
use crate::{EngineClass, compile_apart};
use std::path::Path;

/// A component whose body stands in a file of `tests/data/initialisers`, and what its first line says of it.
fn cases() -> Vec<(String, String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/initialisers");
    let case = |path: &Path| {
        let body = std::fs::read_to_string(path).unwrap();
        let expect = body.lines().next().unwrap().trim_start_matches(";; ").to_owned();
        (path.display().to_string(), format!("(component\n{body})"), expect)
    };
    std::fs::read_dir(folder).unwrap().map(|entry| case(&entry.unwrap().path())).collect()
}

#[test]
fn what_an_initialiser_may_not_do_has_a_reason_each() {
    let cases = cases();
    assert!(cases.len() > 12, "{cases:?}");
    for (file, component, expect) in cases {
        let came_to = match snapshot(component.as_bytes()) {
            Ok(Snapshot::Taken(_)) => "taken".to_owned(),
            Ok(Snapshot::Unfit(reason)) => format!("unfit: {reason}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(came_to, expect, "{file}");
    }
}

/// Fills a page and a variable, and counts how often it ran; `read` gives both together.
const FILLS: &str = r#"(component
  (core module $module
    (memory (export "memory") 1)
    (global $variable (mut i64) (i64.const 1))
    (func (export "wizer-initialize")
      (drop (memory.grow (i32.const 2)))
      (i64.store (i32.const 150000) (i64.add (i64.load (i32.const 150000)) (i64.const 40)))
      (global.set $variable (i64.add (global.get $variable) (i64.const 1))))
    (func (export "read") (result i64)
      (i64.store (i32.const 8) (i64.add (i64.load (i32.const 8)) (i64.const 100)))
      (i64.add (i64.load (i32.const 8)) (i64.add (i64.load (i32.const 150000)) (global.get $variable)))))
  (core instance $instance (instantiate $module))
  (func (export "wizer-initialize") (canon lift (core func $instance "wizer-initialize")))
  (func (export "read") (result u64) (canon lift (core func $instance "read"))))"#;

#[test]
fn every_instance_starts_from_what_the_initialiser_left() {
    let Snapshot::Taken(taken) = snapshot(FILLS.as_bytes()).unwrap() else { panic!("it can be taken") };
    assert_eq!(snapshot(FILLS.as_bytes()).unwrap(), Snapshot::Taken(taken.clone()), "the same bytes each time");
    compile_apart(&CompileEngines::new().unwrap(), EngineClass::Plain, &taken).unwrap();
    let engine = Engine::default();
    let component = Component::new(&engine, &taken).unwrap();
    for _ in 0..2 {
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate(&mut store, &component).unwrap();
        let read = instance.get_typed_func::<(), (u64,)>(&mut store, "read").unwrap();
        assert_eq!(read.call(&mut store, ()).unwrap(), (142,), "40 of the memory, 2 of the variable, 100 of its own");
    }
}

#[test]
fn what_shows_without_running_is_told_beforehand() {
    for (file, component, expect) in cases() {
        let shows = expect.strip_prefix("unfit: ").filter(|reason| !reason.starts_with("its state"));
        assert_eq!(unfit(component.as_bytes()).as_deref(), shows, "{file}");
    }
    assert_eq!(unfit(FILLS.as_bytes()), None);
}
