module @case {
  "mom.update_rule"() ({
  ^bb0(%q: tensor<2xf32, ["key"]>, %k: tensor<2xf32, ["key"]>, %h: tensor<2xf32, ["key"]>):
    %0 = "mom.add"(%h, %k) : (tensor<2xf32, ["key"]>, tensor<2xf32, ["key"]>) -> tensor<2xf32, ["key"]>
    %1 = "mom.mul"(%0, %q) : (tensor<2xf32, ["key"]>, tensor<2xf32, ["key"]>) -> tensor<2xf32, ["key"]>
    "gpu.yield"(%0, %1) : (tensor<2xf32, ["key"]>, tensor<2xf32, ["key"]>) -> ()
  }) {sym_name = "sum", inputs = ["q", "k"], states = ["h"], outputs = ["o"]} : () -> ()
  %tokens = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %segments = "mom.input"() {name = "cu_seqlens"} : () -> tensor<?xi32, ["B+1"]>
  %table = "mom.param"() {name = "table", tensor = "table", shape = [4, 2], first_row = 0} : () -> tensor<4x1x2xf32, ["vocab", "head", "key"]>
  %x = "mom.embedding"(%tokens, %table) : (tensor<?xi32, ["T"]>, tensor<4x1x2xf32, ["vocab", "head", "key"]>) -> tensor<?x1x2xf32, ["T", "head", "key"]>
  %before = "mom.state"() {name = "sum"} : () -> tensor<?x1x2xf32, ["B", "head", "key"]>
  %m = "mom.scan_states"(%x, %x, %before, %segments) {update_rule = @sum, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x1x2xf32, ["T", "head", "key"]>, tensor<?x1x2xf32, ["T", "head", "key"]>, tensor<?x1x2xf32, ["B", "head", "key"]>, tensor<?xi32, ["B+1"]>) -> tensor<?x1x2xf32, ["T", "head", "key"]> //~ error[E0201]: `scan_states` needs the state `h` of `sum` of type f32 [B, head 1, key 2]; found f32 [T, head 1, key 2]
  "mom.output"(%m) {name = "m"} : (tensor<?x1x2xf32, ["T", "head", "key"]>) -> ()
  "mom.set_state"(%before) {name = "sum"} : (tensor<?x1x2xf32, ["B", "head", "key"]>) -> ()
}
