module @case {
  %tokens = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %table = "mom.param"() {name = "table", tensor = "table", shape = [4, 2], first_row = 0} : () -> tensor<4x2xf32, ["vocab", "model"]>
  %x = "mom.embedding"(%tokens, %table) : (tensor<?xi32, ["T"]>, tensor<4x2xf32, ["vocab", "model"]>) -> tensor<?x2xf32, ["T", "model"]>
  %s = "mom.state"() {name = "sum"} : () -> tensor<2xf32, ["model"]> //~ error[E0201]: `state` needs `sum` with one entry per sequence, f32 [B, …] or [B, C, …]; found f32 [model 2]
  "mom.set_state"(%s) {name = "sum"} : (tensor<2xf32, ["model"]>) -> () //~ error[E0201]: `set_state` needs `sum` with one entry per sequence, f32 [B, …] or [B, C, …]; found f32 [model 2]
  "mom.output"(%x) {name = "x"} : (tensor<?x2xf32, ["T", "model"]>) -> ()
}
