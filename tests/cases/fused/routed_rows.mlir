//! sequences: 30 -2 5, 0, 1, 5
// Rows of a routed stream: moved and normalised, rotated by positions that are moved too, combined after they are computed.
module @routed_rows {
  %0 = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %1 = "mom.input"() {name = "position"} : () -> tensor<?xi32, ["T"]>
  %2 = "mom.input"() {name = "cu_seqlens"} : () -> tensor<?xi32, ["B+1"]>
  %3 = "mom.input"() {name = "rows"} : () -> tensor<?xi32, ["L"]>
  %4 = "mom.param"() {name = "embeddings", tensor = "embeddings", shape = [37, 24], first_row = 0} : () -> tensor<37x24xf32, ["vocab", "model"]>
  %5 = "mom.embedding"(%0, %4) : (tensor<?xi32, ["T"]>, tensor<37x24xf32, ["vocab", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %6 = "mom.param"() {name = "router", tensor = "router", shape = [4, 24], first_row = 0} : () -> tensor<4x24xf32, ["memory", "model"]>
  %7 = "mom.linear"(%5, %6) : (tensor<?x24xf32, ["T", "model"]>, tensor<4x24xf32, ["memory", "model"]>) -> tensor<?x4xf32, ["T", "memory"]>
  "mom.output"(%7) {name = "router_logits.0"} : (tensor<?x4xf32, ["T", "memory"]>) -> ()
  %8, %9 = "mom.router"(%7) {top_k = 2} : (tensor<?x4xf32, ["T", "memory"]>) -> (tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>)
  %10, %11, %12 = "mom.sort"(%8, %1, %2) {memories = 4} : (tensor<?x2xi32, ["T", "choice"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?xi32, ["2T"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?xi32, ["4B+1"]>)
  %13 = "mom.param"() {name = "norm", tensor = "norm", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %20 = "mom.fused"(%5, %13, %10, %12) ({
  ^bb0(%14: tensor<?x24xf32, ["T", "model"]>, %15: tensor<24xf32, ["model"]>, %16: tensor<?xi32, ["2T"]>, %17: tensor<?xi32, ["4B+1"]>):
    %18 = "mom.dispatch"(%14, %16, %17) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["4B+1"]>) -> tensor<?x24xf32, ["2T", "model"]>
    %19 = "mom.rms_norm"(%18, %15) {eps = 1.0e-6} : (tensor<?x24xf32, ["2T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["2T", "model"]>
    "gpu.yield"(%19) : (tensor<?x24xf32, ["2T", "model"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["4B+1"]>) -> tensor<?x24xf32, ["2T", "model"]>
  %27 = "mom.fused"(%5, %13, %10, %12) ({
  ^bb0(%21: tensor<?x24xf32, ["T", "model"]>, %22: tensor<24xf32, ["model"]>, %23: tensor<?xi32, ["2T"]>, %24: tensor<?xi32, ["4B+1"]>):
    %25 = "mom.rms_norm"(%21, %22) {eps = 1.0e-6} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["T", "model"]>
    %26 = "mom.dispatch"(%25, %23, %24) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["4B+1"]>) -> tensor<?x24xf32, ["2T", "model"]>
    "gpu.yield"(%26) : (tensor<?x24xf32, ["2T", "model"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["4B+1"]>) -> tensor<?x24xf32, ["2T", "model"]>
  %28 = "mom.param"() {name = "q", tensor = "q", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xf32, ["head", "key", "model"]>
  %29 = "mom.linear"(%5, %28) : (tensor<?x24xf32, ["T", "model"]>, tensor<2x8x24xf32, ["head", "key", "model"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
  %36 = "mom.fused"(%29, %10, %12, %1) ({
  ^bb0(%30: tensor<?x2x8xf32, ["T", "head", "key"]>, %31: tensor<?xi32, ["2T"]>, %32: tensor<?xi32, ["4B+1"]>, %33: tensor<?xi32, ["T"]>):
    %34 = "mom.rotary"(%30, %33) {base = 10000.0} : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?xi32, ["T"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
    %35 = "mom.dispatch"(%34, %31, %32) : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["4B+1"]>) -> tensor<?x2x8xf32, ["2T", "head", "key"]>
    "gpu.yield"(%35) : (tensor<?x2x8xf32, ["2T", "head", "key"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x8xf32, ["T", "head", "key"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["4B+1"]>, tensor<?xi32, ["T"]>) -> tensor<?x2x8xf32, ["2T", "head", "key"]>
  %46, %47 = "mom.fused"(%20, %27, %11, %9, %13) ({
  ^bb0(%37: tensor<?x24xf32, ["2T", "model"]>, %38: tensor<?x24xf32, ["2T", "model"]>, %39: tensor<?x2xi32, ["T", "choice"]>, %40: tensor<?x2xf32, ["T", "choice"]>, %41: tensor<24xf32, ["model"]>):
    %42 = "mom.add"(%37, %38) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?x24xf32, ["2T", "model"]>) -> tensor<?x24xf32, ["2T", "model"]>
    %43 = "mom.rms_norm"(%42, %41) {eps = 1.0e-6} : (tensor<?x24xf32, ["2T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["2T", "model"]>
    %44 = "mom.combine"(%43, %39, %40) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>) -> tensor<?x24xf32, ["T", "model"]>
    %45 = "mom.rms_norm"(%44, %41) {eps = 1.0e-6} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["T", "model"]>
    "gpu.yield"(%44, %45) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> ()
  }) {operandSegmentSizes = array<i32: 2, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x24xf32, ["2T", "model"]>, tensor<?x24xf32, ["2T", "model"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>, tensor<24xf32, ["model"]>) -> (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>)
  %48 = "mom.combine"(%36, %11, %9) : (tensor<?x2x8xf32, ["2T", "head", "key"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>) -> tensor<?x2x8xf32, ["T", "head", "key"]>
  %56 = "mom.fused"(%20, %11, %9, %5) ({
  ^bb0(%49: tensor<?x24xf32, ["2T", "model"]>, %50: tensor<?x2xi32, ["T", "choice"]>, %51: tensor<?x2xf32, ["T", "choice"]>, %52: tensor<?x24xf32, ["T", "model"]>):
    %53 = "mom.mul"(%51, %51) : (tensor<?x2xf32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>) -> tensor<?x2xf32, ["T", "choice"]>
    %54 = "mom.combine"(%49, %50, %53) : (tensor<?x24xf32, ["2T", "model"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>) -> tensor<?x24xf32, ["T", "model"]>
    %55 = "mom.add"(%54, %52) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
    "gpu.yield"(%55) : (tensor<?x24xf32, ["T", "model"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x24xf32, ["2T", "model"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  "mom.output"(%46) {name = "c"} : (tensor<?x24xf32, ["T", "model"]>) -> ()
  "mom.output"(%47) {name = "d"} : (tensor<?x24xf32, ["T", "model"]>) -> ()
  "mom.output"(%48) {name = "rotated"} : (tensor<?x2x8xf32, ["T", "head", "key"]>) -> ()
  "mom.output"(%56) {name = "squares"} : (tensor<?x24xf32, ["T", "model"]>) -> ()
}
