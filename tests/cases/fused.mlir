module @fused {
  "mom.update_rule"() ({
  ^bb0(%k: tensor<2xf32, ["key"]>, %h: tensor<2xf32, ["key"]>):
    %0 = "mom.add"(%h, %k) : (tensor<2xf32, ["key"]>, tensor<2xf32, ["key"]>) -> tensor<2xf32, ["key"]>
    "gpu.yield"(%0, %0) : (tensor<2xf32, ["key"]>, tensor<2xf32, ["key"]>) -> ()
  }) {sym_name = "sum", inputs = ["k"], states = ["h"], outputs = ["o"]} : () -> ()
  %0 = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %1 = "mom.input"() {name = "position"} : () -> tensor<?xi32, ["T"]>
  %2 = "mom.input"() {name = "cu_seqlens"} : () -> tensor<?xi32, ["B+1"]>
  %3 = "mom.param"() {name = "table", tensor = "table", shape = [4, 2], first_row = 0} : () -> tensor<4x2xf32, ["vocab", "model"]>
  %4 = "mom.param"() {name = "gate", tensor = "gate", shape = [2, 2], first_row = 0} : () -> tensor<2x2xf32, ["memory", "model"]>
  %5 = "mom.param"() {name = "g", tensor = "g", shape = [3, 2], first_row = 0} : () -> tensor<3x2xf32, ["out", "model"]>
  %6 = "mom.param"() {name = "k0", tensor = "k0", shape = [2, 2], first_row = 0} : () -> tensor<1x2x2xf32, ["head", "key", "model"]>
  %7 = "mom.param"() {name = "k1", tensor = "k1", shape = [2, 2], first_row = 0} : () -> tensor<1x2x2xf32, ["head", "key", "model"]>
  %8 = "mom.param"() {name = "k2", tensor = "k2", shape = [2, 2], first_row = 0} : () -> tensor<1x2x2xf32, ["head", "key", "model"]>
  %9 = "mom.param"() {name = "b0", tensor = "b0", shape = [1, 2], first_row = 0} : () -> tensor<1x2xf32, ["head", "model"]>
  %10 = "mom.param"() {name = "b1", tensor = "b1", shape = [1, 2], first_row = 0} : () -> tensor<1x2xf32, ["head", "model"]>
  %11 = "mom.param"() {name = "b2", tensor = "b2", shape = [1, 2], first_row = 0} : () -> tensor<1x2xf32, ["head", "model"]>
  %12 = "mom.state"() {name = "memories"} : () -> tensor<?x2x1x2xf32, ["B", "memory", "head", "key"]>
  %13 = "mom.state"() {name = "shared"} : () -> tensor<?x1x2xf32, ["B", "head", "key"]>
  %14, %15, %16 = "mom.fused"(%0, %3, %4, %5) ({
  ^bb0(%17: tensor<?xi32, ["T"]>, %18: tensor<4x2xf32, ["vocab", "model"]>, %19: tensor<2x2xf32, ["memory", "model"]>, %20: tensor<3x2xf32, ["out", "model"]>):
    %21 = "mom.embedding"(%17, %18) : (tensor<?xi32, ["T"]>, tensor<4x2xf32, ["vocab", "model"]>) -> tensor<?x2xf32, ["T", "model"]>
    %22 = "mom.constant"() {value = 2.0} : () -> tensor<f32>
    %23 = "mom.mul"(%21, %22) : (tensor<?x2xf32, ["T", "model"]>, tensor<f32>) -> tensor<?x2xf32, ["T", "model"]>
    %24, %25 = "mom.linears"(%23, %19, %20) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x2xf32, ["T", "model"]>, tensor<2x2xf32, ["memory", "model"]>, tensor<3x2xf32, ["out", "model"]>) -> (tensor<?x2xf32, ["T", "memory"]>, tensor<?x3xf32, ["T", "out"]>)
    "gpu.yield"(%23, %24, %25) : (tensor<?x2xf32, ["T", "model"]>, tensor<?x2xf32, ["T", "memory"]>, tensor<?x3xf32, ["T", "out"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?xi32, ["T"]>, tensor<4x2xf32, ["vocab", "model"]>, tensor<2x2xf32, ["memory", "model"]>, tensor<3x2xf32, ["out", "model"]>) -> (tensor<?x2xf32, ["T", "model"]>, tensor<?x2xf32, ["T", "memory"]>, tensor<?x3xf32, ["T", "out"]>)
  %26, %27 = "mom.router"(%15) {top_k = 1} : (tensor<?x2xf32, ["T", "memory"]>) -> (tensor<?x1xi32, ["T", "choice"]>, tensor<?x1xf32, ["T", "choice"]>)
  %28, %29, %30 = "mom.sort"(%26, %1, %2) {memories = 2} : (tensor<?x1xi32, ["T", "choice"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?xi32, ["T"]>, tensor<?x1xi32, ["T", "choice"]>, tensor<?xi32, ["2B+1"]>)
  %31 = "mom.dispatch"(%14, %28, %30) : (tensor<?x2xf32, ["T", "model"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["2B+1"]>) -> tensor<?x2xf32, ["T", "model"]>
  %32, %33 = "mom.router"(%15) {top_k = 1, shared_state = true} : (tensor<?x2xf32, ["T", "memory"]>) -> (tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>)
  %34, %35, %36 = "mom.sort"(%32, %1, %2) {memories = 3} : (tensor<?x2xi32, ["T", "choice"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?xi32, ["2T"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?xi32, ["3B+1"]>)
  %37 = "mom.append"(%31, %29, %14, %35) : (tensor<?x2xf32, ["T", "model"]>, tensor<?x1xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "model"]>, tensor<?x2xi32, ["T", "choice"]>) -> tensor<?x2xf32, ["2T", "model"]>
  %38, %39 = "mom.grouped_linears"(%37, %36, %6, %7, %8, %9, %10, %11) {operandSegmentSizes = array<i32: 1, 1, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x2xf32, ["2T", "model"]>, tensor<?xi32, ["3B+1"]>, tensor<1x2x2xf32, ["head", "key", "model"]>, tensor<1x2x2xf32, ["head", "key", "model"]>, tensor<1x2x2xf32, ["head", "key", "model"]>, tensor<1x2xf32, ["head", "model"]>, tensor<1x2xf32, ["head", "model"]>, tensor<1x2xf32, ["head", "model"]>) -> (tensor<?x1x2xf32, ["2T", "head", "key"]>, tensor<?x1xf32, ["2T", "head"]>)
  %40 = "mom.join_memories"(%12, %13) : (tensor<?x2x1x2xf32, ["B", "memory", "head", "key"]>, tensor<?x1x2xf32, ["B", "head", "key"]>) -> tensor<?x3x1x2xf32, ["B", "memory", "head", "key"]>
  %41, %42 = "mom.fused"(%38, %39, %40, %36) ({
  ^bb0(%43: tensor<?x1x2xf32, ["2T", "head", "key"]>, %44: tensor<?x1xf32, ["2T", "head"]>, %45: tensor<?x3x1x2xf32, ["B", "memory", "head", "key"]>, %46: tensor<?xi32, ["3B+1"]>):
    %47 = "mom.sigmoid"(%44) : (tensor<?x1xf32, ["2T", "head"]>) -> tensor<?x1xf32, ["2T", "head"]>
    %48 = "mom.mul"(%43, %47) : (tensor<?x1x2xf32, ["2T", "head", "key"]>, tensor<?x1xf32, ["2T", "head"]>) -> tensor<?x1x2xf32, ["2T", "head", "key"]>
    %49, %50 = "mom.scan"(%48, %45, %46) {update_rule = @sum, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0>} : (tensor<?x1x2xf32, ["2T", "head", "key"]>, tensor<?x3x1x2xf32, ["B", "memory", "head", "key"]>, tensor<?xi32, ["3B+1"]>) -> (tensor<?x1x2xf32, ["2T", "head", "key"]>, tensor<?x3x1x2xf32, ["B", "memory", "head", "key"]>)
    "gpu.yield"(%49, %50) : (tensor<?x1x2xf32, ["2T", "head", "key"]>, tensor<?x3x1x2xf32, ["B", "memory", "head", "key"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x1x2xf32, ["2T", "head", "key"]>, tensor<?x1xf32, ["2T", "head"]>, tensor<?x3x1x2xf32, ["B", "memory", "head", "key"]>, tensor<?xi32, ["3B+1"]>) -> (tensor<?x1x2xf32, ["2T", "head", "key"]>, tensor<?x3x1x2xf32, ["B", "memory", "head", "key"]>)
  %51, %52 = "mom.split_memories"(%42) : (tensor<?x3x1x2xf32, ["B", "memory", "head", "key"]>) -> (tensor<?x2x1x2xf32, ["B", "memory", "head", "key"]>, tensor<?x1x2xf32, ["B", "head", "key"]>)
  "mom.set_state"(%51) {name = "memories"} : (tensor<?x2x1x2xf32, ["B", "memory", "head", "key"]>) -> ()
  "mom.set_state"(%52) {name = "shared"} : (tensor<?x1x2xf32, ["B", "head", "key"]>) -> ()
  %53 = "mom.combine"(%41, %35, %33) : (tensor<?x1x2xf32, ["2T", "head", "key"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>) -> tensor<?x1x2xf32, ["T", "head", "key"]>
  "mom.output"(%53) {name = "y"} : (tensor<?x1x2xf32, ["T", "head", "key"]>) -> ()
  %54 = "mom.scan_states"(%38, %40, %36) {update_rule = @sum, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x1x2xf32, ["2T", "head", "key"]>, tensor<?x3x1x2xf32, ["B", "memory", "head", "key"]>, tensor<?xi32, ["3B+1"]>) -> tensor<?x1x2xf32, ["2T", "head", "key"]>
  %55 = "mom.combine"(%54, %35, %33) : (tensor<?x1x2xf32, ["2T", "head", "key"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>) -> tensor<?x1x2xf32, ["T", "head", "key"]>
  %56 = "mom.read_states"(%55) {update_rule = @sum, operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x1x2xf32, ["T", "head", "key"]>) -> tensor<?x1x2xf32, ["T", "head", "key"]>
  "mom.output"(%56) {name = "mixed"} : (tensor<?x1x2xf32, ["T", "head", "key"]>) -> ()
  "mom.output"(%16) {name = "other"} : (tensor<?x3xf32, ["T", "out"]>) -> ()
}
