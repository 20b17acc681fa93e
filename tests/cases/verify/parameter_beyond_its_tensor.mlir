module @case {
  %tokens = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %table = "mom.param"() {name = "table", tensor = "table", shape = [4, 2], first_row = 1} : () -> tensor<4x2xf32, ["vocab", "model"]> //~ error[E0201]: `param` `table` is f32 [vocab 4, model 2], which are not whole rows of `table` [4, 2] from row 1 on
  %x = "mom.embedding"(%tokens, %table) : (tensor<?xi32, ["T"]>, tensor<4x2xf32, ["vocab", "model"]>) -> tensor<?x2xf32, ["T", "model"]>
  "mom.output"(%x) {name = "x"} : (tensor<?x2xf32, ["T", "model"]>) -> ()
}
