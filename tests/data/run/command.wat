;; A component of WASI 0.2 whose `run` fails ends with 1.
;; expect exit: 1
(component
  (core module $main
    (func (export "run") (result i32) (i32.const 1)))
  (core instance $main (instantiate $main))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (component $interface
    (import "run" (func $run (result (result))))
    (export "run" (func $run)))
  (instance $interface (instantiate $interface (with "run" (func $run))))
  (export "wasi:cli/run@0.2.3" (instance $interface)))
