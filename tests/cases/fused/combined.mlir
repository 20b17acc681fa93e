//! sequences: 30 -2 5, 0, 1, 5
// Combined memories, normalised and gated, mapped back and added to what came in, in one launch.
module @combined {
  %0 = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %1 = "mom.input"() {name = "position"} : () -> tensor<?xi32, ["T"]>
  %2 = "mom.input"() {name = "cu_seqlens"} : () -> tensor<?xi32, ["B+1"]>
  %3 = "mom.input"() {name = "rows"} : () -> tensor<?xi32, ["L"]>
  %4 = "mom.param"() {name = "embeddings", tensor = "embeddings", shape = [37, 24], first_row = 0} : () -> tensor<37x24xf32, ["vocab", "model"]>
  %5 = "mom.embedding"(%0, %4) : (tensor<?xi32, ["T"]>, tensor<37x24xf32, ["vocab", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %6 = "mom.param"() {name = "router", tensor = "router", shape = [5, 24], first_row = 0} : () -> tensor<5x24xf32, ["memory", "model"]>
  %7 = "mom.linear"(%5, %6) : (tensor<?x24xf32, ["T", "model"]>, tensor<5x24xf32, ["memory", "model"]>) -> tensor<?x5xf32, ["T", "memory"]>
  "mom.output"(%7) {name = "router_logits.0"} : (tensor<?x5xf32, ["T", "memory"]>) -> ()
  %8, %9 = "mom.router"(%7) {top_k = 3} : (tensor<?x5xf32, ["T", "memory"]>) -> (tensor<?x3xi32, ["T", "choice"]>, tensor<?x3xf32, ["T", "choice"]>)
  %10, %11, %12 = "mom.sort"(%8, %1, %2) {memories = 5} : (tensor<?x3xi32, ["T", "choice"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?xi32, ["3T"]>, tensor<?x3xi32, ["T", "choice"]>, tensor<?xi32, ["5B+1"]>)
  %13 = "mom.param"() {name = "value_norm", tensor = "value_norm", shape = [8], first_row = 0} : () -> tensor<8xf32, ["value"]>
  %14 = "mom.param"() {name = "v0", tensor = "v0", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %15 = "mom.param"() {name = "v1", tensor = "v1", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %16 = "mom.param"() {name = "v2", tensor = "v2", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %17 = "mom.param"() {name = "v3", tensor = "v3", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %18 = "mom.param"() {name = "v4", tensor = "v4", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %29 = "mom.fused"(%5, %10, %12, %14, %15, %16, %17, %18) ({
  ^bb0(%19: tensor<?x24xf32, ["T", "model"]>, %20: tensor<?xi32, ["3T"]>, %21: tensor<?xi32, ["5B+1"]>, %22: tensor<2x8x24xf32, ["head", "value", "model"]>, %23: tensor<2x8x24xf32, ["head", "value", "model"]>, %24: tensor<2x8x24xf32, ["head", "value", "model"]>, %25: tensor<2x8x24xf32, ["head", "value", "model"]>, %26: tensor<2x8x24xf32, ["head", "value", "model"]>):
    %27 = "mom.dispatch"(%19, %20, %21) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["3T"]>, tensor<?xi32, ["5B+1"]>) -> tensor<?x24xf32, ["3T", "model"]>
    %28 = "mom.grouped_linear"(%27, %21, %22, %23, %24, %25, %26) : (tensor<?x24xf32, ["3T", "model"]>, tensor<?xi32, ["5B+1"]>, tensor<2x8x24xf32, ["head", "value", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>) -> tensor<?x2x8xf32, ["3T", "head", "value"]>
    "gpu.yield"(%28) : (tensor<?x2x8xf32, ["3T", "head", "value"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["3T"]>, tensor<?xi32, ["5B+1"]>, tensor<2x8x24xf32, ["head", "value", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>) -> tensor<?x2x8xf32, ["3T", "head", "value"]>
  %30 = "mom.param"() {name = "g", tensor = "g", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "value", "model"]>
  %31 = "mom.linear"(%5, %30) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x8x24xf32, ["head", "value", "model"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  %32 = "mom.param"() {name = "o", tensor = "o", shape = [24, 16], first_row = 0} : () -> tensor<24x2x8xf32, ["model", "head", "value"]>
  %46 = "mom.fused"(%29, %11, %9, %13, %31, %32, %5) ({
  ^bb0(%33: tensor<?x2x8xf32, ["3T", "head", "value"]>, %34: tensor<?x3xi32, ["T", "choice"]>, %35: tensor<?x3xf32, ["T", "choice"]>, %36: tensor<8xf32, ["value"]>, %37: tensor<?x2x8xf32, ["T", "head", "value"]>, %38: tensor<24x2x8xf32, ["model", "head", "value"]>, %39: tensor<?x24xf32, ["T", "model"]>):
    %40 = "mom.combine"(%33, %34, %35) : (tensor<?x2x8xf32, ["3T", "head", "value"]>, tensor<?x3xi32, ["T", "choice"]>, tensor<?x3xf32, ["T", "choice"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
    %41 = "mom.rms_norm"(%40, %36) {eps = 1.0e-6} : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<8xf32, ["value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
    %42 = "mom.silu"(%37) : (tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
    %43 = "mom.mul"(%41, %42) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<?x2x8xf32, ["T", "head", "value"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
    %44 = "mom.linear"(%43, %38) : (tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<24x2x8xf32, ["model", "head", "value"]>) -> tensor<?x24xf32, ["T", "model"]>
    %45 = "mom.add"(%39, %44) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
    "gpu.yield"(%45) : (tensor<?x24xf32, ["T", "model"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x8xf32, ["3T", "head", "value"]>, tensor<?x3xi32, ["T", "choice"]>, tensor<?x3xf32, ["T", "choice"]>, tensor<8xf32, ["value"]>, tensor<?x2x8xf32, ["T", "head", "value"]>, tensor<24x2x8xf32, ["model", "head", "value"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  "mom.output"(%46) {name = "y"} : (tensor<?x24xf32, ["T", "model"]>) -> ()
  %47 = "mom.combine"(%29, %11, %9) : (tensor<?x2x8xf32, ["3T", "head", "value"]>, tensor<?x3xi32, ["T", "choice"]>, tensor<?x3xf32, ["T", "choice"]>) -> tensor<?x2x8xf32, ["T", "head", "value"]>
  "mom.output"(%47) {name = "v"} : (tensor<?x2x8xf32, ["T", "head", "value"]>) -> ()
  "mom.output"(%31) {name = "gate"} : (tensor<?x2x8xf32, ["T", "head", "value"]>) -> ()
}
