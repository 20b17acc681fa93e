module @case {
  %tokens = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %table = "mom.param"() {name = "table", tensor = "table", shape = [4, 2], first_row = 0} : () -> tensor<4x2xf32, ["vocab", "model"]>
  %x = "mom.embedding"(%tokens, %table) : (tensor<?xi32, ["T"]>, tensor<4x2xf32, ["vocab", "model"]>) -> tensor<?x2xf32, ["T", "model"]>
  %s = "mom.state"() {name = "sum"} : () -> tensor<?x2xf32, ["B", "model"]>
  "mom.set_state"(%s) {name = "sum"} : (tensor<?x2xf32, ["B", "model"]>) -> ()
  "mom.set_state"(%s) {name = "sum"} : (tensor<?x2xf32, ["B", "model"]>) -> () //~ error[E0203]: the state `sum` is set twice
  "mom.output"(%x) {name = "x"} : (tensor<?x2xf32, ["T", "model"]>) -> ()
}
