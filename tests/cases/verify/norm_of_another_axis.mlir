module @case {
  %tokens = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %table = "mom.param"() {name = "table", tensor = "table", shape = [4, 2], first_row = 0} : () -> tensor<4x2xf32, ["vocab", "model"]>
  %x = "mom.embedding"(%tokens, %table) : (tensor<?xi32, ["T"]>, tensor<4x2xf32, ["vocab", "model"]>) -> tensor<?x2xf32, ["T", "model"]>
  %w = "mom.param"() {name = "w", tensor = "w", shape = [2], first_row = 0} : () -> tensor<2xf32, ["value"]>
  %y = "mom.rms_norm"(%x, %w) {eps = 1.0e-6} : (tensor<?x2xf32, ["T", "model"]>, tensor<2xf32, ["value"]>) -> tensor<?x2xf32, ["T", "model"]> //~ error[E0201]: `rms_norm` needs a weight over the operand's last axis, of type f32 [model 2]; found f32 [value 2]
  "mom.output"(%x) {name = "x"} : (tensor<?x2xf32, ["T", "model"]>) -> ()
}
