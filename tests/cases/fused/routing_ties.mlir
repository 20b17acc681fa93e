// Of equal logits, zeros of either sign among them, the lower memory is chosen first.
module @routing_ties {
  %tokens = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %position = "mom.input"() {name = "position"} : () -> tensor<?xi32, ["T"]>
  %cu_seqlens = "mom.input"() {name = "cu_seqlens"} : () -> tensor<?xi32, ["B+1"]>
  %table = "mom.param"() {name = "table", tensor = "table", shape = [37, 8], first_row = 0} : () -> tensor<37x8xf32, ["vocab", "model"]>
  %x = "mom.embedding"(%tokens, %table) : (tensor<?xi32, ["T"]>, tensor<37x8xf32, ["vocab", "model"]>) -> tensor<?x8xf32, ["T", "model"]>
  %logit = "mom.param"() {name = "logit", tensor = "logit", shape = [37, 4], first_row = 0} : () -> tensor<37x4xf32, ["vocab", "memory"]>
  %some = "mom.embedding"(%tokens, %logit) : (tensor<?xi32, ["T"]>, tensor<37x4xf32, ["vocab", "memory"]>) -> tensor<?x4xf32, ["T", "memory"]>
  %zero = "mom.constant"() {value = 0.0} : () -> tensor<f32>
  %logits = "mom.mul"(%some, %zero) : (tensor<?x4xf32, ["T", "memory"]>, tensor<f32>) -> tensor<?x4xf32, ["T", "memory"]>
  %selected, %weight, %permutation, %slot, %segments = "mom.fused"(%position, %logits, %cu_seqlens) ({
  ^bb0(%a0: tensor<?xi32, ["T"]>, %a1: tensor<?x4xf32, ["T", "memory"]>, %a2: tensor<?xi32, ["B+1"]>):
    %b0, %b1 = "mom.router"(%a1) {top_k = 2, shared_state = true} : (tensor<?x4xf32, ["T", "memory"]>) -> (tensor<?x3xi32, ["T", "choice"]>, tensor<?x3xf32, ["T", "choice"]>)
    %b2, %b3, %b4 = "mom.sort"(%b0, %a0, %a2) {memories = 5} : (tensor<?x3xi32, ["T", "choice"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?xi32, ["3T"]>, tensor<?x3xi32, ["T", "choice"]>, tensor<?xi32, ["5B+1"]>)
    "gpu.yield"(%b0, %b1, %b2, %b3, %b4) : (tensor<?x3xi32, ["T", "choice"]>, tensor<?x3xf32, ["T", "choice"]>, tensor<?xi32, ["3T"]>, tensor<?x3xi32, ["T", "choice"]>, tensor<?xi32, ["5B+1"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?xi32, ["T"]>, tensor<?x4xf32, ["T", "memory"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?x3xi32, ["T", "choice"]>, tensor<?x3xf32, ["T", "choice"]>, tensor<?xi32, ["3T"]>, tensor<?x3xi32, ["T", "choice"]>, tensor<?xi32, ["5B+1"]>)
  %w0 = "mom.param"() {name = "w0", tensor = "w0", shape = [6, 8], first_row = 0} : () -> tensor<6x8xf32, ["out", "model"]>
  %w1 = "mom.param"() {name = "w1", tensor = "w1", shape = [6, 8], first_row = 0} : () -> tensor<6x8xf32, ["out", "model"]>
  %w2 = "mom.param"() {name = "w2", tensor = "w2", shape = [6, 8], first_row = 0} : () -> tensor<6x8xf32, ["out", "model"]>
  %w3 = "mom.param"() {name = "w3", tensor = "w3", shape = [6, 8], first_row = 0} : () -> tensor<6x8xf32, ["out", "model"]>
  %w4 = "mom.param"() {name = "w4", tensor = "w4", shape = [6, 8], first_row = 0} : () -> tensor<6x8xf32, ["out", "model"]>
  %routed = "mom.dispatch"(%x, %permutation, %segments) : (tensor<?x8xf32, ["T", "model"]>, tensor<?xi32, ["3T"]>, tensor<?xi32, ["5B+1"]>) -> tensor<?x8xf32, ["3T", "model"]>
  %y = "mom.grouped_linear"(%routed, %segments, %w0, %w1, %w2, %w3, %w4) : (tensor<?x8xf32, ["3T", "model"]>, tensor<?xi32, ["5B+1"]>, tensor<6x8xf32, ["out", "model"]>, tensor<6x8xf32, ["out", "model"]>, tensor<6x8xf32, ["out", "model"]>, tensor<6x8xf32, ["out", "model"]>, tensor<6x8xf32, ["out", "model"]>) -> tensor<?x6xf32, ["3T", "out"]>
  %combined = "mom.combine"(%y, %slot, %weight) : (tensor<?x6xf32, ["3T", "out"]>, tensor<?x3xi32, ["T", "choice"]>, tensor<?x3xf32, ["T", "choice"]>) -> tensor<?x6xf32, ["T", "out"]>
  "mom.output"(%combined) {name = "y"} : (tensor<?x6xf32, ["T", "out"]>) -> ()
  %2, %3, %4 = "mom.sort"(%selected, %position, %cu_seqlens) {memories = 5} : (tensor<?x3xi32, ["T", "choice"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?xi32, ["3T"]>, tensor<?x3xi32, ["T", "choice"]>, tensor<?xi32, ["5B+1"]>)
  %again = "mom.combine"(%y, %3, %weight) : (tensor<?x6xf32, ["3T", "out"]>, tensor<?x3xi32, ["T", "choice"]>, tensor<?x3xf32, ["T", "choice"]>) -> tensor<?x6xf32, ["T", "out"]>
  "mom.output"(%again) {name = "again"} : (tensor<?x6xf32, ["T", "out"]>) -> ()
}
