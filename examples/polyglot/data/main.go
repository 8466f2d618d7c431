// The component: the others call what the bindings export, and nobody calls main.
package main

import _ "example.com/report/bindings/exports/wit_exports"

func main() {}
