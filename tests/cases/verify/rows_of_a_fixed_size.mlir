module @case {
  %tokens = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %table = "mom.param"() {name = "table", tensor = "table", shape = [4, 2], first_row = 0} : () -> tensor<4x2xf32, ["vocab", "model"]>
  %x = "mom.embedding"(%tokens, %table) : (tensor<?xi32, ["T"]>, tensor<4x2xf32, ["vocab", "model"]>) -> tensor<?x2xf32, ["T", "model"]>
  %w = "mom.param"() {name = "w", tensor = "w", shape = [2], first_row = 0} : () -> tensor<2xf32, ["2T"]> //~ error[E0241]: `tensor<2xf32, ["2T"]>` gives the size 2 to the axis `2T`, whose size is known when a step runs
  "mom.output"(%x) {name = "x"} : (tensor<?x2xf32, ["T", "model"]>) -> ()
}
