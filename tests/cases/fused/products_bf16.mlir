//! sequences: 30 -2 5, 0, 1, 5
// Products of one stream in one launch, with and without a norm before them; weights in bf16 of 33, 1, 3 and 16 columns.
module @products_bf16 {
  %0 = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %1 = "mom.input"() {name = "position"} : () -> tensor<?xi32, ["T"]>
  %2 = "mom.input"() {name = "cu_seqlens"} : () -> tensor<?xi32, ["B+1"]>
  %3 = "mom.input"() {name = "rows"} : () -> tensor<?xi32, ["L"]>
  %4 = "mom.param"() {name = "embeddings", tensor = "embeddings", shape = [37, 24], first_row = 0} : () -> tensor<37x24xf32, ["vocab", "model"]>
  %5 = "mom.embedding"(%0, %4) : (tensor<?xi32, ["T"]>, tensor<37x24xf32, ["vocab", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %6 = "mom.param"() {name = "norm", tensor = "norm", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %7 = "mom.param"() {name = "w33", tensor = "w33", shape = [33, 24], first_row = 0} : () -> tensor<33x24xbf16, ["wide", "model"]>
  %8 = "mom.param"() {name = "w1", tensor = "w1", shape = [1, 24], first_row = 0} : () -> tensor<24xbf16, ["model"]>
  %9 = "mom.param"() {name = "w3", tensor = "w3", shape = [3, 24], first_row = 0} : () -> tensor<3x24xbf16, ["three", "model"]>
  %10 = "mom.param"() {name = "w16", tensor = "w16", shape = [16, 24], first_row = 0} : () -> tensor<2x8x24xbf16, ["head", "key", "model"]>
  %11 = "mom.param"() {name = "single", tensor = "single", shape = [1, 24], first_row = 0} : () -> tensor<24xbf16, ["model"]>
  %23, %24, %25, %26 = "mom.fused"(%5, %6, %7, %8, %9, %10) ({
  ^bb0(%12: tensor<?x24xf32, ["T", "model"]>, %13: tensor<24xf32, ["model"]>, %14: tensor<33x24xbf16, ["wide", "model"]>, %15: tensor<24xbf16, ["model"]>, %16: tensor<3x24xbf16, ["three", "model"]>, %17: tensor<2x8x24xbf16, ["head", "key", "model"]>):
    %18 = "mom.rms_norm"(%12, %13) {eps = 1.0e-6} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["T", "model"]>
    %19, %20, %21, %22 = "mom.linears"(%18, %14, %15, %16, %17) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x24xf32, ["T", "model"]>, tensor<33x24xbf16, ["wide", "model"]>, tensor<24xbf16, ["model"]>, tensor<3x24xbf16, ["three", "model"]>, tensor<2x8x24xbf16, ["head", "key", "model"]>) -> (tensor<?x33xf32, ["T", "wide"]>, tensor<?xf32, ["T"]>, tensor<?x3xf32, ["T", "three"]>, tensor<?x2x8xf32, ["T", "head", "key"]>)
    "gpu.yield"(%19, %20, %21, %22) : (tensor<?x33xf32, ["T", "wide"]>, tensor<?xf32, ["T"]>, tensor<?x3xf32, ["T", "three"]>, tensor<?x2x8xf32, ["T", "head", "key"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>, tensor<33x24xbf16, ["wide", "model"]>, tensor<24xbf16, ["model"]>, tensor<3x24xbf16, ["three", "model"]>, tensor<2x8x24xbf16, ["head", "key", "model"]>) -> (tensor<?x33xf32, ["T", "wide"]>, tensor<?xf32, ["T"]>, tensor<?x3xf32, ["T", "three"]>, tensor<?x2x8xf32, ["T", "head", "key"]>)
  %27, %28, %29, %30 = "mom.linears"(%5, %7, %8, %9, %10) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x24xf32, ["T", "model"]>, tensor<33x24xbf16, ["wide", "model"]>, tensor<24xbf16, ["model"]>, tensor<3x24xbf16, ["three", "model"]>, tensor<2x8x24xbf16, ["head", "key", "model"]>) -> (tensor<?x33xf32, ["T", "wide"]>, tensor<?xf32, ["T"]>, tensor<?x3xf32, ["T", "three"]>, tensor<?x2x8xf32, ["T", "head", "key"]>)
  %38, %39, %40 = "mom.fused"(%9, %5, %8, %7) ({
  ^bb0(%31: tensor<3x24xbf16, ["three", "model"]>, %32: tensor<?x24xf32, ["T", "model"]>, %33: tensor<24xbf16, ["model"]>, %34: tensor<33x24xbf16, ["wide", "model"]>):
    %35, %36, %37 = "mom.linears"(%32, %33, %34, %31) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xbf16, ["model"]>, tensor<33x24xbf16, ["wide", "model"]>, tensor<3x24xbf16, ["three", "model"]>) -> (tensor<?xf32, ["T"]>, tensor<?x33xf32, ["T", "wide"]>, tensor<?x3xf32, ["T", "three"]>)
    "gpu.yield"(%37, %36, %35) : (tensor<?x3xf32, ["T", "three"]>, tensor<?x33xf32, ["T", "wide"]>, tensor<?xf32, ["T"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<3x24xbf16, ["three", "model"]>, tensor<?x24xf32, ["T", "model"]>, tensor<24xbf16, ["model"]>, tensor<33x24xbf16, ["wide", "model"]>) -> (tensor<?x3xf32, ["T", "three"]>, tensor<?x33xf32, ["T", "wide"]>, tensor<?xf32, ["T"]>)
  %46 = "mom.fused"(%5, %6, %11) ({
  ^bb0(%41: tensor<?x24xf32, ["T", "model"]>, %42: tensor<24xf32, ["model"]>, %43: tensor<24xbf16, ["model"]>):
    %44 = "mom.rms_norm"(%41, %42) {eps = 1.0e-6} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["T", "model"]>
    %45 = "mom.linear"(%44, %43) : (tensor<?x24xf32, ["T", "model"]>, tensor<24xbf16, ["model"]>) -> tensor<?xf32, ["T"]>
    "gpu.yield"(%45) : (tensor<?xf32, ["T"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>, tensor<24xbf16, ["model"]>) -> tensor<?xf32, ["T"]>
  "mom.output"(%23) {name = "a0"} : (tensor<?x33xf32, ["T", "wide"]>) -> ()
  "mom.output"(%24) {name = "a1"} : (tensor<?xf32, ["T"]>) -> ()
  "mom.output"(%25) {name = "a2"} : (tensor<?x3xf32, ["T", "three"]>) -> ()
  "mom.output"(%26) {name = "a3"} : (tensor<?x2x8xf32, ["T", "head", "key"]>) -> ()
  "mom.output"(%27) {name = "b0"} : (tensor<?x33xf32, ["T", "wide"]>) -> ()
  "mom.output"(%28) {name = "b1"} : (tensor<?xf32, ["T"]>) -> ()
  "mom.output"(%29) {name = "b2"} : (tensor<?x3xf32, ["T", "three"]>) -> ()
  "mom.output"(%30) {name = "b3"} : (tensor<?x2x8xf32, ["T", "head", "key"]>) -> ()
  "mom.output"(%38) {name = "c0"} : (tensor<?x3xf32, ["T", "three"]>) -> ()
  "mom.output"(%39) {name = "c1"} : (tensor<?x33xf32, ["T", "wide"]>) -> ()
  "mom.output"(%40) {name = "c2"} : (tensor<?xf32, ["T"]>) -> ()
  "mom.output"(%46) {name = "d0"} : (tensor<?xf32, ["T"]>) -> ()
  %54 = "mom.fused"(%5, %3, %6, %7) ({
  ^bb0(%47: tensor<?x24xf32, ["T", "model"]>, %48: tensor<?xi32, ["L"]>, %49: tensor<24xf32, ["model"]>, %50: tensor<33x24xbf16, ["wide", "model"]>):
    %51 = "mom.select_rows"(%47, %48) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["L"]>) -> tensor<?x24xf32, ["L", "model"]>
    %52 = "mom.rms_norm"(%51, %49) {eps = 1.0e-6} : (tensor<?x24xf32, ["L", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["L", "model"]>
    %53 = "mom.linear"(%52, %50) : (tensor<?x24xf32, ["L", "model"]>, tensor<33x24xbf16, ["wide", "model"]>) -> tensor<?x33xf32, ["L", "wide"]>
    "gpu.yield"(%53) : (tensor<?x33xf32, ["L", "wide"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["L"]>, tensor<24xf32, ["model"]>, tensor<33x24xbf16, ["wide", "model"]>) -> tensor<?x33xf32, ["L", "wide"]>
  %60 = "mom.fused"(%5, %3, %7) ({
  ^bb0(%55: tensor<?x24xf32, ["T", "model"]>, %56: tensor<?xi32, ["L"]>, %57: tensor<33x24xbf16, ["wide", "model"]>):
    %58 = "mom.select_rows"(%55, %56) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["L"]>) -> tensor<?x24xf32, ["L", "model"]>
    %59 = "mom.linear"(%58, %57) : (tensor<?x24xf32, ["L", "model"]>, tensor<33x24xbf16, ["wide", "model"]>) -> tensor<?x33xf32, ["L", "wide"]>
    "gpu.yield"(%59) : (tensor<?x33xf32, ["L", "wide"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["L"]>, tensor<33x24xbf16, ["wide", "model"]>) -> tensor<?x33xf32, ["L", "wide"]>
  "mom.output"(%54) {name = "tail"} : (tensor<?x33xf32, ["L", "wide"]>) -> ()
  "mom.output"(%60) {name = "bare_tail"} : (tensor<?x33xf32, ["L", "wide"]>) -> ()
}
