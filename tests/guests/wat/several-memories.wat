;; A WASI 0.2 HTTP component with two instances of a module, each of which takes 96 MiB: more than 128 MiB only together.
;; It traps where one of them is refused, and returns without an answer where neither is.
(component
  (import "wasi:http/types@0.2.0" (instance $types
    (export "incoming-request" (type (sub resource)))
    (export "response-outparam" (type (sub resource)))))
  (alias export $types "incoming-request" (type $request))
  (alias export $types "response-outparam" (type $out))
  (core module $half
    (memory 1)
    (func (export "take")
      (if (i32.eq (memory.grow (i32.const 1535)) (i32.const -1)) (then (unreachable)))))
  (core instance $one (instantiate $half))
  (core instance $two (instantiate $half))
  (core module $module
    (import "one" "take" (func $one))
    (import "two" "take" (func $two))
    (func (export "handle") (param i32 i32) (call $one) (call $two)))
  (core instance $instance (instantiate $module
    (with "one" (instance $one))
    (with "two" (instance $two))))
  (func $handle (param "request" (own $request)) (param "response-out" (own $out))
    (canon lift (core func $instance "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))
