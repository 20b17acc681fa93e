module @case {
  "mom.update_rule"() ({
  ^bb0(%k: tensor<2xf32, ["key"]>, %h: tensor<2xf32, ["key"]>):
    %0 = "mom.identity"() {axes = ["key", "key"], size = 2} : () -> tensor<2x2xf32, ["key", "slot"]> //~ error[E0201]: `identity` needs two axes with names of their own; found `key` and `key` of size 2
    %1 = "mom.identity"() {axes = ["key", "slot"], size = 2} : () -> tensor<2x2xf32, ["key", "slot"]>
    %2 = "mom.relabel"(%1) {from = ["slot"], to = ["key"]} : (tensor<2x2xf32, ["key", "slot"]>) -> tensor<2x2xf32, ["key", "slot"]> //~ error[E0201]: `relabel` would give f32 [key 2, slot 2] the axis `key` twice
    %3 = "mom.slice"(%k) {axis = "key", index = 2} : (tensor<2xf32, ["key"]>) -> tensor<f32> //~ error[E0201]: `slice` takes entry 2 of `key`, which has 2
    %4 = "mom.place"(%k) {axis = "key", size = 2, index = 0} : (tensor<2xf32, ["key"]>) -> tensor<2x2xf32, ["key", "slot"]> //~ error[E0201]: `place` cannot make f32 [key 2] entry 0 of 2 along `key`
    %5 = "mom.solve"(%k, %h) : (tensor<2xf32, ["key"]>, tensor<2xf32, ["key"]>) -> tensor<2xf32, ["key"]> //~ error[E0201]: `solve` needs a square matrix and a vector over one of its axes; found f32 [key 2] and f32 [key 2]
    %6 = "mom.sum"(%k) {axis = "slot"} : (tensor<2xf32, ["key"]>) -> tensor<2xf32, ["key"]> //~ error[E0201]: `sum` needs an operand with the axis `slot`; found f32 [key 2]
    %7 = "mom.softmax"(%h) {axis = "slot"} : (tensor<2xf32, ["key"]>) -> tensor<2xf32, ["key"]> //~ error[E0201]: `softmax` needs an operand with the axis `slot`; found f32 [key 2]
    %8 = "mom.head_index"() : () -> tensor<2xf32, ["key"]> //~ error[E0201]: `head_index` makes f32 []; found f32 [key 2]
    "gpu.yield"(%h, %k) : (tensor<2xf32, ["key"]>, tensor<2xf32, ["key"]>) -> ()
  }) {sym_name = "sum", inputs = ["k"], states = ["h"], outputs = ["o"]} : () -> ()
  %tokens = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %segments = "mom.input"() {name = "cu_seqlens"} : () -> tensor<?xi32, ["B+1"]>
  %table = "mom.param"() {name = "table", tensor = "table", shape = [4, 2], first_row = 0} : () -> tensor<4x1x2xf32, ["vocab", "head", "key"]>
  %k = "mom.embedding"(%tokens, %table) : (tensor<?xi32, ["T"]>, tensor<4x1x2xf32, ["vocab", "head", "key"]>) -> tensor<?x1x2xf32, ["T", "head", "key"]>
  %before = "mom.state"() {name = "sum"} : () -> tensor<?x1x2xf32, ["B", "head", "key"]>
  %y, %after = "mom.scan"(%k, %before, %segments) {update_rule = @sum, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0>} : (tensor<?x1x2xf32, ["T", "head", "key"]>, tensor<?x1x2xf32, ["B", "head", "key"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?x1x2xf32, ["T", "head", "key"]>, tensor<?x1x2xf32, ["B", "head", "key"]>)
  "mom.set_state"(%after) {name = "sum"} : (tensor<?x1x2xf32, ["B", "head", "key"]>) -> ()
  "mom.output"(%y) {name = "y"} : (tensor<?x1x2xf32, ["T", "head", "key"]>) -> ()
}
