module @case {
  %tokens = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %table = "mom.param"() {name = "table", tensor = "table", shape = [4, 2], first_row = 0} : () -> tensor<4x2xf32, ["vocab", "model"]>
  %x = "mom.embedding"(%tokens, %table) : (tensor<?xi32, ["T"]>, tensor<4x2xf32, ["vocab", "model"]>) -> tensor<?x2xf32, ["T", "model"]>
  %several = "mom.state"() {name = "several"} : () -> tensor<?x2x2xf32, ["B", "memory", "key"]>
  %one = "mom.state"() {name = "one"} : () -> tensor<?x3xf32, ["B", "key"]>
  "mom.set_state"(%several) {name = "several"} : (tensor<?x2x2xf32, ["B", "memory", "key"]>) -> ()
  "mom.set_state"(%one) {name = "one"} : (tensor<?x3xf32, ["B", "key"]>) -> ()
  %all = "mom.join_memories"(%several, %one) : (tensor<?x2x2xf32, ["B", "memory", "key"]>, tensor<?x3xf32, ["B", "key"]>) -> tensor<?x3x2xf32, ["B", "memory", "key"]> //~ error[E0201]: `join_memories` needs the state of one memory of type f32 [B, key 2]; found f32 [B, key 3]
  "mom.output"(%x) {name = "x"} : (tensor<?x2xf32, ["T", "model"]>) -> ()
}
