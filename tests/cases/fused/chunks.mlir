//! sequences: 60, 1, 20 -1
//! block_tokens: 100
// Rows so wide that a launch cuts them into several chunks, each made and multiplied by itself; axes of a row that a product keeps.
module @chunks {
  %0 = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %1 = "mom.input"() {name = "position"} : () -> tensor<?xi32, ["T"]>
  %2 = "mom.input"() {name = "cu_seqlens"} : () -> tensor<?xi32, ["B+1"]>
  %3 = "mom.input"() {name = "rows"} : () -> tensor<?xi32, ["L"]>
  %4 = "mom.param"() {name = "embeddings", tensor = "embeddings", shape = [5, 4096], first_row = 0} : () -> tensor<5x4096xf32, ["vocab", "model"]>
  %5 = "mom.embedding"(%0, %4) : (tensor<?xi32, ["T"]>, tensor<5x4096xf32, ["vocab", "model"]>) -> tensor<?x4096xf32, ["T", "model"]>
  %6 = "mom.param"() {name = "norm", tensor = "norm", shape = [4096], first_row = 0} : () -> tensor<4096xf32, ["model"]>
  %7 = "mom.param"() {name = "a", tensor = "a", shape = [33, 4096], first_row = 0} : () -> tensor<33x4096xf32, ["hidden", "model"]>
  %8 = "mom.param"() {name = "b", tensor = "b", shape = [3, 4096], first_row = 0} : () -> tensor<3x4096xf32, ["other", "model"]>
  %16, %17 = "mom.fused"(%5, %6, %7, %8) ({
  ^bb0(%9: tensor<?x4096xf32, ["T", "model"]>, %10: tensor<4096xf32, ["model"]>, %11: tensor<33x4096xf32, ["hidden", "model"]>, %12: tensor<3x4096xf32, ["other", "model"]>):
    %13 = "mom.rms_norm"(%9, %10) {eps = 1.0e-6} : (tensor<?x4096xf32, ["T", "model"]>, tensor<4096xf32, ["model"]>) -> tensor<?x4096xf32, ["T", "model"]>
    %14, %15 = "mom.linears"(%13, %11, %12) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x4096xf32, ["T", "model"]>, tensor<33x4096xf32, ["hidden", "model"]>, tensor<3x4096xf32, ["other", "model"]>) -> (tensor<?x33xf32, ["T", "hidden"]>, tensor<?x3xf32, ["T", "other"]>)
    "gpu.yield"(%14, %15) : (tensor<?x33xf32, ["T", "hidden"]>, tensor<?x3xf32, ["T", "other"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x4096xf32, ["T", "model"]>, tensor<4096xf32, ["model"]>, tensor<33x4096xf32, ["hidden", "model"]>, tensor<3x4096xf32, ["other", "model"]>) -> (tensor<?x33xf32, ["T", "hidden"]>, tensor<?x3xf32, ["T", "other"]>)
  %18 = "mom.param"() {name = "router", tensor = "router", shape = [3, 4096], first_row = 0} : () -> tensor<3x4096xf32, ["memory", "model"]>
  %19 = "mom.linear"(%5, %18) : (tensor<?x4096xf32, ["T", "model"]>, tensor<3x4096xf32, ["memory", "model"]>) -> tensor<?x3xf32, ["T", "memory"]>
  "mom.output"(%19) {name = "router_logits.0"} : (tensor<?x3xf32, ["T", "memory"]>) -> ()
  %20, %21 = "mom.router"(%19) {top_k = 1} : (tensor<?x3xf32, ["T", "memory"]>) -> (tensor<?x1xi32, ["T", "choice"]>, tensor<?x1xf32, ["T", "choice"]>)
  %22, %23, %24 = "mom.sort"(%20, %1, %2) {memories = 3} : (tensor<?x1xi32, ["T", "choice"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?xi32, ["T"]>, tensor<?x1xi32, ["T", "choice"]>, tensor<?xi32, ["3B+1"]>)
  %25 = "mom.param"() {name = "g0", tensor = "g0", shape = [33, 4096], first_row = 0} : () -> tensor<33x4096xf32, ["hidden", "model"]>
  %26 = "mom.param"() {name = "g1", tensor = "g1", shape = [33, 4096], first_row = 0} : () -> tensor<33x4096xf32, ["hidden", "model"]>
  %27 = "mom.param"() {name = "g2", tensor = "g2", shape = [33, 4096], first_row = 0} : () -> tensor<33x4096xf32, ["hidden", "model"]>
  %39 = "mom.fused"(%5, %6, %22, %24, %25, %26, %27) ({
  ^bb0(%28: tensor<?x4096xf32, ["T", "model"]>, %29: tensor<4096xf32, ["model"]>, %30: tensor<?xi32, ["T"]>, %31: tensor<?xi32, ["3B+1"]>, %32: tensor<33x4096xf32, ["hidden", "model"]>, %33: tensor<33x4096xf32, ["hidden", "model"]>, %34: tensor<33x4096xf32, ["hidden", "model"]>):
    %35 = "mom.rms_norm"(%28, %29) {eps = 1.0e-6} : (tensor<?x4096xf32, ["T", "model"]>, tensor<4096xf32, ["model"]>) -> tensor<?x4096xf32, ["T", "model"]>
    %36 = "mom.dispatch"(%35, %30, %31) : (tensor<?x4096xf32, ["T", "model"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["3B+1"]>) -> tensor<?x4096xf32, ["T", "model"]>
    %37 = "mom.grouped_linear"(%36, %31, %32, %33, %34) : (tensor<?x4096xf32, ["T", "model"]>, tensor<?xi32, ["3B+1"]>, tensor<33x4096xf32, ["hidden", "model"]>, tensor<33x4096xf32, ["hidden", "model"]>, tensor<33x4096xf32, ["hidden", "model"]>) -> tensor<?x33xf32, ["T", "hidden"]>
    %38 = "mom.silu"(%37) : (tensor<?x33xf32, ["T", "hidden"]>) -> tensor<?x33xf32, ["T", "hidden"]>
    "gpu.yield"(%38) : (tensor<?x33xf32, ["T", "hidden"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x4096xf32, ["T", "model"]>, tensor<4096xf32, ["model"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["3B+1"]>, tensor<33x4096xf32, ["hidden", "model"]>, tensor<33x4096xf32, ["hidden", "model"]>, tensor<33x4096xf32, ["hidden", "model"]>) -> tensor<?x33xf32, ["T", "hidden"]>
  %40 = "mom.param"() {name = "h", tensor = "h", shape = [12, 4096], first_row = 0} : () -> tensor<3x4x4096xf32, ["head", "key", "model"]>
  %41 = "mom.linear"(%5, %40) : (tensor<?x4096xf32, ["T", "model"]>, tensor<3x4x4096xf32, ["head", "key", "model"]>) -> tensor<?x3x4xf32, ["T", "head", "key"]>
  %42 = "mom.param"() {name = "kk", tensor = "kk", shape = [6, 4], first_row = 0} : () -> tensor<6x4xf32, ["out", "key"]>
  %48 = "mom.fused"(%41, %3, %42) ({
  ^bb0(%43: tensor<?x3x4xf32, ["T", "head", "key"]>, %44: tensor<?xi32, ["L"]>, %45: tensor<6x4xf32, ["out", "key"]>):
    %46 = "mom.select_rows"(%43, %44) : (tensor<?x3x4xf32, ["T", "head", "key"]>, tensor<?xi32, ["L"]>) -> tensor<?x3x4xf32, ["L", "head", "key"]>
    %47 = "mom.linear"(%46, %45) : (tensor<?x3x4xf32, ["L", "head", "key"]>, tensor<6x4xf32, ["out", "key"]>) -> tensor<?x3x6xf32, ["L", "head", "out"]>
    "gpu.yield"(%47) : (tensor<?x3x6xf32, ["L", "head", "out"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x3x4xf32, ["T", "head", "key"]>, tensor<?xi32, ["L"]>, tensor<6x4xf32, ["out", "key"]>) -> tensor<?x3x6xf32, ["L", "head", "out"]>
  "mom.output"(%16) {name = "ra"} : (tensor<?x33xf32, ["T", "hidden"]>) -> ()
  "mom.output"(%17) {name = "rb"} : (tensor<?x3xf32, ["T", "other"]>) -> ()
  %49 = "mom.combine"(%39, %23, %21) : (tensor<?x33xf32, ["T", "hidden"]>, tensor<?x1xi32, ["T", "choice"]>, tensor<?x1xf32, ["T", "choice"]>) -> tensor<?x33xf32, ["T", "hidden"]>
  "mom.output"(%49) {name = "grouped"} : (tensor<?x33xf32, ["T", "hidden"]>) -> ()
  "mom.output"(%48) {name = "tail"} : (tensor<?x3x6xf32, ["L", "head", "out"]>) -> ()
}
