module @case {
  %tokens = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %table = "mom.param"() {name = "table", tensor = "table", shape = [4, 2], first_row = 0} : () -> tensor<4x2xf32, ["vocab", "model"]>
  %x = "mom.embedding"(%tokens, %table) : (tensor<?xi32, ["T"]>, tensor<4x2xf32, ["vocab", "model"]>) -> tensor<?x2xf32, ["T", "model"]>
  %one = "mom.state"() {name = "one"} : () -> tensor<?x3xf32, ["B", "key"]>
  "mom.set_state"(%one) {name = "one"} : (tensor<?x3xf32, ["B", "key"]>) -> ()
  %some, %last = "mom.split_memories"(%one) : (tensor<?x3xf32, ["B", "key"]>) -> (tensor<?x2xf32, ["B", "key"]>, tensor<?xf32, ["B"]>) //~ error[E0201]: `split_memories` needs states [B, memory, …]; found f32 [B, key 3]
  "mom.output"(%x) {name = "x"} : (tensor<?x2xf32, ["T", "model"]>) -> ()
}
